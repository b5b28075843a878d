"""The tokens of a line of music, and what each says by itself.

Notation: the ABC standard 2.1, section 4.
"""

import re
from collections.abc import Iterator
from fractions import Fraction
from functools import lru_cache
from typing import NamedTuple

from app.abc.score import NATURAL_SEMITONES

NOTE = r"(\^\^|\^|__|_|=)?([A-Ga-g])([,']*)"
_LENGTH = r"(\d*)(/*)(\d*)"
_ANY_NOTE, _ANY_LENGTH = (pattern.replace("(", "(?:") for pattern in (NOTE, _LENGTH))  # without groups, which take time
_WITHIN = "{0,1000}"  # characters; else each bracket that is never closed would be searched for to the line's end
_TOKEN = re.compile(
    "|".join(  # the commonest first
        (
            rf"(?P<note>{_ANY_NOTE}{_ANY_LENGTH})",
            r"(?P<space>[ \t\\`]+)",
            r'(?P<quoted>"[^"]*")',
            r"(?P<decoration>![^!\s][^!\n]*!)",
            rf"(?P<field>\[[A-Za-z]:[^\]\n]{_WITHIN}\])",
            r"(?P<ending>\[[1-9][\d,-]*)",
            r"(?P<bar>\[\|\]?|:+\[?\|+[\]|]*:*|\|+[\]|]*:*|:{2,})(?P<number>[1-9][\d,-]*)?",
            rf"(?P<grace>\{{/?[^}}\n]{_WITHIN}\}})",
            r"(?P<tuplet>\(\d(?::\d*)?(?::\d*)?)",
            rf"(?P<rest>[zxZX]{_ANY_LENGTH})",
            rf"(?P<chord>\[(?:\"[^\"]*\"|[^\[\]|\n:\"])*\]{_ANY_LENGTH})",
            r"(?P<broken>>+|<+)",
            r"(?P<tie>-)",
            r"(?P<slur>[()])",
            r"(?P<mark>[.~HLMOPSTuvy!$*&+])",
            r"(?P<other>.)",
        )
    )
)
_NOTE_PARTS = re.compile(NOTE + _LENGTH)
_LENGTH_AT_END = re.compile(_LENGTH + "$")
_BESIDE_NOTES = re.compile(r'"[^"]*"|![^!]*!')
ACCIDENTALS = {"^^": 2, "^": 1, "=": 0, "_": -1, "__": -2}
_NORMAL_OF = {2: 3, 3: 2, 4: 3, 6: 2, 8: 3}  # (p puts p notes into the time of this many; 5, 7, 9 depend on the metre
_MOST_RESTS = 999  # bars
_MOST_DIGITS = 6  # of a number that are minded; Python refuses to read thousands
_MOST_DOTS = 3
_KEPT_NOTES, _KEPT_OTHERS = 512, 64  # tokens whose meaning is remembered: 3,500 tunes have 382 notes, 16 others


def tokens(line: str) -> Iterator[re.Match[str]]:
    """The tokens of a line of music, its comment left out; the name of a token's last group is its kind."""
    return _TOKEN.finditer(line.split("%")[0].rstrip())


class Note(NamedTuple):
    """A note as it is written: `accidental` in semitones, None where there is none."""

    step: str
    octave: int
    accidental: int | None
    natural: int
    """its MIDI number, accidentals left aside"""
    length: Fraction
    """in unit lengths"""


@lru_cache(_KEPT_NOTES)
def parse_note(text: str) -> Note:
    """What a note says."""
    sign, letter, marks, *length = _NOTE_PARTS.match(text).groups("")  # type: ignore[union-attr]
    step = letter.upper()
    octave = 4 + letter.islower() + marks.count("'") - marks.count(",")
    natural = 12 * (octave + 1) + NATURAL_SEMITONES[step]
    return Note(step, octave, ACCIDENTALS.get(sign), natural, _length(*length))


def parse_notes(text: str) -> list[Note]:
    """The notes that stand in a text, as in the braces of grace notes."""
    return [parse_note(found[0]) for found in _NOTE_PARTS.finditer(text)]


def parse_chord(text: str) -> tuple[list[Note], Fraction, bool]:
    """The notes of a chord, its length in unit lengths (the first note says it), and whether it is tied inside."""
    inner, outer = text[1:].rsplit("]", 1)
    found = parse_notes(_BESIDE_NOTES.sub("", inner))
    length = _length(*_LENGTH_AT_END.findall(outer)[0])
    return found, found[0].length * length if found else length, "-" in inner


@lru_cache(_KEPT_OTHERS)
def parse_rest(text: str) -> tuple[int, Fraction | None]:
    """How many bars a rest lasts (`Z`, `X`); or 1 and its length in unit lengths (`z`, `x`)."""
    digits, *length = _LENGTH_AT_END.findall(text[1:])[0]
    return (min(_number(digits), _MOST_RESTS), None) if text[0] in "ZX" else (1, _length(digits, *length))


@lru_cache(_KEPT_OTHERS)
def parse_tuplet(text: str, is_compound: bool) -> tuple[int, int, int] | None:
    """`(p:q:r` as p notes in the time of q, for r notes (ABC 2.1, section 4.13); None where it says nothing.

    Args:
        is_compound: whether the metre is; it decides for a q that is not written.
    """
    actual, normal, count = (_number(part, 0) for part in f"{text[1:]}::".split(":")[:3])
    normal = normal or _NORMAL_OF.get(actual, 3 if is_compound else 2)
    return (actual, normal, count or actual) if actual > 1 and normal else None


@lru_cache(_KEPT_OTHERS)
def parse_broken(text: str) -> tuple[Fraction, Fraction]:
    """By how much `>` or `<` multiplies the note before and the one after it (ABC 2.1, section 4.4)."""
    short = Fraction(1, 2 ** min(len(text), _MOST_DOTS))
    return (2 - short, short) if text[0] == ">" else (short, 2 - short)


def _length(digits: str, slashes: str, divisor: str) -> Fraction:
    """`3/2`, `/`, `//` … as a multiple of the unit length (ABC 2.1, section 4.3)."""
    numerator = _number(digits)
    if not slashes:
        return Fraction(numerator)
    return Fraction(numerator, _number(divisor) or 1) if divisor else Fraction(numerator, 2 ** min(len(slashes), 10))


def _number(digits: str, otherwise: int = 1) -> int:
    return int(digits[:_MOST_DIGITS]) if digits else otherwise
