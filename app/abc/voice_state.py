"""What is known of one voice of a tune while it is being read: where it stands, and what waits for the next note."""

from dataclasses import dataclass, field, replace
from fractions import Fraction

from app.abc import navigation
from app.abc.accidentals import Accidentals
from app.abc.fields import Clef, Properties
from app.abc.keys import Key
from app.abc.lyrics import Words, wanted
from app.abc.meters import Meter
from app.abc.pitch import STEPS, Pitch
from app.abc.score import DEFAULT_CLEF, Bar, Chord, Tuplet, Voice
from app.abc.tokens import Note


@dataclass
class VoiceState:
    """One voice as it is being read."""

    voice: Voice
    unit: Fraction
    key: Key
    meter: Meter
    tempo: float | None
    octave: int = 0
    clef: Clef = DEFAULT_CLEF
    bar: Bar = field(default_factory=Bar)
    line: list[Chord] = field(default_factory=list)
    """what is added to: the bar's chords, or those of its last overlay"""
    overlaid: Bar | None = None
    """the bar that an overlay is written to, which may be closed already"""
    length_before: Fraction = Fraction(0)
    """of that bar, without it"""
    to_overlay: list[Bar] = field(default_factory=list)
    """those that the overlay goes on to at the next bar lines"""
    accidentals: Accidentals = field(default_factory=Accidentals)
    tuplet: Tuplet | None = None
    tuplet_left: int = 0
    graces: tuple[Pitch, ...] = ()
    grace_lengths: tuple[Fraction, ...] = ()
    symbol: str | None = None
    annotations: list[str] = field(default_factory=list)
    decorations: list[str] = field(default_factory=list)
    directives: tuple[str, ...] = ()
    new_tempo: float | None = None
    slurs: int = 0
    broken: Fraction = Fraction(1)
    last: Chord | None = None
    tied: dict[int, dict[int, int]] = field(default_factory=dict)
    """by line, alterations by place that ties lead on to the next chord"""
    tie_place: tuple[int, int] = (1, 1)
    begins: tuple[int, int] = (1, 1)
    """where the bar does, by line and column"""
    places: list[tuple[int, int]] = field(default_factory=list)
    """where each bar of the voice begins"""
    in_ending: bool = False
    goes_on: bool = False
    """whether the last line of music ends with `\\`"""
    sung: list[tuple[Chord, int]] = field(default_factory=list)
    """what the next words are set to, each with its bar: the notes since the words before"""
    line_begins: int = 0
    """how many of them stand before the last line of music"""
    verses: int = 0

    def __post_init__(self) -> None:
        self.line = self.bar.chords

    def turn_to(self, said: Properties) -> None:
        """Take what a `K:` or `V:` field says beside key and name, from the next bar on."""
        self.octave = self.octave if said.octave is None else said.octave
        if said.clef is not None and said.clef != self.clef:
            self.clef = self.bar.clef = said.clef
        if said.transpose is not None:
            self.bar.transposition = said.transpose
        self.voice.name = self.voice.name or said.name

    @property
    def line_number(self) -> int:
        """Which line of its bar is written: 0, or that of an overlay."""
        return len((self.overlaid or self.bar).overlays)

    @property
    def is_behind(self) -> bool:
        """Whether what is written overlays a bar that is closed."""
        return self.overlaid is not None and self.overlaid is not self.bar

    def begin_line(self) -> None:
        """Begin a line of music that does not continue one."""
        self.bar.starts_line = True
        if self.verses:
            self.sung, self.verses = [], 0
        self.line_begins = len(self.sung)

    def sing(self, text: str, *, from_first: bool) -> None:
        """Set words to the last line of music, or to all since the words before where it has too few notes for them.

        Args:
            from_first: whether to all in any case, as ABC 2.1 has it (section 5.1).
        """
        self.verses += 1
        fits = wanted(text) <= len(self.sung) - self.line_begins
        first = self.line_begins if fits and not from_first else 0
        Words(self.sung[first:], self.verses).set(text)

    def take_navigation(self, signs: frozenset[str] = navigation.SIGNS) -> tuple[str, ...]:
        """Of the decorations that wait for a note those that are of a place in the tune; they wait no more."""
        found = tuple(name for name in self.decorations if name in signs)
        self.decorations = [name for name in self.decorations if name not in signs]
        return found

    def end_ending(self) -> None:
        if self.in_ending and self.voice.bars:
            self.voice.bars[-1].ends_ending = True
        self.in_ending = False

    def begin_ending(self, number: str) -> None:
        self.end_ending()
        self.bar.ending = number[:10]
        self.in_ending = True

    def tie(self, tied: frozenset[int], place: tuple[int, int]) -> None:
        """Tie notes of the last chord, which may stand before the bar line, to the next."""
        last = self.last
        if last is None and self.overlaid is None and not self.bar.chords and self.voice.bars:
            last = self.voice.bars[-1].chords[-1]
        if last is not None and tied:
            last.tied |= tied & frozenset(range(len(last.pitches)))
            pitches = [pitch for index, pitch in enumerate(last.pitches) if index in last.tied]
            self.tied[self.line_number] = {pitch.place: pitch.alter for pitch in pitches}
            self.tie_place = place

    def take_of_tuplet(self) -> Tuplet | None:
        """The tuplet that the next note is of."""
        made = self.tuplet
        if made is None or not self.tuplet_left:
            return None
        self.tuplet_left -= 1
        self.tuplet = Tuplet(made.actual, made.normal) if self.tuplet_left else None
        return replace(made, stops=not self.tuplet_left)

    def pitch(self, note: Note, tied: dict[int, int] | None = None) -> Pitch:
        """As a note sounds.

        Args:
            tied: alterations by place that ties lead on to it.
        """
        place = note.place + len(STEPS) * (self.octave + self.clef.octaves)
        alter = note.accidental
        if alter is not None:
            self.accidentals.take(note)
        elif tied and place in tied:
            return Pitch(place, tied[place])
        else:
            alter = self.accidentals.alter(note)
        if alter is None:
            alter = self.key.alter(note.step)
        return Pitch(place, alter, self.accidentals.sign(note, alter))

    @property
    def follows_sign(self) -> bool:
        """Whether what stands before, as written, may not be what is played before."""
        if self.bar.chords or not self.voice.bars:
            return False
        return bool(self.bar.ending or self.bar.opens_repeat or self.voice.bars[-1].closes_repeat)
