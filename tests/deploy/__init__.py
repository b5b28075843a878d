"""The two commands' set-up, and what it installs from."""
