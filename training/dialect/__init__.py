"""Translates old and loose ABC into plain ABC 2.1."""
