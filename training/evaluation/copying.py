"""Finds the longest runs of notes that a tune shares with tunes that were learnt from, whatever key they are in.

A run is the same notes of the same lengths, up to transposition. It is as many bars long as its notes last, wherever in
a bar it begins.
"""

from bisect import bisect_right
from collections.abc import Iterable
from dataclasses import dataclass
from fractions import Fraction
from itertools import pairwise
from statistics import median

from training.evaluation.music import Music

RUNS = (1, 2, 3, 4, 5, 6, 7, 8)
"""Bars, for which the share of tunes with so long a run is told."""

_BETWEEN = "\n"
_NEVER = "\0"
_FIRST, _SURROGATES, _PAST = 0x100, 0xD800, 0xE000  # code points that stand for steps; low ones are found faster

Step = tuple[int, Fraction, Fraction]
"""From one note to the next: semitones, and how long each lasts."""


@dataclass(frozen=True)
class Run:
    """A tune's longest run in notes, with the number of a tune that has it, and the longest in bars, maybe another."""

    notes: int
    bars: float
    source: int | None


@dataclass(frozen=True)
class Copying:
    """The longest runs of a list of tunes."""

    tunes: int
    median_notes: float
    most_notes: int
    share_by_bars: dict[str, float]  # of tunes with a run of that many bars or more


class Learnt:
    """The tunes that a model learnt from, as one text of steps."""

    def __init__(self, tunes: Iterable[Music | None]) -> None:
        self._code: dict[Step, str] = {}
        self._begins: list[int] = []
        pieces: list[str] = []
        length = 0
        for music in tunes:
            piece = "".join(self._code.setdefault(step, _character(len(self._code))) for step in _steps(music))
            self._begins.append(length)
            pieces.append(piece)
            length += len(piece) + len(_BETWEEN)
        self._text = _BETWEEN.join(pieces)

    def longest_run(self, music: Music) -> Run:
        """The longest run of a tune that stands in this text."""
        steps = _steps(music)
        line = "".join(self._code.get(step, _NEVER) for step in steps)
        begin, longest, bars = 0, "", Fraction(0)
        for end in range(1, len(line) + 1):
            while begin < end and line[begin:end] not in self._text:
                begin += 1
            if end - begin > len(longest):
                longest = line[begin:end]
            if begin < end:
                lasts = sum((sound.length for sound in music.sounds[begin : end + 1]), Fraction(0))
                bars = max(bars, lasts / music.bar_length)
        source = bisect_right(self._begins, self._text.find(longest)) - 1 if longest else None
        return Run(len(longest) + 1 if longest else 0, float(bars), source)


def describe(runs: list[Run]) -> Copying:
    return Copying(
        tunes=len(runs),
        median_notes=median(run.notes for run in runs),
        most_notes=max(run.notes for run in runs),
        share_by_bars={str(bars): sum(run.bars >= bars for run in runs) / len(runs) for bars in RUNS},
    )


def _character(number: int) -> str:
    point = _FIRST + number
    return chr(point if point < _SURROGATES else point - _SURROGATES + _PAST)


def _steps(music: Music | None) -> list[Step]:
    pairs = pairwise(music.sounds if music else ())
    return [(after.semitone - before.semitone, before.length, after.length) for before, after in pairs]
