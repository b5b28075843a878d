"""What a network reads of a text: without the header's lines and the marks among the notes that none has learnt.

The answer keeps all of it. Networks learn tunes in plain ABC (see `app.abc.plain`): six fields in the header, title and
rhythm in their own letters, the number 1, and notes without chord symbols, annotations, decorations and grace notes.
"""

import re
import unicodedata
from bisect import bisect_left
from collections.abc import Collection, Iterator
from dataclasses import dataclass

from app.abc.texts import COMMENT
from app.abc.tokens import tokens
from app.abc.tunebook import FIELD, in_text_after

_NEVER_LEARNT = frozenset("ABCDFGHINOPQSUVWZmr+")  # of the fields of a header
_PASSED_OVER_IN_BODY = _NEVER_LEARNT | frozenset("RTXsw")
_LEFT_OUT = frozenset({"quoted", "decoration", "grace"})
_MARKS = frozenset(".~HLMNOPQSTUVWuv$*!`")  # the tokens "mark", "space" and "other" that say no note
_MARKS_IN_CHORD = re.compile(r'"[^"]*"|![^!]*!')
# Blanks are looked at from the first of them alone, or a long row of them would be read again from each.
_COMMENT = re.compile(rf"(?<![ \t])[ \t]*+{COMMENT.pattern}.*")
_AFTER_KEY = re.compile(r"(?<!\s)\s++(?:\w+=|(?:treble|bass|alto|tenor|perc|none)\b).*")
_STRAIGHT = str.maketrans("\u2018\u2019\u2013\u2014", "''--")
_TITLE_OF_UNKNOWN_LETTERS = "A"

Piece = tuple[str, int]
"""What is read, and where in the text it stands."""


@dataclass(frozen=True)
class NetworkText:
    """A text, and what a network reads of it.

    `places` are those of the characters that are read, in the text, ascending. `bridge` is what has to be written
    before anything is added: the end of a line that is not read. `is_pending` says that the text ends in a mark that is
    not read and wants a note after it.
    """

    text: str
    read: str
    places: tuple[int, ...]
    bridge: str = ""
    is_pending: bool = False

    @classmethod
    def of(cls, text: str, known: Collection[str]) -> "NetworkText":
        """A text from its beginning on: tunes, the last of which may end anywhere.

        Args:
            known: the network's characters; what else a title or rhythm holds is read as its plain letters.
        """
        return _Reading(known).of(text, in_header=True)

    @classmethod
    def of_notes(cls, text: str) -> "NetworkText":
        """A piece of a tune's body; in its last line a text in quotes may be cut off."""
        if text.count('"', text.rfind("\n") + 1) % 2:
            text = text[: text.rfind('"')]
        return _Reading(frozenset()).of(text, in_header=False)

    def place_of(self, position: int) -> int:
        """Where in the text a character stands that is read; past the last, the text's end."""
        return self.places[position] if position < len(self.places) else len(self.text)

    def position_of(self, place: int) -> int:
        """How many of the characters that are read stand before a place in the text."""
        return bisect_left(self.places, place)


