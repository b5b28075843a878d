"""The metres, unit lengths and note lengths that the grammar writes, in whole ticks, 64 to a whole note.

What the notation says of any metre, in fractions of a whole note, is in `app.abc.meters`; that a bar is as long as its
metre is held by `app.grammar.body`.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction

from app.abc import meters, written_subset

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
    def has_chord_pattern(self) -> bool:
        """Whether abc2midi knows how to play chord symbols in it; it does not in 3/2."""
        return self != METERS["3/2"]

    @property
    def chord_stroke(self) -> int:
        """Ticks of the strokes of a chord symbol; abc2midi complains of one that a short last bar cuts."""
        return TICKS_PER_WHOLE // (4 if self.beats == 5 else 8)

    @property
    def tuplets(self) -> Mapping[str, int]:
        """For `(p`, how many notes' time the p notes take."""
        return {str(notes): time for notes, time in written_subset.tuplet_times(self.beats).items()}

    @property
    def default_unit(self) -> int:
        """Ticks of a note without a length where there is no `L:`."""
        return in_ticks(meters.default_unit(Fraction(self.bar, TICKS_PER_WHOLE)))


def in_ticks(length: Fraction) -> int:
    """A length in whole notes, as ticks."""
    return int(length * TICKS_PER_WHOLE)


def _meter(name: str) -> Meter:
    beats, beat_type = meters.METER_SIGNS.get(name) or map(int, name.split("/"))
    return Meter.of(beats, beat_type)


METERS = {name: _meter(name) for name in written_subset.METERS}
"""Values of `M:`."""

UNITS = {str(unit): in_ticks(unit) for unit in written_subset.UNIT_LENGTHS}
"""Values of `L:`, each with the ticks of a note without a length."""


def lengths(unit: int) -> dict[str, int]:
    """Every way to write a note's length after it, with its ticks.

    Args:
        unit: ticks of a note without a length.
    """
    ticks_of = {
        text: Fraction(unit * numerator, denominator)
        for denominator, slashes in _SLASHES.items()
        for numerator in range(1, written_subset.MAX_LENGTH_NUMERATOR + 1)
        if numerator % 2 or denominator == 1
        for text in _texts(numerator, slashes)
    }
    return {
        text: int(ticks)
        for text, ticks in ticks_of.items()
        if ticks.denominator == 1 and written_subset.is_representable(ticks / TICKS_PER_WHOLE)
    }


_SLASHES = {1: ("",), 2: ("/", "/2"), written_subset.MAX_LENGTH_DENOMINATOR: ("//", "/4")}
"""How a length's denominator may be written; `//` stands for a quarter by itself alone."""


def _texts(numerator: int, slashes: tuple[str, ...]) -> list[str]:
    if numerator == 1:
        return [*slashes, *(f"1{slash}" for slash in slashes if slash != "//")]
    return [f"{numerator}{slash}" for slash in slashes if slash != "//"]
