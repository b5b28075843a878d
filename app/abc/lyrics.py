"""Sets the words of `w:` lines to notes (ABC standard 2.1, section 5)."""

import re

from app.abc.score import Chord, Syllable
from app.abc.texts import readable

_PIECE = re.compile(r"(?P<syllable>(?:\\-|[^\s\-_*|])+)|(?P<sign>[-_*|])|(?P<space>\s+)")
_MAX_CHARACTERS = 60  # of a syllable


def wanted(text: str) -> int:
    """How many notes a line of words takes, where it does not leave the rest of a bar."""
    before, count = "", 0
    for piece in _PIECE.finditer(text):
        is_hyphen = piece[0] == "-" and before not in ("", "-", " ")
        count += bool(piece["syllable"]) or (piece["sign"] in ("-", "_", "*") and not is_hyphen)
        before = " " if piece["space"] else piece[0]
    return count


class Words:
    """One verse as it is set to the notes of a line.

    Args:
        notes: those that may be sung, each with the number of its bar.
        verse: counted from 1.
    """

    def __init__(self, notes: list[tuple[Chord, int]], verse: int) -> None:
        self._notes = notes
        self._verse = verse
        self._at = 0
        self._bar = notes[0][1] if notes else 0
        self._last: Chord | None = None
        self._is_joined = False

    def set(self, text: str) -> None:
        """The words of a line, or of one that continues it."""
        before = ""
        for piece in _PIECE.finditer(text):
            if piece["syllable"]:
                self._sing(piece[0])
            elif piece[0] == "|":
                self._turn_to_bar(self._bar + 1)
            elif piece[0] == "-" and self._last is not None and before not in ("-", " "):
                self._mark(joins_next=True)
                self._is_joined = True
            elif piece["sign"]:
                if piece[0] == "_":
                    self._mark(is_held=True)
                elif piece[0] == "-" and before == " ":
                    self._mark(joins_next=True)
                    self._is_joined = True
                self._skip()
            before = " " if piece["space"] else piece[0]

    def _sing(self, text: str) -> None:
        if self._at < len(self._notes):
            said = readable(text.replace("\\-", "-").replace("~", " "))[:_MAX_CHARACTERS]
            self._last = self._notes[self._at][0]
            self._last.syllables += (Syllable(said, self._verse, joins_before=self._is_joined),)
        self._is_joined = False
        self._skip()

    def _mark(self, *, joins_next: bool = False, is_held: bool = False) -> None:
        if self._last is not None:
            *others, own = self._last.syllables
            own = own._replace(joins_next=own.joins_next or joins_next, is_held=own.is_held or is_held)
            self._last.syllables = (*others, own)

    def _skip(self) -> None:
        if self._at < len(self._notes):
            self._bar = self._notes[self._at][1]
            self._at += 1

    def _turn_to_bar(self, number: int) -> None:
        while self._at < len(self._notes) and self._notes[self._at][1] < number:
            self._at += 1
        self._bar = number
