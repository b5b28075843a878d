"""Follow sets: a table of which kinds of characters may follow which in the body."""

from collections.abc import Mapping
from enum import IntEnum, auto

from app.grammar.bar_lines import needs_repeat_sign
from app.grammar.state import At, Body


class Kind(IntEnum):
    """What a character begins."""

    PITCH = auto()
    REST = auto()
    CHORD = auto()
    GRACE = auto()
    SYMBOL = auto()
    DECORATION = auto()
    PAREN = auto()
    SPACE = auto()
    BAR = auto()
    COLON = auto()
    NEWLINE = auto()


KIND_OF: Mapping[str, Kind] = {
    **dict.fromkeys("ABCDEFGabcdefg^_=", Kind.PITCH),
    "~": Kind.DECORATION,
    ".": Kind.DECORATION,
    "z": Kind.REST,
    "[": Kind.CHORD,
    "{": Kind.GRACE,
    '"': Kind.SYMBOL,
    "(": Kind.PAREN,
    " ": Kind.SPACE,
    "|": Kind.BAR,
    ":": Kind.COLON,
    "\n": Kind.NEWLINE,
}

NOTE_KINDS = frozenset({Kind.PITCH, Kind.REST, Kind.CHORD})
_MUSIC = NOTE_KINDS | {Kind.GRACE, Kind.SYMBOL, Kind.DECORATION, Kind.PAREN}
_NOTE = frozenset({Kind.PITCH, Kind.CHORD})
_STEM = _NOTE | {Kind.DECORATION}

FOLLOW: Mapping[At, frozenset[Kind]] = {
    At.LINE: _MUSIC | {Kind.BAR, Kind.NEWLINE},
    At.BAR_LINE: _MUSIC | {Kind.SPACE, Kind.NEWLINE},
    At.OPENING: _MUSIC | {Kind.SPACE},
    At.GAP: _MUSIC | {Kind.SPACE, Kind.BAR, Kind.COLON},
    At.SPACE: _MUSIC | {Kind.BAR, Kind.COLON},
    At.SLUR: _STEM | {Kind.GRACE, Kind.SYMBOL, Kind.PAREN},
    At.TUPLET: _STEM | {Kind.REST, Kind.SYMBOL, Kind.PAREN},
    At.GRACED: _NOTE | {Kind.SYMBOL, Kind.PAREN},
    At.NAMED: _STEM | {Kind.REST, Kind.GRACE, Kind.PAREN},
    At.GRACED_NAMED: _NOTE,
    At.DECORATED: frozenset({Kind.PITCH}),
    At.BROKEN: _NOTE | {Kind.REST, Kind.SPACE},
}
"""What may begin after what; pending things narrow it further (`pending`)."""

_ALL = frozenset(Kind)
_WHEN_OVER = frozenset({Kind.NEWLINE})
_WHEN_REPEAT_SIGN_IS_DUE = frozenset({Kind.SPACE, Kind.BAR, Kind.NEWLINE})
_WHILE_TIED = frozenset({Kind.PITCH, Kind.CHORD, Kind.PAREN, Kind.SPACE, Kind.BAR, Kind.NEWLINE})
_WHILE_BROKEN = FOLLOW[At.BROKEN]
_WHILE_GRACED = _NOTE | {Kind.SYMBOL, Kind.PAREN}
_WHILE_IN_TUPLET = _MUSIC - {Kind.GRACE, Kind.DECORATION, Kind.CHORD} | {Kind.SPACE}


def pending(state: Body) -> frozenset[Kind]:
    """What may begin while something is pending."""
    if state.over:
        return _WHEN_OVER
    if state.fresh and needs_repeat_sign(state):
        return _WHEN_REPEAT_SIGN_IS_DUE
    kinds = _ALL
    if state.tie:
        kinds = _WHILE_TIED
    if state.broken:
        kinds = kinds & _WHILE_BROKEN
    if state.grace:
        kinds = kinds & _WHILE_GRACED
    if state.tuplet:
        kinds = kinds & _WHILE_IN_TUPLET
    return kinds
