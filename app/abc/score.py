"""The score model: voices of bars of notes with exact lengths, as read from any ABC."""

from dataclasses import dataclass, field, replace
from fractions import Fraction

from app.abc.keys import Key
from app.abc.meters import Meter
from app.abc.pitch import Pitch

MAX_BARS = 2_000
"""of a tune of a stranger's, a rest of several bars counting as so many; of longer ones no more is looked at"""


@dataclass(frozen=True, slots=True)
class Tuplet:
    """`actual` notes in the time of `normal`."""

    actual: int
    normal: int
    starts: bool = False
    stops: bool = False


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
    decorations: tuple[str, ...] = ()
    is_tied: bool = False
    slurs_begun: int = 0
    slurs_ended: int = 0
    joins_next: bool = False
    """no space follows: it shares a beam with the next"""

    @property
    def written_length(self) -> Fraction:
        """As it is drawn, under its tuplet's bracket."""
        return self.length * Fraction(self.tuplet.actual, self.tuplet.normal) if self.tuplet else self.length


@dataclass(slots=True)
class Bar:
    """The music between two bar lines."""

    chords: list[Chord] = field(default_factory=list)
    key: Key | None = None
    meter: Meter | None = None
    tempo: float | None = None
    """what changes at its beginning; tempo in quarter notes a minute"""
    part: str | None = None
    opens_repeat: int = 0
    """times through, less one"""
    closes_repeat: int = 0
    ending: str | None = None
    ends_ending: bool = False
    line_style: str = "|"
    starts_line: bool = False
    count: int = 1
    """how many bars a rest of several bars stands for, each as this one; what begins or ends stands at their ends"""
    seconds: float = 0.0
    """as long as one lasts once, at the tune's own tempo"""

    @property
    def length(self) -> Fraction:
        return sum((chord.length for chord in self.chords), Fraction(0))

    def single_bars(self) -> "list[Bar]":
        """The bars that it stands for, one by one."""
        if self.count == 1:
            return [self]
        (rest,) = self.chords
        silence = Chord((), rest.length, joins_next=True)
        first = replace(
            self, chords=[replace(rest, slurs_ended=0)], closes_repeat=0, ends_ending=False, line_style="|", count=1
        )
        last = Bar(
            [replace(silence, slurs_ended=rest.slurs_ended)],
            closes_repeat=self.closes_repeat,
            ends_ending=self.ends_ending,
            line_style=self.line_style,
            seconds=self.seconds,
        )
        return [first, *(Bar([silence], seconds=self.seconds) for _ in range(self.count - 2)), last]


@dataclass
class Voice:
    """One line of music."""

    id: str
    bars: list[Bar] = field(default_factory=list)


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
