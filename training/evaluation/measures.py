"""The plain numbers of a tune that a listener would notice: what comes again, its parts, endings, range and intervals.

Bars are those that are written, repeats unplayed, and a pickup is a bar of its own. Where a number has no meaning for a
tune (bar 5 of a part of four) it is None.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import pairwise
from statistics import mean

import numpy as np
from numpy.typing import NDArray

from app.abc.plain import Bar, length_of
from training.evaluation.music import Music, plain

RHYTHMS = ("jig", "reel", "hornpipe")
OTHERS = "others"

PART = 8
"""Bars of the part that dance tunes have."""


@dataclass(frozen=True)
class Measure:
    """One number of a tune; a share is told in percent, others as they are."""

    name: str
    of: Callable[[Music], float | None]
    is_share: bool = True


def _comes_again(music: Music) -> float | None:
    bars = [plain(bar) for bar in music.bars]
    return mean(bar in bars[:number] for number, bar in enumerate(bars)) if bars else None


def _as_before(music: Music, lag: int) -> float | None:
    """Bars equal to the one so many back, of those that have one so far back."""
    bars = [plain(bar) for bar in music.bars]
    return mean(bar == bars[number] for number, bar in enumerate(bars[lag:])) if len(bars) > lag else None


def _as_part_before(music: Music) -> float | None:
    """Bars equal to the one a part of eight back, which is nine where a pickup stands between them."""
    bars = [plain(bar) for bar in music.bars]
    is_short = [length_of(bar) < music.bar_length for bar in music.bars]
    found = [
        bar in (bars[at - PART], bars[at - PART - 1] if at > PART and any(is_short[at - PART : at]) else None)
        for at, bar in enumerate(bars)
        if at >= PART
    ]
    return mean(found) if found else None


def _rhythm_as_before(music: Music, lag: int) -> float | None:
    bars = [[note.length for note in bar] for bar in music.bars]
    return mean(bar == bars[number] for number, bar in enumerate(bars[lag:])) if len(bars) > lag else None


def _different(music: Music) -> float | None:
    bars = [plain(bar) for bar in music.whole_bars]
    return len(set(bars)) / len(bars) if bars else None


def _are_equal(bars: Sequence[Bar], one: int, other: int) -> bool:
    return plain(bars[one - 1]) == plain(bars[other - 1])


def _equal_in_parts(music: Music, one: int, other: int) -> float | None:
    found = [_are_equal(bars, one, other) for bars in music.sections if len(bars) >= PART]
    return mean(found) if found else None


def _rhyme(music: Music) -> float | None:
    """Whether the last bar but one of the first two parts is the same."""
    a, b = music.sections[:2] if len(music.sections) > 1 else ((), ())
    return float(plain(a[PART - 2]) == plain(b[PART - 2])) if min(len(a), len(b)) >= PART else None


def _parts_of(music: Music, bars: int) -> float | None:
    return mean(count == bars for count in music.parts) if music.parts else None


def _parts(music: Music) -> float | None:
    return len(music.parts) or None


def _ends_at_home(music: Music) -> float | None:
    return float((music.sounds[-1].midi - music.tonic) % 12 == 0) if music.sounds else None


def _range(music: Music) -> float | None:
    steps = [sound.place for sound in music.sounds]
    return max(steps) - min(steps) if steps else None


def _intervals(music: Music, least: int, most: int) -> float | None:
    """Intervals from so many steps to so many, up or down."""
    sizes = [abs(after.place - before.place) for before, after in pairwise(music.sounds)]
    return mean(least <= size <= most for size in sizes) if sizes else None


def _accidentals(music: Music) -> float | None:
    return 100 * mean(sound.is_altered for sound in music.sounds) if music.sounds else None


def _notes_a_bar(music: Music) -> float | None:
    counts = [sum(bool(note.pitches) for note in bar) for bar in music.whole_bars]
    return mean(counts) if counts else None


MEASURES = (
    Measure("bars that come again", _comes_again),
    *(Measure(f"bars equal to the one {lag} back", partial(_as_before, lag=lag)) for lag in (1, 2, 4)),
    Measure(f"bars equal to the one {PART} back", _as_part_before),
    Measure("bars with the rhythm of the one 4 back", partial(_rhythm_as_before, lag=4)),
    Measure("bar 1 = bar 5", partial(_equal_in_parts, one=1, other=5)),
    Measure("bar 2 = bar 6", partial(_equal_in_parts, one=2, other=6)),
    Measure("bar 7 of A = bar 7 of B", _rhyme),
    Measure("different bars of all", _different),
    Measure("parts of 8 bars", partial(_parts_of, bars=8)),
    Measure("parts of 4 bars", partial(_parts_of, bars=4)),
    Measure("parts", _parts, is_share=False),
    Measure("bars as written", lambda music: float(len(music.bars)), is_share=False),
    Measure("last note is the tonic", _ends_at_home),
    Measure("range, steps of the scale", _range, is_share=False),
    Measure("note repeated", partial(_intervals, least=0, most=0)),
    Measure("by step", partial(_intervals, least=1, most=1)),
    Measure("by third", partial(_intervals, least=2, most=2)),
    Measure("by fourth to octave", partial(_intervals, least=3, most=7)),
    Measure("accidentals in 100 notes", _accidentals, is_share=False),
    Measure("notes a bar", _notes_a_bar, is_share=False),
)


def table(tunes: Sequence[Music]) -> NDArray[np.float64]:
    """The measures of tunes, [tunes, measures]; NaN where one has no meaning."""
    rows = [[np.nan if (value := measure.of(tune)) is None else value for measure in MEASURES] for tune in tunes]
    return np.array(rows, np.float64).reshape(len(tunes), len(MEASURES))


def rhythm_of(music: Music) -> str:
    """The rhythm that a tune is told with."""
    return music.rhythm if music.rhythm in RHYTHMS else OTHERS
