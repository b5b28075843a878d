"""The lexer: the tokens of a line of music, with what each says by itself.

Notation: the ABC standard 2.1, section 4.
"""

import re
from collections.abc import Iterator, Mapping
from fractions import Fraction
from functools import lru_cache
from typing import NamedTuple

from app.abc.lengths import LENGTH, broken_shares, parse_length, parse_number
from app.abc.meters import tuplet_time
from app.abc.pitch import ACCIDENTALS, MIDDLE_C, NOTE, place_of, semitones_of
from app.abc.texts import without_comment
from app.abc.typed_characters import as_meant

_WITHIN = "{0,1000}"  # characters; else each bracket that is never closed would be searched for to the line's end
QUOTED = r'"[^"]*"'
_OLD_DECORATION = (  # by name, for `+CEG+` was a chord once
    r"\+(?:trill[()]?|lowermordent|uppermordent|mordent|pralltriller|roll|turnx?|invertedturnx?|arpeggio|>|accent"
    r"|emphasis|(?:inverted)?fermata|tenuto|[0-5]|plus|snap|slide|wedge|upbow|downbow|open|thumb|breath|[pm]?p|p{1,4}"
    r"|f{1,4}|mf|sfz|(?:crescendo|diminuendo|[<>])[()]|segno|coda|fine|da(?:capo|coda)|D\.[CS]\.(?:al(?:coda|fine))?"
    r"|(?:short|medium|long)phrase|staccato|marcato|beam[a-z]*)\+"
)
_WORDS = r"(?:D\.?[CS]\.?|[Dd]a|[Dd]al|[Tt]o) [^!|\[\]:\n]{1,30}"  # `D.C. al Fine` has spaces, no other name
_NOTES = r"(?!f{1,4}!|DC!)(?=[^!\s]*[A-Ga-g])[A-Ga-gzx\d,'/^_=<>()~-]+"
DECORATION = rf"!(?!{_NOTES}!)[^!|\[\]:\s]+!|!{_WORDS}!|{_OLD_DECORATION}"
"""Any other `!` is a line break, as old programs wrote it (ABC 2.1, section 12.2), also where notes alone follow."""
INLINE_FIELD = rf"\[[A-Za-z]:[^\]\n]{_WITHIN}\]"
_ANY_NOTE, _ANY_LENGTH = (pattern.replace("(", "(?:") for pattern in (NOTE, LENGTH))  # without groups, which take time
_BAR_LINE = (  # dots may stand apart from their line
    r":+\]|\[:+|\.?(?::[ \t]+(?=\|))?(?=:*\[?\||::)(?:\[(?=\|)|\|\]*|:)+(?:[ \t]+:(?![ \t]*[:|\]]))?"
)
_TURNS = r"[1-9](?:[\d,-]|(?:\.|[ \t]*&[ \t]*)(?=[1-9]))*(?:(?:st|nd|rd|th)?\.?(?=[ \t]))?"
"""Of an ending: `1`, `1,3`, `1-3`, and as they are typed: `1.`, `1.2`, `1 & 2`, `1st`."""

TOKENS = {
    "note": rf"(?P<note>{_ANY_NOTE}{_ANY_LENGTH})",
    "space": r"(?P<space>[ \t\\]+)",
    "quoted": rf"(?P<quoted>{QUOTED})",
    "decoration": rf"(?P<decoration>{DECORATION})",
    "field": rf"(?P<field>{INLINE_FIELD})",
    "ending": rf"(?P<ending>\[(?:[ \t]*{_TURNS}|\"[1-9][^\"\n]{{0,40}}\"(?![^\[\]|\n]{_WITHIN}\])))",
    "bar": rf"(?P<bar>{_BAR_LINE})(?P<number>[ \t]*{_TURNS})?",
    "grace": rf"(?P<grace>\{{/?[^}}\n]{_WITHIN}\}})",
    "tuplet": r"(?P<tuplet>\((?:\d{2,3}(?=:)|\d)(?::\d*)?(?::\d*)?)",
    "rest": rf"(?P<rest>[zxZX]{_ANY_LENGTH})",
    "chord": rf"(?P<chord>(?:\[(?:\"[^\"]*\"|[^\[\]|\n:\"])*\]|\+(?:{_ANY_NOTE}{_ANY_LENGTH}){{2,12}}\+){_ANY_LENGTH})",
    "broken": r"(?P<broken>>+|<+)",
    "tie": r"(?P<tie>\.?-)",
    "slur": r"(?P<slur>\.?\((?!\d)|[()])",
    "overlay": r"(?P<overlay>&+)",
    "mark": r"(?P<mark>y\d*|[.~HLMOPSTuv!$*+`])",
    "other": r"(?P<other>.)",
}
"""How each kind of token is written; the commonest first, for they are tried in this order. The last always fits."""


def lexer(tokens: Mapping[str, str]) -> re.Pattern[str]:
    """What finds the tokens of a line of music one after another; the name of a match's last group is its kind."""
    return re.compile("|".join(tokens.values()))


