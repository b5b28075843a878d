"""How far an accidental reaches within its bar (ABC 2.1, sections 4.2 and 11.3)."""

import re
from typing import Literal, cast

from app.abc.tokens import Note

Reach = Literal["pitch", "octave", "not"]
"""It holds for the notes of its letter in all octaves, for those of its octave alone, or for its own note alone."""

_DIRECTIVE = re.compile(r"(?:%%|I:)\s*propagate-accidentals\s+(not|octave|pitch)(?![^\s%])")


def parse_reach(line: str) -> Reach | None:
    """The reach that a `%%propagate-accidentals` line asks for; None for any other line."""
    match = _DIRECTIVE.match(line)
    return cast("Reach", match[1]) if match else None


class Accidentals:
    """Those in force at a place of a bar."""

    def __init__(self, reach: Reach = "pitch") -> None:
        self.reach: Reach = reach
        self._held: dict[str | int, int] = {}
        self._drawn: dict[int, int] = {}

    def begin_bar(self) -> None:
        self._held.clear()
        self._drawn.clear()

    def take(self, note: Note) -> None:
        """Remember the accidental before a note, which has one."""
        if self.reach != "not" and note.accidental is not None:
            self._held[self._name(note)] = note.accidental

    def alter(self, note: Note) -> int | None:
        """The semitones by which one before it alters a note; None where none does."""
        return self._held.get(self._name(note)) if self._held else None

    def sign(self, note: Note, alter: int) -> int | None:
        """What is drawn before a note: its accidental, or one that it needs as on paper those before it hold."""
        if self.reach != "not":
            return note.accidental
        if note.accidental is None and self._drawn.get(note.place, alter) == alter:
            return None
        self._drawn[note.place] = alter
        return alter

    def _name(self, note: Note) -> str | int:
        return note.step if self.reach == "pitch" else note.place
