"""A tune as music: read from ABC, written down, timed, moved, compared."""
