"""Renders ABC as sound, MIDI and scores: input filter, sandboxed programs, synthesis, encoders and a cache."""
