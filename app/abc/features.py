"""A tune as the numbers that a critic goes by: what comes again, parts, endings, intervals, degrees and rhythm.

They are read from the first voice of an ABC text in some tenths of a millisecond. NaN stands where a number has no
meaning for a tune, as bar 5 of a part of four.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from statistics import fmean, pstdev

import numpy as np
from numpy.typing import NDArray

from app.abc.fingerprint import WHOLE_NOTE, Bar, read_voices
from app.abc.header import read_header
from app.abc.pitch import ALTERATIONS, MIDDLE_C, NATURAL_SEMITONES, SEMITONES_PER_OCTAVE, STEPS

_OCTAVE = SEMITONES_PER_OCTAVE
_RHYTHMS = ("jig", "reel", "hornpipe")
_PART = 8
"""Bars of the part that dance tunes have."""

NAN = float("nan")
Notes = tuple[tuple[int | None, int], ...]
"""Pitches and ticks of a bar."""


@dataclass(frozen=True)
class Melody:
    """A tune's bars, as written, and what its header says of them: `scale` as semitones above the tonic, ascending."""

    bars: tuple[Bar, ...]
    tonic: int
    scale: tuple[int, ...]
    rhythm: str


def read(abc: str) -> Melody | None:
    """The first voice; None where it has no note."""
    voices = read_voices(abc)
    if not voices or all(pitch is None for bar in voices[0] for pitch in bar.pitches):
        return None
    header, _ = read_header(abc)
    named = header.key.tonic or "C"
    tonic = (NATURAL_SEMITONES[named[0]] + ALTERATIONS[named[1:]]) % _OCTAVE
    scale = sorted((NATURAL_SEMITONES[step] + header.key.alter(step) - tonic) % _OCTAVE for step in STEPS)
    return Melody(tuple(voices[0]), tonic, tuple(scale), (header.first("R") or "").strip().lower())


def features(melody: Melody) -> NDArray[np.float32]:
    """The numbers, in the order of `NAMES`."""
    found: dict[str, float] = {}
    for measure in _MEASURES:
        found |= measure(melody)
    return np.array([found[name] for name in NAMES], np.float32)


def _notes(bars: Sequence[Bar]) -> list[Notes]:
    return [tuple(zip(bar.pitches, bar.ticks, strict=True)) for bar in bars]


def _mean(values: Sequence[float]) -> float:
    return fmean(values) if values else NAN


def _parts(melody: Melody) -> list[list[Bar]]:
    """Bars up to the end of each part; a pickup is left out where it begins one."""
    parts: list[list[Bar]] = [[]]
    for bar in melody.bars:
        if parts[-1] or sum(bar.ticks) >= bar.whole:
            parts[-1].append(bar)
        if bar.ends_part and parts[-1]:
            parts.append([])
    return [part for part in parts if part]


# ------------------------------------------------------------------------------------------------ repetition


def _repetition(melody: Melody) -> dict[str, float]:
    bars = _notes(melody.bars)
    rhythms = [bar.ticks for bar in melody.bars]
    whole = [notes for notes, bar in zip(bars, melody.bars, strict=True) if sum(bar.ticks) >= bar.whole]
    seen: set[Notes] = set()
    again = 0
    for bar in bars:
        again += bar in seen
        seen.add(bar)
    return {
        "again": again / len(bars),
        "different": len(set(whole)) / len(whole) if whole else NAN,
        **{f"as_{lag}_back": _equal(bars, lag) for lag in (1, 2, 4, 8, 9)},
        **{f"near_{lag}_back": _near(bars, lag) for lag in (2, 4, 8, 9)},
        "rhythm_as_1_back": _equal(rhythms, 1),
        "rhythm_as_4_back": _equal(rhythms, 4),
        "rhythms": len({tuple(rhythm) for rhythm in rhythms}) / len(rhythms),
    }


def _equal(bars: Sequence[object], lag: int) -> float:
    pairs = list(zip(bars, bars[lag:], strict=False))
    return sum(one == other for one, other in pairs) / len(pairs) if pairs else NAN


def _near(bars: Sequence[Notes], lag: int) -> float:
    """The share of a bar's notes, from its first on, that are the same as in the bar that many back."""
    return _mean([_common(one, other) / len(other) for one, other in zip(bars, bars[lag:], strict=False)])


def _common(one: Notes, other: Notes) -> int:
    count = 0
    for note, same in zip(one, other, strict=False):
        if note != same:
            break
        count += 1
    return count


