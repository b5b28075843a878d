"""Macros, which write an ornament out: `m:~g2={a}g{f}g` for one note, `m:~n2={o}n{m}n` for any (ABC 2.1, section 9).

Only those are taken whose notes last as long as the one that they stand for: what reads a text without them, such as
what finds its bars, then reads the same bars.
"""

import re
from bisect import bisect_right
from collections.abc import Iterable
from dataclasses import dataclass

from app.abc.lengths import LENGTH
from app.abc.pitch import NOTE, place_of, write_place
from app.abc.texts import without_comment
from app.abc.timed_notes import units_of
from app.abc.tokens import QUOTED

MAX_EXPANDED = 1000
"""characters of a line with its macros written out; of a longer one they are left out"""

_TARGET = rf"(?P<target>(?:[~H-Wh-w]{{1,8}}|![a-z]{{1,24}}!)(?P<note>{NOTE}{LENGTH}))"
_MACRO = re.compile(rf"\s*{_TARGET}\s*=(?P<notes>.{{1,200}})")
_OF_ANY_NOTE = re.compile(
    rf"\s*(?P<target>(?:[~H-Wh-mo-w]{{1,8}}|![a-z]{{1,24}}!)n(?P<length>{LENGTH}))\s*=(?P<notes>.{{1,200}})"
)
_RELATIVE_NOTE = re.compile(r"![^!\s]*!|([h-z])")
"""One of the notes around that note, or a decoration, whose letters are its name"""

_NOTE_PARTS = re.compile(NOTE + LENGTH)
_PLACES = re.compile(rf"{_TARGET}|{QUOTED}|![^!\s][^!\n]*!|\[[A-Za-z]:[^\]\n]{{0,1000}}\]")
"""Where a macro may stand, and texts, in which none does"""


@dataclass(frozen=True)
class Expanded:
    """A line with its macros written out, and where in the line its pieces come from."""

    text: str
    begins: tuple[int, ...]
    stood: tuple[int, ...]

    def column(self, at: int) -> int:
        """Where in the line stands what is at a place of the text."""
        piece = bisect_right(self.begins, at) - 1
        end = self.stood[piece + 1] if piece + 1 < len(self.stood) else at
        return min(self.stood[piece] + at - self.begins[piece], end)


def parse_macro(text: str) -> tuple[str, str] | None:
    """The sign that an `m:` field defines and the text it stands for; None where it is not one of these macros.

    The note of a macro for any note is `n` in both, and those above and below it the letters around it.
    """
    text = without_comment(text)
    if match := _OF_ANY_NOTE.fullmatch(text):
        notes, length = match["notes"].strip(), units_of("C" + match["length"])
        replaced = units_of(_RELATIVE_NOTE.sub(lambda found: "C" if found[1] else found[0], notes))
    elif match := _MACRO.fullmatch(text):
        notes, length = match["notes"].strip(), units_of(match["note"])
        replaced = units_of(notes)
    else:
        return None
    return (match["target"], notes) if replaced and replaced == length else None


class Macros:
    """The macros of a tune, as far as it has been read."""

    def __init__(self, definitions: Iterable[str]) -> None:
        self._notes: dict[str, str] = {}
        for definition in definitions:
            self.define(definition)

    def define(self, text: str) -> None:
        """Take what an `m:` field says."""
        if macro := parse_macro(text):
            self._notes[macro[0]] = macro[1]

    def expand(self, line: str) -> Expanded | None:
        """A line of music with its macros written out; None where it would be too long."""
        pieces, begins, stood = [""], [0], [0]
        end = length = 0
        for match in _PLACES.finditer(line) if self._notes else ():
            found = self._found(match)
            if found is None:
                continue
            target, notes = found
            begin = match.end() - len(target)
            pieces += [line[end:begin], notes]
            length += begin - end + len(notes)
            end = match.end()
            begins += [length - len(notes), length]
            stood += [begin, end]
            if length + len(line) - end > MAX_EXPANDED:
                return None
        return Expanded("".join([*pieces, line[end:]]), tuple(begins), tuple(stood))

    def _found(self, match: re.Match[str]) -> tuple[str, str] | None:
        """The longest target that ends where a place does, and the notes in its stead."""
        text, note = match["target"] or "", match["note"] or ""
        letters = len(text) - len(note)
        for first in range(1 if text.startswith("!") else letters):
            target = text[first:]
            if notes := self._notes.get(target):
                return target, notes
            if notes := self._of_any_note(target[: len(target) - len(note)], note):
                return target, notes
        return None

    def _of_any_note(self, letters: str, note: str) -> str | None:
        sign, letter, marks, *length = _NOTE_PARTS.fullmatch(note).groups("")  # type: ignore[union-attr]
        notes = self._notes.get(f"{letters}n{''.join(length)}")
        if notes is None or sign:  # by an accidental the other notes of the ornament are not known (section 9.2)
            return None
        place = place_of(letter, marks)
        return _RELATIVE_NOTE.sub(
            lambda found: write_place(place + ord(found[1]) - ord("n")) if found[1] else found[0], notes
        )


def without_macros(abc: str) -> str:
    """A tune without its macros, line by line as it was."""
    return re.sub(r"^m:.*", "%", abc, flags=re.MULTILINE)
