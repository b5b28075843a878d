"""Which training tune a tune is nearest to, and whether it is its own: `original`, `echoes` or `copies`.

The tune's bars (see `melody`) are looked up in the index of a checkpoint; the nearest training tune is the one with the
longest run of bars in common with it. Where the judgements begin follows from tunes that certainly are no copies: the
449 held-out tunes of the lab's book, O'Neill's and Ryan's, none of them a setting of one of the 2,992 training tunes.
Irish tunes share their small change: 96 % of those have a bar that stands in a training tune, 31 % a run of two bars or
more, 3 % three or more; 0.4 % (2 tunes) have four or five, none more. So a run of four bars, a phrase, is no accident,
and eight, a part, or more than half of the tune (of which four bars at least) is somebody else's tune.
"""

from dataclasses import dataclass
from enum import StrEnum

import numpy as np
from numpy.typing import NDArray

from app.melody import MelodyBar, melody
from app.notation import header_fields
from app.reader import Reader
from model_store.tune_index import TuneIndex

ECHOES_FROM = 4
"""Bars in a run: a phrase."""

COPIES_FROM = 8
"""Bars in a run: a part; or ECHOES_FROM that are more than half of the tune."""

LEAST_BARS = 4
"""A tune with fewer is not judged: it could not even echo."""


class Judgement(StrEnum):
    ORIGINAL = "original"
    ECHOES = "echoes"  # a phrase of it stands in a training tune
    COPIES = "copies"  # a part of it does, or the better half of it

    @property
    def severity(self) -> int:
        """0 for an original, more for less."""
        return list(Judgement).index(self)


@dataclass(frozen=True)
class Nearest:
    """The training tune that a tune has the longest run in common with; `bars` are the numbers of the run's bars."""

    title: str | None
    corpus: str
    abc: str
    bars: tuple[int, ...]


@dataclass(frozen=True)
class Originality:
    """What a tune has in common with the training tunes; `bars` are the numbers of the bars in the tune itself."""

    judgement: Judgement
    bars: tuple[int, ...]
    nearest: Nearest | None


@dataclass(frozen=True)
class _Run:
    """Bars in common: where they end in the tune and in the index, how many there are, and the training tune."""

    place: int
    position: int
    length: int
    tune: int


def originality(abc: str, index: TuneIndex) -> Originality | None:
    """The judgement on one tune; None where it has too few bars to be judged."""
    bars = melody(Reader(abc).score)
    if len(bars) < LEAST_BARS:
        return None
    run = _longest_run(bars, index)
    if run is None:
        return Originality(Judgement.ORIGINAL, (), None)
    there = index.abc(run.tune)
    nearest = Nearest(
        title=header_fields(there).get("T"),
        corpus=index.book(run.tune),
        abc=there,
        bars=tuple(index.numbers[run.position - run.length + 1 : run.position + 1].tolist()),
    )
    here = tuple(bar.number for bar in bars[run.place - run.length + 1 : run.place + 1])
    return Originality(judge(run.length, len(bars)), here, nearest)


def judge(shared: int, bars: int) -> Judgement:
    """The judgement on a tune of so many bars with so many of them, in a run, in common with a training tune."""
    if shared >= COPIES_FROM or (shared >= ECHOES_FROM and 2 * shared > bars):
        return Judgement.COPIES
    return Judgement.ECHOES if shared >= ECHOES_FROM else Judgement.ORIGINAL


def _longest_run(bars: list[MelodyBar], index: TuneIndex) -> _Run | None:
    """The longest run that stands in one training tune; of equal ones, that of the tune with most bars in common.

    Each bar's positions in the index are held against those of the bar before it, so that a run grows bar by bar.
    """
    found = [index.positions(bar.shape) for bar in bars]
    before = lengths_before = np.empty(0, np.int32)
    longest, ends = 1, list[tuple[int, NDArray[np.int32]]]()  # the places and positions where the longest runs end
    for place, positions in enumerate(found):
        lengths = np.ones(len(positions), np.int32)
        if len(before) and len(positions):
            rise = bars[place].high - bars[place - 1].high
            at = np.minimum(np.searchsorted(before, positions - 1), len(before) - 1)
            goes_on = (before[at] == positions - 1) & (index.rises[positions] == rise)
            lengths += np.where(goes_on, lengths_before[at], 0)
        if (most := int(lengths.max(initial=0))) > longest:
            longest, ends = most, []
        ends.append((place, positions[lengths == longest]))
        before, lengths_before = positions, lengths
    places = np.concatenate([np.full(len(positions), place) for place, positions in ends])
    positions = np.concatenate([positions for _, positions in ends])
    if not len(positions):
        return None
    tunes = index.tunes_of(positions)
    best = int(_bars_in_common(found, index)[tunes].argmax())
    return _Run(int(places[best]), int(positions[best]), longest, int(tunes[best]))


def _bars_in_common(found: list[NDArray[np.int32]], index: TuneIndex) -> NDArray[np.intp]:
    """For each training tune, how many bars of the tune stand anywhere in it, [T]."""
    tunes = [np.unique(index.tunes_of(positions)) for positions in found]
    return np.bincount(np.concatenate(tunes), minlength=len(index))
