"""The network, its batches, and the loop that trains it in a run folder."""
