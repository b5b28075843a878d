"""Says how far a number of drawn tunes is from that of real ones, by how far two halves of the real ones lie apart."""

from enum import StrEnum

import numpy as np
from numpy.typing import NDArray

Values = NDArray[np.float64]

LEAST = 10
"""Tunes on either side, below which nothing is said."""

_HALVINGS = 400
_CERTAIN = 0.95
_NEAR = 2.0  # times as far as halves of the real tunes


class Verdict(StrEnum):
    """`AS_REAL`: no further from real tunes than 95 % of their halves are from each other; `NEAR`: than twice that."""

    AS_REAL = "as real"
    NEAR = "near"
    FAR = "far"
    TOO_FEW = "too few"


def judge(distance: float, between_halves: float) -> Verdict:
    """The verdict on a distance, beside that of halves."""
    if distance <= between_halves:
        return Verdict.AS_REAL
    return Verdict.NEAR if distance <= _NEAR * between_halves else Verdict.FAR


def distance(one: Values, other: Values) -> float:
    """Kolmogorov and Smirnov's: the most that the shares of values up to some point differ by; 0 to 1."""
    one, other = np.sort(one), np.sort(other)
    points = np.concatenate([one, other])
    shares = [np.searchsorted(values, points, side="right") / len(values) for values in (one, other)]
    return float(np.abs(shares[0] - shares[1]).max())


def between_halves(real: Values) -> float:
    """The distance that 95 % of random halves of the real values keep to each other.

    What none of n real tunes does may still be done by 3 in n of all (95 %, the rule of three): it is no less.
    """
    generator = np.random.default_rng(1)
    half = len(real) // 2
    found = []
    for _ in range(_HALVINGS):
        shuffled = generator.permutation(real)
        found.append(distance(shuffled[:half], shuffled[half:]))
    return max(float(np.quantile(found, _CERTAIN)), 3 / len(real))
