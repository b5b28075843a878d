"""The service: continues seed strings into tunes, and plays them."""
