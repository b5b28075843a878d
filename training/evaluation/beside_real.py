"""Drawn tunes beside held-out real ones: each measure by rhythm, how varied they are, and how well they are told apart.

Real against real is held beside every figure: halves of the held-out tunes for a measure, other real tunes of the same
books for a classifier.
"""

from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from training.evaluation import measures, music, two_sample, verdict
from training.evaluation.measures import MEASURES, OTHERS, RHYTHMS
from training.evaluation.music import Music, plain
from training.evaluation.two_sample import Auc, Tune
from training.evaluation.verdict import LEAST, Values, Verdict

ALL = "all"
GROUPS = (ALL, *RHYTHMS, OTHERS)

_QUANTILES = (0.1, 0.5, 0.9)
_ERRORS = 1.96  # a 95 % interval
_SAMPLES = 200


@dataclass(frozen=True)
class Summary:
    """A measure's values: how many tunes have one, their mean, and what 10, 50 and 90 % of them do not exceed."""

    tunes: int
    mean: float
    quantiles: tuple[float, float, float]

    @classmethod
    def of(cls, values: Values) -> Self | None:
        """None for no values."""
        if not len(values):
            return None
        low, middle, high = np.quantile(values, _QUANTILES).tolist()
        return cls(len(values), float(values.mean()), (low, middle, high))


@dataclass(frozen=True)
class Row:
    """One measure of real and of drawn tunes, and the verdict; distances are None where there are too few to say."""

    name: str
    real: Summary | None
    drawn: Summary | None
    distance: float | None
    between_halves: float | None
    verdict: Verdict

    @classmethod
    def from_json(cls, values: dict[str, Any]) -> Self:
        """The inverse of `asdict`."""
        real, drawn = (
            Summary(each["tunes"], each["mean"], tuple(each["quantiles"])) if each else None
            for each in (values["real"], values["drawn"])
        )
        distances = values["distance"], values["between_halves"]
        return cls(values["name"], real, drawn, *distances, Verdict(values["verdict"]))


@dataclass(frozen=True)
class Variety:
    """The share of different ones among as many tunes on both sides; `between_halves` as with measures."""

    name: str
    real: float
    drawn: float
    between_halves: float
    verdict: Verdict


@dataclass(frozen=True)
class Test:
    """How well a classifier tells drawn tunes from real ones, and beside it real ones from others."""

    classifier: str
    drawn: Auc
    real: Auc
    verdict: Verdict


@dataclass(frozen=True)
class BesideReal:
    """All that is told of drawn tunes beside real ones; `rows` by rhythm, those of all tunes first."""

    real: int
    drawn: int
    tests: list[Test]
    rows: dict[str, list[Row]]
    varieties: list[Variety]

    @classmethod
    def from_json(cls, values: dict[str, Any]) -> Self:
        """The inverse of `asdict`."""
        return cls(
            values["real"],
            values["drawn"],
            [
                Test(each["classifier"], Auc(**each["drawn"]), Auc(**each["real"]), Verdict(each["verdict"]))
                for each in values["tests"]
            ],
            {group: [Row.from_json(row) for row in rows] for group, rows in values["rows"].items()},
            [Variety(**each | {"verdict": Verdict(each["verdict"])}) for each in values["varieties"]],
        )

    def row(self, name: str, group: str = ALL) -> Row:
        """That of a measure."""
        return next(row for row in self.rows[group] if row.name == name)


class RealSide:
    """Held-out tunes, read and measured once for all that is held beside them."""

    def __init__(self, held_out: Sequence[str], others: Sequence[str]) -> None:
        """
        Args:
            held_out: what drawn tunes are compared with.
            others: real tunes of the same books that are of other families; as many are picked, from all over them.
        """
        self.tunes = understood(held_out)
        self.others = understood(evenly(others, len(held_out)))
        self._floor = two_sample.tell_apart(self.tunes, self.others)
        self._values = measures.table([tune.music for tune in self.tunes])

    def beside(self, drawn: Sequence[str]) -> BesideReal | None:
        """What is told of some tunes; None where none of them, or no real one, is understood."""
        tunes = understood(drawn)
        if not tunes or not self.tunes:
            return None
        values = measures.table([tune.music for tune in tunes])
        real_groups, drawn_groups = _groups(self.tunes), _groups(tunes)
        rows = {
            group: [
                _row(measure.name, self._values[real_groups[group], column], values[drawn_groups[group], column])
                for column, measure in enumerate(MEASURES)
            ]
            for group in GROUPS
        }
        return BesideReal(len(self.tunes), len(tunes), self._tests(tunes), rows, self._varieties(tunes))

    def _tests(self, tunes: Sequence[Tune]) -> list[Test]:
        found = two_sample.tell_apart(self.tunes, tunes)
        if not found or not self._floor:
            return []
        return [_test(name, found[name], self._floor[name]) for name in two_sample.CLASSIFIERS]

    def _varieties(self, tunes: Sequence[Tune]) -> list[Variety]:
        found = (_variety(name, of, self.tunes, tunes) for name, of in VARIETIES.items())
        return [variety for variety in found if variety]


