"""The tune model of plain ABC, one voice: header, parts, bars and notes with exact lengths.

There is room for no more of ABC than what we write (see `app.abc.written_subset`); any ABC, as it sounds and is drawn,
is a `Score` (see `app.abc.score`).
"""

from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property

from app.abc.keys import Key
from app.abc.pitch import Pitch


@dataclass(frozen=True)
class Note:
    """A note, a chord or (without pitches) a rest.

    `written` is its length as it is notated, in whole notes; inside a tuplet or a broken pair it lasts `written` times
    `factor`. `tuplet` is the number of notes in the tuplet that begins here; `broken` stands between it and the next.
    """

    pitches: tuple[Pitch, ...]
    written: Fraction
    factor: Fraction = Fraction(1)
    tuplet: int = 0
    in_tuplet: bool = False
    broken: str = ""
    tied: bool = False
    spaced: bool = False  # a space before it ends a beam
    grace: tuple[Pitch, ...] = ()

    @cached_property
    def length(self) -> Fraction:
        """How long it lasts, in whole notes."""
        return self.written * self.factor


Bar = tuple[Note, ...]


def length_of(bar: Bar) -> Fraction:
    """How long a bar lasts, in whole notes."""
    return sum((note.length for note in bar), Fraction(0))


@dataclass(frozen=True)
class Part:
    """Bars between two section marks; `first` and `second` are the endings of one that is played twice."""

    bars: tuple[Bar, ...]
    repeated: bool = False
    first: tuple[Bar, ...] = ()
    second: tuple[Bar, ...] = ()


@dataclass(frozen=True)
class Header:
    """What stands before the music; title and rhythm are empty where the tune does not say.

    `meter` as `M:` has it, one of `app.abc.written_subset.METERS` without a sign; `unit` in whole notes.
    """

    title: str
    rhythm: str
    meter: str
    unit: Fraction
    key: Key


@dataclass(frozen=True)
class Tune:
    """A whole tune; `app.abc.writer` writes it."""

    header: Header
    parts: tuple[Part, ...]
