"""Metres and what follows from them: the default unit length, compound beats, the time of a tuplet.

ABC standard 2.1, sections 3.1.6 (metre), 3.1.7 (unit length) and 4.13 (tuplets).
"""

from dataclasses import dataclass
from fractions import Fraction

METER_SIGNS = {"C": (4, 4), "C|": (2, 2)}
"""Metres that are written as a sign, each with the beats of a bar and the part of a whole note that each is."""

_SHORT_BAR = Fraction(3, 4)
_TUPLET_TIMES = {2: 3, 3: 2, 4: 3, 6: 2, 8: 3}


@dataclass(frozen=True)
class Meter:
    """A time signature; `beats` is None where there is none (`M:none`)."""

    beats: int | None = 4
    unit: int = 4
    sign: str | None = None
    """one of `METER_SIGNS`, where it is written so"""

    @property
    def length(self) -> Fraction | None:
        """A bar, in whole notes."""
        return None if self.beats is None else Fraction(self.beats, self.unit)

    @property
    def is_compound(self) -> bool:
        """Whether its beats group in threes: 6/8, 9/8, 12/8."""
        return self.beats is not None and groups_in_threes(self.beats) and self.unit >= 8

    @property
    def beat(self) -> Fraction:
        """How long a beat is, in whole notes: in compound metres three units, as the dotted quarter of 6/8."""
        return Fraction(3 if self.is_compound else 1, self.unit)


def default_unit(bar: Fraction | None) -> Fraction:
    """The unit length of a tune without `L:`, in whole notes: 1/16 where a bar is shorter than 3/4, else 1/8.

    Args:
        bar: how long a bar is, in whole notes; None where there is no metre.
    """
    return Fraction(1, 16) if bar is not None and bar < _SHORT_BAR else Fraction(1, 8)


def groups_in_threes(beats: int) -> bool:
    """Whether the beats of a metre group in threes, as in 6/8, 9/8 and 12/8."""
    return beats > 3 and beats % 3 == 0


def tuplet_time(notes: int, *, is_compound: bool) -> int:
    """In the time of how many notes a tuplet of so many is played, where it does not say.

    Args:
        notes: of the tuplet; 5, 7 and 9 depend on the metre.
        is_compound: whether the metre's beats group in threes.
    """
    return _TUPLET_TIMES.get(notes, 3 if is_compound else 2)
