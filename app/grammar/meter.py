"""Metres, unit lengths, note lengths and tuplets, in ticks of a 64th note.

Tables after the ABC standard 2.1 (sections 3.1.6, 3.1.7, 4.3, 4.13), less what abc2midi, music21 or abcjs complain of.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction

TICKS_PER_WHOLE = 64


@dataclass(frozen=True)
class Meter:
    """A time signature; `bar` is the length of its bars in ticks."""

    beats: int
    bar: int

    @classmethod
    def of(cls, beats: int, beat_type: int) -> "Meter":
        return cls(beats, beats * TICKS_PER_WHOLE // beat_type)

    @property
    def is_compound(self) -> bool:
        """Whether its beats group in threes: 6/8, 9/8, 12/8."""
        return self.beats % 3 == 0 and self.beats > 3

    @property
    def has_chord_pattern(self) -> bool:
        """Whether abc2midi knows how to play chord symbols in it; it does not in 3/2."""
        return self != METERS["3/2"]

    @property
    def chord_stroke(self) -> int:
        """Ticks of the strokes of a chord symbol; abc2midi complains of one that a short last bar cuts."""
        return TICKS_PER_WHOLE // (4 if self.beats == 5 else 8)

    @property
    def tuplets(self) -> Mapping[str, int]:
        """For `(p`, how many notes' time the p notes take (section 4.13).

        `(5` in three-time is left out: abc2midi takes it for three notes' time, the others for two.
        """
        five = {} if self.beats % 3 == 0 and not self.is_compound else {"5": 3 if self.is_compound else 2}
        return {"2": 3, "3": 2, "4": 3, **five}


METERS = {
    "4/4": Meter.of(4, 4),
    "6/8": Meter.of(6, 8),
    "3/4": Meter.of(3, 4),
    "2/4": Meter.of(2, 4),
    "C": Meter.of(4, 4),
    "C|": Meter.of(2, 2),
    "2/2": Meter.of(2, 2),
    "3/2": Meter.of(3, 2),
    "9/8": Meter.of(9, 8),
    "12/8": Meter.of(12, 8),
    "3/8": Meter.of(3, 8),
    "5/4": Meter.of(5, 4),
    "7/8": Meter.of(7, 8),
}

SWUNG_METERS = ("2/4", "4/4", "C")
"""Those of hornpipes; abc2midi complains of one in any other."""

UNITS = {f"1/{parts}": TICKS_PER_WHOLE // parts for parts in (8, 16, 4)}
"""Values of `L:`, the most usual first, each with the ticks of a note without a length."""


def default_unit(meter: Meter) -> int:
    """Ticks of the unit length where there is no `L:` (section 3.1.7)."""
    return TICKS_PER_WHOLE // (16 if 4 * meter.bar < 3 * TICKS_PER_WHOLE else 8)


_LONGEST = 2 * TICKS_PER_WHOLE
_DOTTED = (1, 3, 7, 15)  # a plain note, and one with one, two or three dots, in units of their last dot


def is_power_of_two(ticks: int) -> bool:
    return ticks > 0 and ticks & (ticks - 1) == 0


def is_representable(ticks: int) -> bool:
    """Whether one note head, dots included, lasts so long (abcjs: "Duration not representable" otherwise)."""
    if ticks >= TICKS_PER_WHOLE:
        return ticks % (TICKS_PER_WHOLE // 8) == 0 and ticks <= _LONGEST
    return ticks // (ticks & -ticks) in _DOTTED


def lengths(unit: int) -> dict[str, int]:
    """Every way to write a note's length after it, with its ticks.

    Args:
        unit: ticks of a note without a length.
    """
    ticks_of = {
        text: Fraction(unit * numerator, denominator)
        for denominator, slashes in ((1, ("",)), (2, ("/", "/2")), (4, ("//", "/4")))
        for numerator in range(1, 17)
        if numerator % 2 or denominator == 1
        for text in _texts(numerator, slashes)
    }
    return {
        text: int(ticks) for text, ticks in ticks_of.items() if ticks.denominator == 1 and is_representable(int(ticks))
    }


def _texts(numerator: int, slashes: tuple[str, ...]) -> list[str]:
    if numerator == 1:
        return [*slashes, *(f"1{slash}" for slash in slashes if slash != "//")]
    return [f"{numerator}{slash}" for slash in slashes if slash != "//"]
