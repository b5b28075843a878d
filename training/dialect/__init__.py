"""Tunes of old and loose spellings, turned into plain ABC 2.1."""
