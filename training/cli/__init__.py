"""The command line `python -m training`, which `lilt train`, `lilt evaluate` and so on hand theirs on to."""
