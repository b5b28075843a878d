"""The command `lilt`, whose promises are held here."""
