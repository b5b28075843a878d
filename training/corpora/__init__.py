"""Reads tunebooks, from files and from what other projects publish, and splits their tunes into sides."""
