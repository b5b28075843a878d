"""Which training tune a tune is nearest to, and whether it is its own: `original`, `echoes` or `copies`.

The tune's bars (see `app.abc.fingerprint`) are looked up in the index of a checkpoint; the nearest training tune is the
one with the longest run of bars in common with it. Where the judgements begin follows from tunes that certainly are no
copies: the 449 held-out tunes of the lab's book, O'Neill's and Ryan's, none of them a setting of one of the 2,992
training tunes. Irish tunes share their small change: 96 % of those have a bar that stands in a training tune, 30 % a
run of two bars or more, 3 % three or more; 0.4 % (2 tunes) have four or five, none more. So a run of four bars, a
phrase, is no accident, and eight, a part, or more than half of the tune (of which four bars at least) is somebody
else's tune.
"""

from dataclasses import dataclass
from enum import StrEnum

import numpy as np

from app.abc.fingerprint import MelodyBar, melody
from app.abc.tunebook import header_fields
from model_store.tune_index import TuneIndex

ECHOES_FROM = 4
"""Bars in a run: a phrase."""

COPIES_FROM = 8
"""Bars in a run: a part; or ECHOES_FROM that are more than half of the tune."""

MIN_BARS = 4
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
    bars = melody(abc)
    if len(bars) < MIN_BARS:
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
    """The judgement on a tune, by its number of bars and the longest run of them that a training tune has too."""
    if shared >= COPIES_FROM or (shared >= ECHOES_FROM and 2 * shared > bars):
        return Judgement.COPIES
    return Judgement.ECHOES if shared >= ECHOES_FROM else Judgement.ORIGINAL


def _longest_run(bars: list[MelodyBar], index: TuneIndex) -> _Run | None:
    """The longest run that stands in one training tune; of equal ones, that of the tune with most bars in common.

    Bars in common are sorted by how much further on they stand in the index than in the tune, so that those of a run
    follow one another.
    """
    places, positions = index.find([bar.shape for bar in bars])  # [H] each
    if not len(places):
        return None
    tunes = index.tunes[positions]
    stands_in = places * len(index) + tunes
    in_common = np.bincount(tunes[np.diff(stands_in, prepend=-1) > 0], minlength=len(index))  # bars, by tune
    rises = np.diff([bar.high for bar in bars], prepend=0)
    diagonals = (positions - places) * (len(bars) + 1) + places
    order = np.argsort(diagonals)
    goes_on = np.diff(diagonals[order], prepend=diagonals[order[:1]]) == 1
    goes_on &= index.rises[positions[order]] == rises[places[order]]
    begins = np.flatnonzero(~goes_on)
    lengths = np.diff(begins, append=len(order))
    longest = int(lengths.max())
    ends = order[(begins + lengths - 1)[lengths == longest]]
    best = ends[np.lexsort((ends, -in_common[tunes[ends]]))[0]]
    return _Run(int(places[best]), int(positions[best]), longest, int(tunes[best]))
