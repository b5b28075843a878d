"""The subset of ABC that Lilt writes: what abc2midi, music21 and abcjs all accept without a warning.

The grammar generates nothing else, and tunebooks are translated into nothing else. Measured on abc2midi 4.84, music21
10.5.1 and abcjs 6.7.2, each construct in a tune of four bars or more; where the ABC standard 2.1 allows more than one
of them takes, the rule is theirs. `tests/judges.py` asks them.
"""

from fractions import Fraction

from app.abc.keys import LOCRIAN, MODES
from app.abc.lengths import is_note_value
from app.abc.meters import groups_in_threes, tuplet_time

FIELD_ORDER = "XTRMLK"
"""The fields of a header, in their order."""

MAX_TITLE_CHARACTERS = 60
MAX_RHYTHM_CHARACTERS = 20

MAX_KEY_ACCIDENTALS = 7
"""In a signature; of more abc2midi says "Unusual key"."""

WRITTEN_MODES = {name: mode for name, mode in MODES.items() if mode is not LOCRIAN}
"""Locrian is read, but no tune of the books is in it."""

METERS = ("4/4", "6/8", "3/4", "2/4", "C", "C|", "2/2", "3/2", "9/8", "12/8", "3/8", "5/4", "7/8")
"""The usual ones first."""

HORNPIPE_METERS = ("2/4", "4/4", "C")
"""In any other abc2midi calls a hornpipe an error."""

UNIT_LENGTHS = (Fraction(1, 8), Fraction(1, 16), Fraction(1, 4))
"""Of a whole note, the usual ones first."""

MAX_LENGTH_NUMERATOR, MAX_LENGTH_DENOMINATOR = 16, 4
"""Of a note's length in units; not all of those lengths are representable."""

MAX_GRACE_NOTES = 4
"""In one pair of braces."""

_MAX_DOTS = 3
_LONGEST = Fraction(2)
_STEP_OF_LONG_NOTES = Fraction(1, 8)


def is_representable(length: Fraction) -> bool:
    """Whether a note is written that lasts so long, in whole notes.

    Below a whole note abcjs says "Duration not representable" of what no note head has, with or without dots. It takes
    anything from there on, of which we write eighths, up to two whole notes.
    """
    if length >= 1:
        return length <= _LONGEST and (length / _STEP_OF_LONG_NOTES).denominator == 1
    return is_note_value(length, _MAX_DOTS)


def tuplet_times(beats: int) -> dict[int, int]:
    """The tuplets that may stand in a metre of so many beats, each with how many notes' time its notes take.

    In three-time `(5` is left out: abc2midi takes it for three notes' time, the others for two; `(6` to `(9`
    always are.
    """
    notes = (2, 3, 4) if beats % 3 == 0 and not groups_in_threes(beats) else (2, 3, 4, 5)
    return {count: tuplet_time(count, is_compound=groups_in_threes(beats)) for count in notes}
