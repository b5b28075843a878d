"""Measures trained models side by side and beside real tunes, and tells it on one page."""
