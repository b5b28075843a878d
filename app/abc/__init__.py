"""The ABC notation: read from text, written, timed, transposed, compared."""