# ------------------------------------------------------------------------------------------------ form


def _form(melody: Melody) -> dict[str, float]:
    parts = _parts(melody)
    counts = [len(part) for part in parts]
    full = [_notes(part) for part in parts if len(part) >= _PART]
    a, b = full[:2] if len(full) > 1 else ([], [])
    lasts = [pitch for part in parts if (pitch := _last(part)) is not None]
    return {
        "bars": float(len(melody.bars)),
        "parts": float(len(parts)),
        "parts_of_8": _mean([count == _PART for count in counts]),
        "parts_of_4": _mean([count == _PART // 2 for count in counts]),
        "longest_part": float(max(counts, default=0)),
        "shortest_part": float(min(counts, default=0)),
        **{f"{bar}_as_{bar - 4}": _mean([part[bar - 1] == part[bar - 5] for part in full]) for bar in (5, 6, 7, 8)},
        **{f"a{bar}_as_b{bar}": float(a[bar - 1] == b[bar - 1]) if a and b else NAN for bar in (1, 6, 7, 8)},
        "parts_end_on_tonic": _mean([(pitch - melody.tonic) % _OCTAVE == 0 for pitch in lasts]),
        "odd_bars": _mean([sum(bar.ticks) != bar.whole for part in parts for bar in part[:-1]]),
    }


def _last(bars: Sequence[Bar]) -> int | None:
    return next((pitch for bar in reversed(bars) for pitch in reversed(bar.pitches) if pitch is not None), None)


# ------------------------------------------------------------------------------------------------ melody


def _line(melody: Melody) -> dict[str, float]:
    pitches = [pitch for bar in melody.bars for pitch in bar.pitches if pitch is not None]
    leaps = [abs(after - before) for before, after in pairwise(pitches)]
    degrees = [(pitch - melody.tonic) % _OCTAVE for pitch in pitches]
    firsts = [degree for bar in melody.bars if bar.pitches[0] is not None for degree in _degree(bar, melody)]
    triad = {melody.scale[0], melody.scale[2], melody.scale[4]}
    return {
        "range": float(max(pitches) - min(pitches)),
        "lowest": float(min(pitches) - (MIDDLE_C + melody.tonic)),
        "highest": float(max(pitches) - (MIDDLE_C + melody.tonic)),
        "repeated": _mean([leap == 0 for leap in leaps]),
        "by_step": _mean([1 <= leap <= 2 for leap in leaps]),
        "by_third": _mean([3 <= leap <= 4 for leap in leaps]),
        "by_more": _mean([5 <= leap <= _OCTAVE for leap in leaps]),
        "widest": float(max(leaps, default=0)),
        "off_scale": _mean([degree not in melody.scale for degree in degrees]),
        **{
            f"degree_{number}": _mean([degree == step for degree in degrees])
            for number, step in enumerate(melody.scale, 1)
        },
        "firsts_in_triad": _mean([degree in triad for degree in firsts]),
        "begins_on": float(firsts[0]) if firsts else NAN,
        "ends_on": float(degrees[-1]),
        "before_last": float(pitches[-2] - pitches[-1]) if len(pitches) > 1 else NAN,
    }


def _degree(bar: Bar, melody: Melody) -> Iterator[int]:
    if sum(bar.ticks) >= bar.whole and (pitch := bar.pitches[0]) is not None:
        yield (pitch - melody.tonic) % _OCTAVE


def _rhythm(melody: Melody) -> dict[str, float]:
    counts = [float(len(bar.pitches)) for bar in melody.bars if sum(bar.ticks) >= bar.whole]
    ticks = [length for bar in melody.bars for length in bar.ticks]
    last = melody.bars[-1]
    return {
        "notes_a_bar": _mean(counts),
        "notes_a_bar_deviation": pstdev(counts) if counts else NAN,
        "rests": _mean([pitch is None for bar in melody.bars for pitch in bar.pitches]),
        "lengths": float(len(set(ticks))),
        "last_note": last.ticks[-1] / last.whole,
        "notes_in_last_bar": float(len(last.pitches)),
        "meter": melody.bars[0].whole / WHOLE_NOTE,
        **{name: float(melody.rhythm == name) for name in _RHYTHMS},
    }


_MEASURES: tuple[Callable[[Melody], dict[str, float]], ...] = (_repetition, _form, _line, _rhythm)

_ANY = read("K:C\nC|")
assert _ANY is not None  # noqa: S101
NAMES = tuple(name for measure in _MEASURES for name in measure(_ANY))
"""What each number is."""
