"""The automaton's state within a tune's body: position in the text, ticks left in the bar, and what is pending."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import IntEnum, auto
from typing import NamedTuple

from app.grammar.dawg import Node
from app.grammar.request import Form


class Repeat(IntEnum):
    """Where a section stands with its repeat signs."""

    FIRST = 0  # no sign yet: a `:|` repeats from the beginning
    OPEN = 1  # after `|:`; a `:|` must follow
    CLOSED = 2  # after `:|` or a double bar; a `|:` must come before the next `:|`


class Partner(IntEnum):
    """What abc2midi may join the next note with, where it swings the notes (`swing`)."""

    NONE = 0
    PLAIN = 1  # a note of the length that is swung
    STACCATO = 2
    UNEVEN = 3  # the same, already half of a pair
    TRIPLET = 4  # part of a triplet: nothing
    GHOST = 5  # what followed a triplet, where abc2midi's memory of the last length is of no length that there was


class At(IntEnum):
    """The place in the text, named for what stands before it."""

    LINE = auto()  # a line break
    BAR_LINE = auto()  # a whole bar line that may end a line
    OPENING = auto()  # a whole bar line that notes must follow: `|:`, `::`, `|1`, `:|2`
    GAP = auto()  # a whole note, rest or chord
    SPACE = auto()
    PITCH = auto()  # part of a note: accidental, letter, octave marks
    LENGTH = auto()  # a pitch or chord, and part of its length
    REST = auto()  # a rest, and part of its length
    CHORD = auto()  # `[` and whole notes
    CHORD_PITCH = auto()
    GRACE = auto()  # `{` and whole notes
    GRACE_PITCH = auto()
    GRACE_LENGTH = auto()
    GRACED = auto()  # `}`
    SYMBOL = auto()  # part of a chord symbol
    GRACED_SYMBOL = auto()  # the same, after a grace note
    NAMED = auto()  # a chord symbol
    GRACED_NAMED = auto()
    DECORATED = auto()  # `~` or `.`
    PAREN = auto()  # `(`: a slur or a tuplet
    SLUR = auto()  # `(` that is a slur
    TUPLET = auto()  # `(3`
    BROKEN = auto()  # `>` or `<`
    TIED = auto()  # part of a pitch that a tie fixes
    BAR = auto()  # `|`: a bar line, or part of a longer one
    BAR_BRACKET = auto()  # `|[`: a first ending, or a chord
    FRESH_BAR = auto()  # `|` where no note precedes it: part of `|:`
    COLON = auto()  # `:`, part of `:|` or `::`
    PITCH_COLON = auto()  # the same after a note without length, part of `:|`: music21 takes `G::` for a field
    SECOND = auto()  # the `:|` of a first ending; the second follows
    SECOND_LINE = auto()  # the same and a line break
    SECOND_BRACKET = auto()
    LINE_BRACKET = auto()  # a line break and `[`: a first ending, or a chord
    FORCED = auto()  # an unreadable bar; `Body.tie` holds what closes it
    END = auto()  # the blank line after a tune


@dataclass(frozen=True, eq=False, repr=False)
class TuneContext:
    """What stays the same from a tune's first bar to its last."""

    bar: int  # ticks
    tuplets: Mapping[str, int]
    pitches: Node[bool]
    lengths: Node[int]
    grace_lengths: Node[int]
    symbols: Node[bool]
    chord_stroke: int  # ticks
    canonical_letter: Mapping[str, str]  # for each letter, the first with the same accidentals and octave marks
    form: Form | None
    swung: int  # ticks of the notes of which abc2midi makes uneven pairs; 0: none
    writable: frozenset[str]  # all the characters that there are
    common: "TuneContext | None" = None  # that of all tunes whose bars can be filled in the same ways; None: this one


class Body(NamedTuple):
    """A state; every field is a small value, so that states can be hashed and compared."""

    context: TuneContext
    at: At
    left: int  # ticks that the bar still needs
    word: Node[bool] | Node[int] | None = None  # the pitch, length or chord symbol being written
    fresh: bool = True  # no note since the last bar line
    opening: bool = True  # in the tune's first bar
    named: bool = False  # that bar has a chord symbol
    split: bool = False  # the bar began before the last bar line: `d6||A2|`
    repeat: Repeat = Repeat.FIRST
    pickup: int = 0  # ticks before the section's first bar, wanting in its last
    ending: int = 0  # 1 or 2 in a first or second ending
    bars: int = 0  # whole bars of the part so far; counted only where the form is fixed
    part: int = 0
    slur: int = 0
    tuplet: int = 0  # notes that the tuplet still needs
    equal: int = 0  # ticks that the next note must have written, in a tuplet or broken pair; 0: any
    broken: bool = False  # the next note is the second of a broken pair
    grace: int = 0  # ticks of the grace notes before the note
    mark: str = ""  # `.` or `~`, before its note
    altered: bool = False  # an accidental stands in the bar
    tie: str = ""  # the pitch that must come next; wildcards where it is not known
    members: int = 0  # notes in the grace group or chord; after `>`, which sign it was
    edge: bool = False  # one character of the line is written: a colon would make it a field
    final: bool = False  # the bar line may end the tune
    over: bool = False  # nothing but the end may follow
    partner: Partner = Partner.NONE  # where notes are swung: what the next note may be joined with
    shift: int = 0  # where notes are swung: ticks by which abc2midi's count of the bar is ahead of ours

    @classmethod
    def start(cls, context: TuneContext) -> "Body":
        return cls(context, At.LINE, context.bar)

    @property
    def meaning(self) -> bool | int | None:
        """Of the pitch, length or chord symbol that is being written; None where it is not yet a whole one."""
        return self.word.meaning if self.word else None

    @property
    def may_have_length(self) -> bool:
        """Whether a whole pitch stands before this place."""
        return self.at is At.PITCH and self.meaning is not None


_INDEX = {name: index for index, name in enumerate(Body._fields)}


def _replace(state: Body, **changes: object) -> Body:
    values: list[object] = list(state)
    for name, value in changes.items():
        values[_INDEX[name]] = value
    return tuple.__new__(Body, values)


Body._replace = _replace  # type: ignore[method-assign, assignment]  # a third of the time that namedtuple's own takes
