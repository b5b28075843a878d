"""Which notes of a bar stand close together, as beamed notes do, where nothing says so: those of one beat."""

from collections.abc import Collection
from fractions import Fraction

from app.abc.meters import Meter
from app.abc.score import Chord

_QUARTER, _HALF = Fraction(1, 4), Fraction(1, 2)
_IN_HALVES = ((4, 4), (2, 2))


def join_by_beats(
    chords: list[Chord], meter: Meter, offset: Fraction = Fraction(0), which: Collection[int] | None = None
) -> None:
    """Join each chord to the next unless a beat ends with it; in 4/4 half a bar is one, in compound metres three units.

    Args:
        offset: where in the metre the first begins, in whole notes: past nought in a pickup.
        which: the places of those to look at; all if None.
    """
    group = _group(meter)
    at = offset
    for index, chord in enumerate(chords):
        at += chord.length
        if which is None or index in which:
            chord.joins_next = (at / group).denominator != 1


def _group(meter: Meter) -> Fraction:
    if meter.is_compound:
        return meter.beat
    return _HALF if (meter.beats, meter.unit) in _IN_HALVES else _QUARTER
