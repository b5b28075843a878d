"""Finds settings of the same tune by their melody, independent of key, unit length and bar lines.

A tune's contour is the note that sounds on each beat (two to a bar of 6/8, four to one of 2/4 or 4/4), in diatonic
steps from beat to beat: so transposition, mode, ornaments, broken rhythm and `2/4` in sixteenths for `4/4` in eighths
make no difference. Its phrases are the runs of five steps. Two tunes are alike if they share at least eight phrases and
three in ten of those of the tune that has fewer. Measured on the pairs of one title in the lab's book, O'Neill's and
Ryan's, that finds two in three; the others are for the most part different tunes of one name.
"""

from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from fractions import Fraction
from functools import lru_cache
from itertools import combinations, pairwise

from app.abc.plain import length_of
from training.dialect import dialect
from training.dialect.reader import Mark, Score
from training.errors import DialectError

STEPS = 5
MIN_SHARED = 8
MIN_SHARE = 0.3
COMMON = 40
"""A phrase of more tunes than that says nothing of any of them."""

Phrase = tuple[int, ...]
Phrases = frozenset[Phrase]

_BEATS = {"2/4": 4, "4/4": 4, "2/2": 4, "3/4": 3, "6/8": 2, "9/8": 3, "12/8": 4, "3/8": 1, "3/2": 6}


@lru_cache(maxsize=8192)
def phrases(tune: str) -> Phrases:
    """A tune's phrases; none if its notes cannot be made out."""
    try:
        head, score = dialect.read(tune)
    except DialectError:
        return frozenset()
    contour = list(_contour(score, head.meter))
    steps = [after - before for before, after in pairwise(contour)]
    runs = (tuple(steps[begin : begin + STEPS]) for begin in range(len(steps) - STEPS + 1))
    return frozenset(run for run in runs if sum(map(bool, run)) >= STEPS // 2)  # a held note is no phrase


def _contour(score: Score, meter: str) -> Iterator[int]:
    """The highest note on each beat, in diatonic steps; a pickup lies at the end of its bar."""
    bar_length = Fraction(meter)
    beats = _BEATS.get(meter, 4)
    step: int | None = None
    mark = Mark(double=True)
    for bar, mark_after in score.bars:
        time = bar_length - length_of(bar) if mark != Mark() else Fraction(0)
        due = -(-time * beats // bar_length)  # the next beat
        for note in bar:
            step = max((pitch.place for pitch in note.pitches), default=step)
            time += note.length
            while due * bar_length < time * beats:
                if step is not None:
                    yield step
                due += 1
        mark = mark_after


def is_alike(one: Phrases, other: Phrases) -> bool:
    shared = len(one & other)
    return shared >= MIN_SHARED and shared >= MIN_SHARE * min(len(one), len(other))


def alike_pairs(of_tunes: Sequence[Phrases], kin: Sequence[str]) -> Iterator[tuple[int, int]]:
    """The pairs of tunes that are alike, as indices in ascending order.

    Args:
        kin: for each tune, the word that it has in common with its known settings; one of them stands for all where a
            phrase is looked up.
    """
    tunes_with: dict[Phrase, dict[str, int]] = defaultdict(dict)
    for index, found in enumerate(of_tunes):
        for phrase in found:
            tunes_with[phrase].setdefault(kin[index], index)
    shared: Counter[tuple[int, int]] = Counter()
    for bearers in tunes_with.values():
        if len(bearers) <= COMMON:
            shared.update(combinations(sorted(bearers.values()), 2))
    return (pair for pair in sorted(shared) if is_alike(of_tunes[pair[0]], of_tunes[pair[1]]))
