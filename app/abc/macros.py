"""Static macros, which write an ornament out: `m:~g2={a}g{f}g` (ABC 2.1, section 9.1).

Only those are taken whose notes last as long as the one that they stand for: what reads a text without them, such as
what finds its bars, then reads the same bars.
"""

import re
from bisect import bisect_right
from collections.abc import Iterable
from dataclasses import dataclass

from app.abc.lengths import LENGTH
from app.abc.pitch import NOTE
from app.abc.texts import without_comment
from app.abc.timed_notes import units_of
from app.abc.tokens import QUOTED

MAX_EXPANDED = 1000
"""characters of a line with its macros written out; of a longer one they are left out"""

_TARGET = rf"(?P<target>(?:[~H-Wh-w]{{1,8}}|![a-z]{{1,24}}!)(?P<note>{NOTE}{LENGTH}))"
_MACRO = re.compile(rf"\s*{_TARGET}\s*=(?P<notes>.{{1,200}})")
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
    """The sign that an `m:` field defines and the text it stands for; None where it is no static macro."""
    match = _MACRO.fullmatch(without_comment(text))
    if match is None:
        return None
    notes = match["notes"].strip()
    length = units_of(notes)
    return (match["target"], notes) if length and length == units_of(match["note"]) else None


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
            target = self._target(match)
            if target is None:
                continue
            begin, notes = match.end() - len(target), self._notes[target]
            pieces += [line[end:begin], notes]
            length += begin - end + len(notes)
            end = match.end()
            begins += [length - len(notes), length]
            stood += [begin, end]
            if length + len(line) - end > MAX_EXPANDED:
                return None
        return Expanded("".join([*pieces, line[end:]]), tuple(begins), tuple(stood))

    def _target(self, match: re.Match[str]) -> str | None:
        """The longest that ends where a place does."""
        found = match["target"] or ""
        letters = len(found) - len(match["note"] or "")
        ends = (found[first:] for first in range(1 if found.startswith("!") else letters))
        return next((text for text in ends if text in self._notes), None)


def without_macros(abc: str) -> str:
    """A tune without its macros, line by line as it was."""
    return re.sub(r"^m:.*", "%", abc, flags=re.MULTILINE)