_TOKEN = lexer(TOKENS)
_NOTE_PARTS = re.compile(NOTE + LENGTH)
_CHORD_NOTE = re.compile(rf"{NOTE}{LENGTH}(\.?-)?")
_LENGTH_AT_END = re.compile(LENGTH + "$")
_TURNS_ALONE = re.compile(r"[1-9](?:[\d,-]|[.& \t]+(?=[1-9]))*")
_BETWEEN_TURNS = re.compile(r"[.& \t]+")
_BESIDE_NOTES = re.compile(r'"[^"]*"|![^!]*!')
_MAX_RESTS = 999  # bars
_MAX_DOTS = 3
_MAX_TIMES = 9
_KEPT_NOTES, _KEPT_OTHERS = 512, 64  # tokens whose meaning is remembered: 3,500 tunes have 382 notes, 16 others


def tokens(line: str) -> Iterator[re.Match[str]]:
    """The tokens of a line of music, its comment left out; the name of a token's last group is its kind."""
    return _TOKEN.finditer(as_meant(without_comment(line)))


class BarLine(NamedTuple):
    """A bar line of any shape (ABC 2.1, section 4.8)."""

    style: str
    """without its dots; `::` where it is nothing but dots"""
    closes: int = 0
    """times that what stands before it is repeated"""
    opens: int = 0
    """times that what stands after it is"""

    @property
    def ends_part(self) -> bool:
        """Whether a part or an ending ends here."""
        return bool(self.closes or self.opens) or len(self.style) > 1


@lru_cache(_KEPT_OTHERS)
def parse_bar_line(text: str) -> BarLine:
    """What a bar line says: its dots before and after; dots between two lines belong to what follows."""
    line = text.lstrip(".").replace(" ", "").replace("\t", "")
    core = line.strip(":")
    if not core:
        return BarLine("::", len(line) // 2, len(line) - len(line) // 2)
    closes, opens = len(line) - len(line.lstrip(":")), len(line) - len(line.rstrip(":"))
    style = core.replace(":", "")
    if style not in ("|", "||", "|]", "[|", "[|]"):
        style = "|]" if "]" in style else "[|" if "[" in style else "||"
    return BarLine(style, min(closes, _MAX_TIMES), min(opens or core.count(":"), _MAX_TIMES))


def parse_ending(text: str) -> str:
    """The turns that an ending is for, as they are written: `1,3` of `[1,3`, of `|1,3.` and of `["1,3 times"`."""
    found = _TURNS_ALONE.search(text)
    return _BETWEEN_TURNS.sub(",", found[0]).strip(",-") if found else ""


class Note(NamedTuple):
    """A note as it is written: `accidental` in semitones, None where there is none."""

    place: int
    step: str
    accidental: int | None
    natural: int
    """its MIDI number, accidentals left aside"""
    length: Fraction
    """in unit lengths"""


@lru_cache(_KEPT_NOTES)
def parse_note(text: str) -> Note:
    """What a note says."""
    sign, letter, marks, *length = _NOTE_PARTS.match(text).groups("")  # type: ignore[union-attr]
    place = place_of(letter, marks)
    natural = MIDDLE_C + semitones_of(place)
    return Note(place, letter.upper(), ACCIDENTALS.get(sign), natural, parse_length(*length))


def parse_notes(text: str) -> list[Note]:
    """The notes that stand in a text, as in the braces of grace notes."""
    return [parse_note(found[0]) for found in _NOTE_PARTS.finditer(text)]


def parse_chord(text: str) -> tuple[list[Note], Fraction, frozenset[int]]:
    """The notes of a chord, its length in unit lengths (the first note says it), and which are tied by themselves."""
    inner, outer = text[1:].rsplit("]" if text[0] == "[" else "+", 1)
    matches = list(_CHORD_NOTE.finditer(_BESIDE_NOTES.sub("", inner)))
    found = [parse_note(match[0].rstrip(".-")) for match in matches]
    length = parse_length(*_LENGTH_AT_END.findall(outer)[0])
    tied = frozenset(index for index, match in enumerate(matches) if match[7])
    return found, found[0].length * length if found else length, tied


@lru_cache(_KEPT_OTHERS)
def parse_rest(text: str) -> tuple[int, Fraction | None]:
    """How many bars a rest lasts (`Z`, `X`); or 1 and its length in unit lengths (`z`, `x`)."""
    digits, *length = _LENGTH_AT_END.findall(text[1:])[0]
    return (min(parse_number(digits), _MAX_RESTS), None) if text[0] in "ZX" else (1, parse_length(digits, *length))


@lru_cache(_KEPT_OTHERS)
def parse_tuplet(text: str, is_compound: bool) -> tuple[int, int, int] | None:
    """`(p:q:r` as p notes in the time of q, for r notes (ABC 2.1, section 4.13); None where it says nothing.

    Args:
        is_compound: whether the metre is; it decides for a q that is not written.
    """
    actual, normal, count = (parse_number(part, 0) for part in f"{text[1:]}::".split(":")[:3])
    normal = normal or tuplet_time(actual, is_compound=is_compound)
    return (actual, normal, count or actual) if actual > 1 and normal else None


@lru_cache(_KEPT_OTHERS)
def parse_broken(text: str) -> tuple[Fraction, Fraction]:
    """By how much `>` or `<` multiplies the note before and the one after it (ABC 2.1, section 4.4)."""
    return broken_shares(text[:_MAX_DOTS])
