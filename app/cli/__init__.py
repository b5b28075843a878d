"""The command `lilt`: serve, make and render tunes, check texts, and what belongs to training and the model store."""
