"""Counts the n-grams of a tune's melody: runs of one to four notes, each an interval and a length, by their hash.

The n-grams go across bar lines, and are the same in any key. Hashing them into a fixed number of buckets takes the
place of a vocabulary (the hashing trick; Weinberger et al., 2009).
"""

import numpy as np
from numpy.typing import NDArray

from app.abc.features import Melody

MAX_NOTES = 4
"""Of the longest n-gram."""

_REST, _FIRST = 1 << 10, 1 << 11  # beside all intervals
_TICKS_BITS = 40
_GOLDEN = np.uint64(0x9E3779B97F4A7C15)


def bucket_counts(melody: Melody, buckets: int) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """The buckets that the n-grams of a melody fall into, ascending, and how many fall into each.

    Args:
        buckets: how many there are, a power of two.
    """
    notes = _notes(melody)
    runs, hashes = np.zeros(len(notes), np.uint64), []
    for length in range(min(MAX_NOTES, len(notes))):
        begins = len(notes) - length
        runs = _mix(runs[:begins] + notes[length:])
        hashes.append(runs)
    return np.unique((np.concatenate(hashes) % np.uint64(buckets)).astype(np.int64), return_counts=True)


def _notes(melody: Melody) -> NDArray[np.uint64]:
    """A number for each note or rest: the semitones from the note before, and its ticks."""
    sounds = [sound for bar in melody.bars for sound in zip(bar.pitches, bar.ticks, strict=True)]
    last, codes = None, []
    for pitch, ticks in sounds:
        if pitch is None:
            step = _REST
        else:
            step, last = _FIRST if last is None else pitch - last, pitch
        codes.append((step << _TICKS_BITS) + ticks)
    return np.array(codes, np.int64).astype(np.uint64)


def _mix(values: NDArray[np.uint64]) -> NDArray[np.uint64]:
    """A step of SplitMix64 from each value (Steele et al., 2014): any bit of a value changes half of the result's."""
    mixed = values + _GOLDEN
    mixed = (mixed ^ (mixed >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    mixed = (mixed ^ (mixed >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return mixed ^ (mixed >> np.uint64(31))
