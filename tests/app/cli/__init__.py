"""The command `lilt`, run as a process of its own."""