class _Reading:
    """Goes through a text line by line."""

    def __init__(self, known: Collection[str]) -> None:
        self._known = known
        self._pieces: list[Piece] = []
        self._has_title = False
        self._bridge, self._is_pending = "", False

    def of(self, text: str, *, in_header: bool) -> NetworkText:
        place, in_text = 0, False
        for line in _lines(text):
            self._is_pending = False
            content = line.rstrip("\n")
            end = line[len(content) :]
            if content.startswith("%"):
                in_text = in_text_after(content, was_in_text=in_text)
                self._leave_out(end)
            elif in_text:
                self._leave_out(end)
            elif not content.strip():
                in_header, self._has_title = in_header or bool(end and place), False
                self._add(line, place)
            else:
                field = FIELD.match(content)
                letter = field[1] if field and content[2:3] not in ("|", ":") else ""
                if in_header:
                    self._header_line(letter, content, end, place)
                    in_header = letter != "K"
                else:
                    self._body_line(letter, content, end, place)
            place += len(line)
        read = "".join(piece for piece, _ in self._pieces)
        places = tuple(at + offset for piece, at in self._pieces for offset in range(len(piece)))
        return NetworkText(text, read, places, self._bridge, self._is_pending)

    def _add(self, text: str, place: int) -> None:
        self._pieces.append((text, place))

    def _leave_out(self, end: str) -> None:
        self._bridge = "" if end else "\n"

    def _header_line(self, letter: str, content: str, end: str, place: int) -> None:
        is_second_title = letter == "T" and self._has_title
        if letter in _NEVER_LEARNT or is_second_title:
            self._leave_out(end)
            return
        if letter in ("T", "R"):
            self._has_title = self._has_title or letter == "T"
            self._add_letters(_COMMENT.sub("", content), place)
        elif letter == "X" and content[2:].strip().isdigit() and content[2:].strip() != "1":
            self._add("X:1", place)
        elif letter:
            without = _COMMENT.sub("", content)
            self._add(_AFTER_KEY.sub("", without) if letter == "K" else without, place)
        else:
            self._add(content, place)
        self._add(end, place + len(content))

    def _add_letters(self, field: str, place: int) -> None:
        """A field in letters that the network knows."""
        count = len(self._pieces)
        for offset, character in enumerate(field[2:], 2):
            if letters := self._letters_of(character):
                self._pieces += [(letter, place + offset) for letter in letters]
        if not any(piece.strip() for piece, _ in self._pieces[count:]) and field[2:].strip():
            has_letters = any(character.isalpha() for character in field[2:])
            self._add(_TITLE_OF_UNKNOWN_LETTERS if has_letters else field[2:], place + 2)
        self._pieces.insert(count, (field[:2], place))

    def _letters_of(self, character: str) -> str:
        if character in self._known:
            return character
        plain = unicodedata.normalize("NFKD", character.translate(_STRAIGHT))
        return "".join(letter for letter in plain if letter in self._known)

    def _body_line(self, letter: str, content: str, end: str, place: int) -> None:
        if letter in _PASSED_OVER_IN_BODY:
            self._leave_out(end)
        elif letter:
            self._add(_COMMENT.sub("", content) + end, place)
        else:
            self._add_notes(content, end, place)

    def _add_notes(self, content: str, end: str, place: int) -> None:
        """A line of music, without what is no note, rest or bar line, and the spaces that would be left over."""
        notes = _COMMENT.split(content)[0]
        is_pending = follows_space = False
        position = 0
        for begin, stop in [*_spans_left_out(notes), (len(notes), len(notes))]:
            piece = notes[position:begin]
            if is_pending and follows_space:
                spaces = len(piece) - len(piece.lstrip(" "))
                piece, position = piece[spaces:], position + spaces
            if piece.strip():
                is_pending = False
            if piece:
                self._add(piece, place + position)
            last = self._pieces[-1][0][-1:] if self._pieces else ""
            follows_space = last in ("", "\n", " ", "|", ":")
            is_pending = is_pending or begin < stop
            position = stop
        self._is_pending = is_pending and not end and len(notes) == len(content)
        if len(notes) < len(content):
            self._leave_out(end)
        self._add(end, place + len(content))


def _lines(text: str) -> list[str]:
    """The lines of a text with their ends, at line feeds alone."""
    lines = text.split("\n")
    return [line + "\n" for line in lines[:-1]] + ([lines[-1]] if lines[-1] else [])


def _spans_left_out(notes: str) -> Iterator[tuple[int, int]]:
    """What of a line of music no network has learnt."""
    for token in tokens(notes):
        kind = token.lastgroup or ""
        if kind in _LEFT_OUT or (kind in ("mark", "other") and token[0] in _MARKS):
            yield token.start(), token.end()
        elif token[0][0] == "." and len(token[0]) > 1:  # of a dotted tie, slur or bar line
            yield token.start(), token.start() + 1
        elif kind == "chord":
            for mark in _MARKS_IN_CHORD.finditer(token[0]):
                yield token.start() + mark.start(), token.start() + mark.end()
