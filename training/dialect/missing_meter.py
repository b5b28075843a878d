"""The metre of a tune that names none, where all its bars agree on one."""

from collections import Counter
from collections.abc import Iterator
from fractions import Fraction

from app.abc.plain import length_of
from app.abc.rhythms import METERS_OF_RHYTHM
from training.dialect.reader import Score
from training.errors import DialectError

UNKNOWN = ("", "none")
"""What `M:` holds where a tune names no metre."""

_METERS = {
    Fraction(1): ("4/4",),
    Fraction(1, 2): ("2/4",),
    Fraction(3, 4): ("3/4", "6/8"),
    Fraction(3, 2): ("3/2", "12/8"),
    Fraction(9, 8): ("9/8",),
    Fraction(3, 8): ("3/8",),
    Fraction(5, 4): ("5/4",),
    Fraction(7, 8): ("7/8",),
}
_BEATS = (Fraction(1, 4), Fraction(3, 8))
_MIN_BARS = 2


def infer(score: Score, rhythm: str) -> str:
    """The one metre in which most bars are whole; whether all of them are is found out when they are put together.

    Bars of three quarters may be in 3/4 or in 6/8: then the rhythm decides, or else how the notes are beamed.

    Raises:
        DialectError: there is none, or it could be either.
    """
    lengths = Counter(length_of(bar) for bar, _ in score.bars)
    length, count = lengths.most_common(1)[0]
    meters = _METERS.get(length)
    if meters is None or count < _MIN_BARS:
        raise DialectError("no metre, and bars that do not agree on one")
    if len(meters) == 1:
        return meters[0]
    danced = [meter for meter in meters if meter in METERS_OF_RHYTHM.get(rhythm, ())]
    beamed = [
        meter
        for meter, beat in zip(meters, _BEATS, strict=True)
        if (places := list(_beams(score))) and all(place % beat == 0 for place in places)
    ]
    found = danced if len(danced) == 1 else beamed
    if len(found) != 1:
        raise DialectError(f"no metre, and bars that may be of {' or of '.join(meters)}")
    return found[0]


def _beams(score: Score) -> Iterator[Fraction]:
    """Where in their bars beams begin."""
    for bar, _ in score.bars:
        begin = Fraction(0)
        for note in bar:
            if note.spaced:
                yield begin
            begin += note.length
