"""Finds the longest runs that a tune shares with the tunes that a model learnt from, whatever key they are in.

In notes: the same intervals and lengths, wherever in a bar they begin. In bars: as the service judges, see
`app.generation.originality`.
"""

from bisect import bisect_right
from dataclasses import dataclass
from fractions import Fraction
from itertools import pairwise
from statistics import median

from app.abc.tunebook import header_fields
from app.generation.originality import Judgement, originality
from model_store.tune_index import TuneIndex
from training.evaluation import music
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
    """A tune's longest run in notes, with the title of a tune that has it, and the longest in bars, maybe another.

    `judgement` is None for a tune that is too short to be judged.
    """

    notes: int
    source: str | None
    bars: int
    judgement: str | None


@dataclass(frozen=True)
class Copying:
    """The longest runs of a list of tunes."""

    tunes: int
    median_notes: float
    max_notes: int
    share_by_bars: dict[str, float]  # of tunes with a run of that many bars or more
    judgements: dict[str, float]  # shares of tunes


class Learnt:
    """The tunes that a model learnt from, as an index of bars and as one text of steps."""

    def __init__(self, index: TuneIndex) -> None:
        self._index = index
        self._code: dict[Step, str] = {}
        self._begins: list[int] = []
        pieces: list[str] = []
        length = 0
        for number in range(len(index)):
            steps = _steps(music.read(index.abc(number)))
            piece = "".join(self._code.setdefault(step, _character(len(self._code))) for step in steps)
            self._begins.append(length)
            pieces.append(piece)
            length += len(piece) + len(_BETWEEN)
        self._text = _BETWEEN.join(pieces)

    def longest_run(self, tune: str) -> Run:
        """What a tune has in common with them."""
        found = originality(tune, self._index)
        line = "".join(self._code.get(step, _NEVER) for step in _steps(music.read(tune)))
        begin, longest = 0, ""
        for end in range(1, len(line) + 1):
            while begin < end and line[begin:end] not in self._text:
                begin += 1
            if end - begin > len(longest):
                longest = line[begin:end]
        return Run(
            notes=len(longest) + 1 if longest else 0,
            source=self._title(longest) if longest else None,
            bars=len(found.bars) if found else 0,
            judgement=str(found.judgement) if found else None,
        )

    def _title(self, steps: str) -> str | None:
        """That of the first tune in which the steps stand."""
        number = bisect_right(self._begins, self._text.find(steps)) - 1
        return header_fields(self._index.abc(number)).get("T")


def describe(runs: list[Run]) -> Copying:
    return Copying(
        tunes=len(runs),
        median_notes=median(run.notes for run in runs),
        max_notes=max(run.notes for run in runs),
        share_by_bars={str(bars): sum(run.bars >= bars for run in runs) / len(runs) for bars in RUNS},
        judgements={str(each): sum(run.judgement == each for run in runs) / len(runs) for each in Judgement},
    )


def _character(number: int) -> str:
    point = _FIRST + number
    return chr(point if point < _SURROGATES else point - _SURROGATES + _PAST)


def _steps(music: Music | None) -> list[Step]:
    pairs = pairwise(music.sounds if music else ())
    return [(after.midi - before.midi, before.length, after.length) for before, after in pairs]