def understood(tunes: Sequence[str]) -> list[Tune]:
    """Those that can be read, and have notes."""
    read = ((tune, music.read(tune)) for tune in tunes)
    return [Tune(tune, found) for tune, found in read if found and found.sounds]


def common_rhythm(tunes: Sequence[str]) -> str | None:
    """The rhythm of all these tunes, if it is one that is told of by itself."""
    rhythms = {measures.rhythm_of(tune.music) for tune in understood(tunes)}
    return next(iter(rhythms)) if len(rhythms) == 1 and rhythms < set(RHYTHMS) else None


def of_rhythm(tunes: Sequence[str], rhythm: str) -> list[str]:
    """Those of a rhythm among tunes in plain ABC."""
    return [tune for tune in tunes if f"\nR:{rhythm}\n" in tune]


def evenly(tunes: Sequence[str], count: int) -> list[str]:
    """So many of the tunes, from all over them; all where they are no more."""
    return [tunes[number * len(tunes) // count] for number in range(count)] if count < len(tunes) else list(tunes)


def _groups(tunes: Sequence[Tune]) -> dict[str, NDArray[np.bool_]]:
    """Which tunes are of each group."""
    rhythms = np.array([measures.rhythm_of(tune.music) for tune in tunes])
    return {group: (rhythms == group) | (group == ALL) for group in GROUPS}


def _row(name: str, real: Values, drawn: Values) -> Row:
    real, drawn = real[~np.isnan(real)], drawn[~np.isnan(drawn)]
    summaries = Summary.of(real), Summary.of(drawn)
    if min(len(real), len(drawn)) < LEAST:
        return Row(name, *summaries, None, None, Verdict.TOO_FEW)
    distance, halves = verdict.distance(real, drawn), verdict.between_halves(real)
    return Row(name, *summaries, distance, halves, verdict.judge(distance, halves))


def _test(classifier: str, drawn: Auc, real: Auc) -> Test:
    """Judged by how far an AUC is from a coin's, beside the most that real tunes' may well be."""
    floor = max(real.auc, 0.5) + _ERRORS * real.error
    return Test(classifier, drawn, real, verdict.judge(drawn.auc - 0.5, floor - 0.5))


# ------------------------------------------------------------------------------------------------ variety


def _first_bar(tune: Music) -> Hashable:
    bars = tune.whole_bars
    return plain(bars[0]) if bars else ()


def _plan(tune: Music) -> Hashable:
    """Its bars as letters, equal bars by equal letters."""
    seen: dict[Hashable, int] = {}
    return tuple(seen.setdefault(plain(bar), len(seen)) for bar in tune.bars)


VARIETIES: dict[str, Callable[[Music], Hashable]] = {"different first bars": _first_bar, "different plans": _plan}


def _variety(name: str, of: Callable[[Music], Hashable], real: Sequence[Tune], drawn: Sequence[Tune]) -> Variety | None:
    """Of samples of half as many tunes as there are on the shorter side; None where that is too few."""
    size = min(len(real), len(drawn)) // 2
    if size < LEAST:
        return None
    numbered: dict[Hashable, int] = {}
    kinds = [np.array([numbered.setdefault(of(tune.music), len(numbered)) for tune in side]) for side in (real, drawn)]
    generator = np.random.default_rng(1)
    shuffled = [[generator.permutation(side) for _ in range(_SAMPLES)] for side in kinds]
    shares = [[len(set(each[:size].tolist())) / size for each in side] for side in shuffled]
    others = [len(set(each[size : 2 * size].tolist())) / size for each in shuffled[0]]
    halves = float(np.quantile(np.abs(np.subtract(shares[0], others)), 0.95))
    means = float(np.mean(shares[0])), float(np.mean(shares[1]))
    return Variety(name, *means, halves, verdict.judge(abs(means[0] - means[1]), halves))
