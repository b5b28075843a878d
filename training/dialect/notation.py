"""Notes, bars and parts as values, in exact lengths, for translating and comparing tunes."""

from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property

LETTERS = "CDEFGAB"
_SEMITONES = (0, 2, 4, 5, 7, 9, 11)
_SHARPS_IN_ORDER = "FCGDAEB"  # flats come in the opposite order


@dataclass(frozen=True)
class Pitch:
    """A note on the staff: `step` counts diatonic steps up from `C`, `alter` semitones from the white key.

    `marked` says that an accidental is written although the key or the bar may make it superfluous.
    """

    step: int
    alter: int
    marked: bool = False

    @property
    def letter(self) -> str:
        return LETTERS[self.step % 7]

    @property
    def semitone(self) -> int:
        """Semitones up from `C`."""
        return 12 * (self.step // 7) + _SEMITONES[self.step % 7] + self.alter


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
    grace: tuple[tuple[Pitch, Fraction], ...] = ()

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
class Key:
    """A tonic and mode in its one spelling, with its signature: sharps, or flats below zero."""

    name: str
    sharps: int

    def alter(self, letter: str) -> int:
        """What the signature does to a letter."""
        if self.sharps >= 0:
            return int(letter in _SHARPS_IN_ORDER[: self.sharps])
        return -int(letter in _SHARPS_IN_ORDER[self.sharps :])


@dataclass(frozen=True)
class Header:
    """What stands before the music; `rhythm` is empty where the tune does not say."""

    title: str
    rhythm: str
    meter: str
    unit: Fraction  # of a whole note
    key: Key


@dataclass(frozen=True)
class Tune:
    """A tune that has been understood."""

    header: Header
    parts: tuple[Part, ...]
