"""The score model: voices of bars of notes with exact lengths, as read from any ABC."""

from dataclasses import dataclass, field, replace
from fractions import Fraction
from typing import NamedTuple

from app.abc.fields import Clef, Tempo
from app.abc.keys import Key
from app.abc.meters import Meter
from app.abc.pitch import Pitch

DEFAULT_UNIT = Fraction(1, 8)
DEFAULT_CLEF = Clef()
MAX_OVERLAYS = 3
"""Of one bar; more are left out."""

MAX_BARS = 2_000
"""of a tune of a stranger's, a rest of several bars counting as so many; of longer ones no more is looked at"""


@dataclass(frozen=True, slots=True)
class Tuplet:
    """`actual` notes in the time of `normal`."""

    actual: int
    normal: int
    starts: bool = False
    stops: bool = False


class Syllable(NamedTuple):
    """What is sung to a note in one verse."""

    text: str
    verse: int = 1
    joins_before: bool = False
    joins_next: bool = False
    """whether a word goes on before or after it"""
    is_held: bool = False
    """over the notes that follow"""


@dataclass(slots=True)
class Chord:
    """Notes that sound together; a rest where there are none. Lengths are in whole notes."""

    pitches: tuple[Pitch, ...]
    length: Fraction
    """as it sounds"""
    tuplet: Tuplet | None = None
    graces: tuple[Pitch, ...] = ()
    symbol: str | None = None
    annotations: tuple[str, ...] = ()
    """each with the sign before it that says where it stands: `^` above, `_` below, `<` `>` beside, `@` anywhere"""
    decorations: tuple[str, ...] = ()
    tied: frozenset[int] = frozenset()
    """which of the pitches are tied to the next chord"""
    slurs_begun: int = 0
    slurs_ended: int = 0
    joins_next: bool = False
    """no space follows: it shares a beam with the next"""
    unit: Fraction = DEFAULT_UNIT
    """the unit length where it stands: as long as a grace note is"""
    grace_lengths: tuple[Fraction, ...] = ()
    """in units"""
    tempo: float | None = None
    """what changes before it, within its bar"""
    syllables: tuple[Syllable, ...] = ()

    @property
    def is_tied(self) -> bool:
        """Whether a note of it is tied to the next chord."""
        return bool(self.tied)

    @property
    def written_length(self) -> Fraction:
        """As it is drawn, under its tuplet's bracket."""
        return self.length * Fraction(self.tuplet.actual, self.tuplet.normal) if self.tuplet else self.length


@dataclass(slots=True)
class Bar:
    """The music between two bar lines."""

    chords: list[Chord] = field(default_factory=list)
    overlays: list[list[Chord]] = field(default_factory=list)
    """what sounds at the same time, written after `&`"""
    key: Key | None = None
    meter: Meter | None = None
    tempo: float | None = None
    """what changes at its beginning; tempo in quarter notes a minute"""
    tempo_mark: Tempo | None = None
    clef: Clef | None = None
    transposition: int | None = None
    """semitones from the notes as drawn to those that sound, from here on"""
    directives: tuple[str, ...] = ()
    """of `%%MIDI`, as they are written: `program 1 73`"""
    part: str | None = None
    opens_repeat: int = 0
    """times through, less one"""
    closes_repeat: int = 0
    ending: str | None = None
    ends_ending: bool = False
    line_style: str = "|"
    """of the bar line at its end; empty where none is written, as before an ending that begins within a bar"""
    end_decorations: tuple[str, ...] = ()
    end_annotations: tuple[str, ...] = ()
    """what stands before the bar line at its end: D.C., Fine"""
    starts_line: bool = False
    count: int = 1
    """how many bars a rest of several bars stands for, each as this one; what begins or ends stands at their ends"""
    seconds: float = 0.0
    """as long as one lasts once, at the tune's own tempo"""
    changes_tempo_within: bool = False
    """whether a chord of it does"""
    _length: Fraction | None = field(default=None, init=False, repr=False, compare=False)

    @property
    def length(self) -> Fraction:
        """As long as its longest line, in whole notes; asked for once it is whole."""
        if self._length is None:
            self._length = max(map(length_of, self.lines)) if self.overlays else length_of(self.chords)
        return self._length

    @property
    def lines(self) -> list[list[Chord]]:
        """The chords of the bar, and of each overlay of it."""
        return [self.chords, *self.overlays]

    def overlaid(self) -> list[Chord]:
        """A new overlay, to be filled."""
        self.overlays.append([])
        self._length = None
        return self.overlays[-1]

    def single_bars(self) -> "list[Bar]":
        """The bars that it stands for, one by one."""
        if self.count == 1:
            return [self]
        (rest,) = self.chords
        silence = Chord((), rest.length, joins_next=True)
        first = replace(
            self, chords=[replace(rest, slurs_ended=0)], closes_repeat=0, ends_ending=False, line_style="|", count=1,
            end_decorations=(), end_annotations=(),
        )  # fmt: skip
        last = Bar(
            [replace(silence, slurs_ended=rest.slurs_ended)],
            closes_repeat=self.closes_repeat,
            ends_ending=self.ends_ending,
            line_style=self.line_style,
            end_decorations=self.end_decorations,
            end_annotations=self.end_annotations,
            seconds=self.seconds,
        )
        return [first, *(Bar([silence], seconds=self.seconds) for _ in range(self.count - 2)), last]


def length_of(chords: list[Chord]) -> Fraction:
    """How long chords last one after another, in whole notes."""
    return sum((chord.length for chord in chords), Fraction(0))


@dataclass(frozen=True)
class Leap:
    """A D.C. or D.S. that is played: after which bar, as an index, and from which bar to which one goes on then."""

    bar: int
    start: int
    until: int
    """after it comes what follows `bar`: the coda, or nothing"""


@dataclass
class Voice:
    """One line of music, its overlays beside it."""

    id: str
    bars: list[Bar] = field(default_factory=list)
    name: str | None = None
    clef: Clef = DEFAULT_CLEF
    """at its beginning"""
    transposition: int = 0
    """semitones from the notes as drawn to those that sound, at its beginning"""
    leap: Leap | None = None

    @property
    def lines(self) -> int:
        """How many sound at the most at once: one, and its overlays."""
        return 1 + max((len(bar.overlays) for bar in self.bars), default=0)


@dataclass
class Score:
    """A whole tune."""

    titles: tuple[str, ...]
    composer: str | None
    rhythm: str | None
    key: Key
    meter: Meter
    tempo: float | None
    parts: str | None
    """the order of parts that the header's `P:` gives"""
    voices: list[Voice]
    tempo_mark: Tempo | None = None
    directives: tuple[str, ...] = ()
    """of `%%MIDI` in the header, as they are written: `program 73`"""
