"""Reads music lines, in ABC of any age, into bars and the marks between them.

ABC 2.1, section 4; what is older: `!` as a line break, `+CEG+` as a chord, `[|]` as a bar line to hang a word on.
What tells a player more than the notes do (bowing, fingering, dynamics, chord symbols, slurs, lyrics) is passed over.
"""

import re
from dataclasses import dataclass, replace
from fractions import Fraction
from functools import lru_cache

from app.abc.lengths import broken_shares
from app.abc.pitch import ACCIDENTALS, NOTE, Pitch, place_of
from app.abc.plain import Bar, Note, length_of
from app.abc.tokens import TOKENS, lexer
from app.abc.tunebook import FIELD
from app.abc.written_subset import tuplet_times
from training.dialect import header
from training.dialect.header import Found
from training.errors import DialectError

_LENGTH = r"\d*(?:/\d*)*"
_PITCH = NOTE.replace("(", "(?:")

OLD_TOKENS = {
    "note": rf"(?P<note>{_PITCH}{_LENGTH})",
    "space": r"(?P<space>[ \t])",
    "decoration": r"(?P<decoration>![A-Za-z0-9.<>()+:]+!(?=.))",
    "ending": r"(?P<ending>\[\d[\d,.\-]*|(?<=[|:\]])\d[\d,.\-]*)",
    "bar": r"(?P<bar>(?:\[\|\]|\[\||[:|]|(?<=[|:])\])+)",
    "tuplet": r"(?P<tuplet>\(\d(?::\d*)*)",
    "rest": rf"(?P<rest>[zx]{_LENGTH}|Z\d*)",
    "chord": rf"(?P<chord>\[[^\]|:\n\d][^\]|:\n]*\]{_LENGTH}|\+{_PITCH}[^+|\n]*\+{_LENGTH})",
    "mark": rf"(?P<mark>Hx|[!\\`*$~.H-WYh-v]|w(?!:)|y{_LENGTH})",  # Hx is a fermata over nothing
}
"""Those that old books spell otherwise than ABC 2.1 does."""

_TOKEN = lexer({**TOKENS, **OLD_TOKENS})
_PASSED_OVER = frozenset({"quoted", "decoration", "slur", "mark"})
_NOTE = re.compile(rf"{NOTE}({_LENGTH})")
_PLAIN_FIELDS = frozenset("ABCDFGHINOQRSTWXZwrsmUu+")  # those that change no note, as the body of a tune may hold


@dataclass(frozen=True)
class Mark:
    """What stands between two bars."""

    closes: bool = False  # `:|`
    opens: bool = False  # `|:`
    double: bool = False  # `||` or `|]`
    ending: int = 0  # `1` or `2`

    def then(self, other: "Mark") -> "Mark":
        """Two marks without a note between them are one."""
        return Mark(
            self.closes or other.closes,
            self.opens or other.opens,
            self.double or other.double,
            other.ending or self.ending,
        )


@dataclass(frozen=True)
class Score:
    """Bars with the mark before the first and after each."""

    opening: Mark
    bars: tuple[tuple[Bar, Mark], ...]


def read(music: str, found: Found) -> Score:
    """The bars of a tune's music, all in the header's key and metre; of notes that sound at once in a voice the first.

    Raises:
        DialectError: something in it has no place in plain notation.
    """
    reader = _Reader(found)
    lines = _joined(music).split("\n")
    for number, line in enumerate(lines):
        if number:
            reader.take_line_break()
        if FIELD.match(line) and line[2:3] not in ("|", ":"):  # `A:|` is music
            reader.take("field", line)
        else:
            for token in _TOKEN.finditer(line):
                reader.take(token.lastgroup or "", token[0])
    return reader.finish()


def _joined(music: str) -> str:
    """Music without what old mail left at the ends of lines, and an ending's number on the line of its bar line."""
    music = re.sub(r"=(?:20)?$", "", music, flags=re.MULTILINE)
    return re.sub(r"\\[ \t]*\n(?=\d)", "", music)


@lru_cache
def length(text: str) -> Fraction:
    """`3`, `/`, `3/4`, `//`: the length after a note, in units; at most one number above and below.

    Raises:
        DialectError: it is no length.
    """
    above, *below = text.split("/")
    value = Fraction(int(above or 1))
    for part in below:
        divisor = int(part or 2)
        if divisor == 0:
            raise DialectError("length divided by zero")
        value /= divisor
    return value


class _Reader:
    """What has been read so far."""

    def __init__(self, found: Found) -> None:
        self._head, self._scale = found.header, found.scale
        self._bar_length = Fraction(found.header.meter)
        self._key, self._unit = found.key, found.unit * found.scale
        self._is_overlaid = False
        self._opening: Mark | None = None
        self._bars: list[tuple[Bar, Mark]] = []
        self._notes: list[Note] = []
        self._accidentals: dict[str, int] = {}
        self._tied: dict[int, int] = {}  # place: alter, of the notes that a tie leads on
        self._grace: tuple[Pitch, ...] = ()
        self._tuplet, self._tuplet_left = 0, 0
        self._broken = ""
        self._spaced = False

    def take(self, kind: str, text: str) -> None:
        if text == "&" or kind == "bar":
            self._is_overlaid = kind != "bar"
        if self._is_overlaid and kind != "field":
            return
        if kind == "other":
            raise DialectError(f"not understood: {text!r}")
        if kind not in _PASSED_OVER:
            getattr(self, f"_take_{kind}")(text)

    def _take_overlay(self, text: str) -> None:
        raise DialectError(f"not understood: {text!r}")

    def finish(self) -> Score:
        self._end_bar(Mark(double=True))
        if not self._bars:
            raise DialectError("no notes")
        return Score(self._opening or Mark(), tuple(self._bars))

    def _take_space(self, _: str) -> None:
        self._spaced = True

    def take_line_break(self) -> None:
        self._spaced = True
        if self._notes and not self._tuplet_left and length_of(tuple(self._notes)) == self._bar_length:
            self._end_bar(Mark())  # a bar line is often left out at the end of a line

    def _take_field(self, text: str) -> None:
        name, value = text.strip("[]").split(":", 1)
        value = value.split("%")[0].strip()
        if name == "K":
            self._key = header.read_key(value)
        elif name == "L":
            self._unit = header.read_unit(value) * self._scale
        elif name == "M" and not self._is_as_long(value):
            raise DialectError("metre changes within the tune")
        elif name == "P" or name == "M" or name in _PLAIN_FIELDS:
            pass
        else:
            raise DialectError(f"field {name}: within the tune")

    def _is_as_long(self, meter: str) -> bool:
        """Whether bars of another metre are as long: those of 2/2 and 4/4, of 3/4 and 6/8."""
        try:
            written, scale = header.read_meter(meter)
        except DialectError:
            return False
        return Fraction(written) / scale == self._bar_length / self._scale

    def _take_note(self, text: str) -> None:
        pitch, written = self._pitch(text)
        self._add(Note((pitch,), written * self._unit))

    def _take_rest(self, text: str) -> None:
        if text[0] != "Z":
            self._add(Note((), length(text[1:]) * self._unit))
            return
        for count in range(int(text[1:] or 1)):
            if count:
                self._end_bar(Mark())
            self._add(Note((), self._bar_length))

    def _take_chord(self, text: str) -> None:
        inside, _, outside = text[1:].rpartition("+" if text[0] == "+" else "]")
        members = [self._pitch(match[0]) for match in _NOTE.finditer(re.sub(r'"[^"]*"|![^!]*!', "", inside))]
        lengths = {written for _, written in members}
        if len(lengths) != 1:
            raise DialectError("chord of unequal notes")
        pitches = {pitch.place: pitch for pitch, _ in members}
        tied = "-" in inside
        self._add(Note(tuple(pitches.values()), lengths.pop() * length(outside) * self._unit, tied=tied))

    def _take_grace(self, text: str) -> None:
        self._grace += tuple(self._pitch(match[0], in_grace=True)[0] for match in _NOTE.finditer(text))

    def _take_tuplet(self, text: str) -> None:
        count, *rest = text[1:].split(":")
        time, spans = (*rest, "", "")[:2]
        usual = self._tuplet_time(count)
        if usual is None or time not in ("", str(usual)) or spans not in ("", count):
            raise DialectError("tuplet of another kind than (2 (3 (4 (5")
        if self._tuplet_left:
            raise DialectError("tuplet unfinished")
        self._tuplet = self._tuplet_left = int(count)

    def _tuplet_time(self, count: str) -> int | None:
        """For how many notes' time; None for a tuplet that is not written here."""
        beats = int(self._head.meter.split("/")[0])
        return tuplet_times(beats).get(int(count))

    def _take_broken(self, text: str) -> None:
        if not self._notes or self._broken or len(text) > 2:
            raise DialectError("broken rhythm without two notes")
        last = self._notes[-1]
        if last.in_tuplet and not self._tuplet_left:
            raise DialectError("broken rhythm out of a tuplet")
        self._broken = text
        self._notes[-1] = replace(last, broken=text, factor=last.factor * broken_shares(text)[0])

    def _take_tie(self, _: str) -> None:
        if self._notes and self._notes[-1].pitches:
            self._notes[-1] = replace(self._notes[-1], tied=True)
            self._tied = {pitch.place: pitch.alter for pitch in self._notes[-1].pitches}

    def _take_ending(self, text: str) -> None:
        number = text.strip("[.,-")
        if number not in ("1", "2"):
            raise DialectError("endings other than first and second")
        self._end_bar(Mark(ending=int(number)))

    def _take_bar(self, text: str) -> None:
        if text == ":":  # the bar line beside it was forgotten
            text = ":|" if self._notes else "|:"
        plain = text.replace("[|]", "|")
        closes = plain.lstrip("[").startswith(":") or plain == "|:|"
        self._end_bar(Mark(closes, plain.endswith(":"), double="||" in plain or "|]" in plain or "[|" in plain))

    def _end_bar(self, mark: Mark) -> None:
        if self._tuplet_left:
            raise DialectError("tuplet across a bar line")
        if self._broken:
            raise DialectError("broken rhythm across a bar line")
        self._grace = ()
        self._accidentals = {}
        self._spaced = False
        if self._notes:
            self._bars.append((tuple(self._notes), mark))
            self._notes = []
        elif self._bars:
            bar, before = self._bars[-1]
            self._bars[-1] = (bar, before.then(mark))
        else:
            self._opening = (self._opening or Mark()).then(mark)

    def _add(self, note: Note) -> None:
        factor = Fraction(1)
        begins = 0
        if self._tuplet_left:
            begins = self._tuplet if self._tuplet_left == self._tuplet else 0
            factor = Fraction(self._tuplet_time(str(self._tuplet)) or 1, self._tuplet)
            if not begins and note.written != self._notes[-1].written:
                raise DialectError("tuplet of unequal notes")
            self._tuplet_left -= 1
        if self._broken:
            if begins:
                raise DialectError("broken rhythm into a tuplet")
            factor *= broken_shares(self._broken)[1]
        note = replace(
            note,
            factor=factor,
            tuplet=begins,
            in_tuplet=self._tuplet > 0,
            spaced=self._spaced and bool(self._notes),
            grace=self._grace if note.pitches else (),
        )
        if not self._tuplet_left:
            self._tuplet = 0
        self._notes.append(note)
        self._tied = {pitch.place: pitch.alter for pitch in note.pitches} if note.tied else {}
        self._grace, self._broken, self._spaced = (), "", False

    def _pitch(self, text: str, *, in_grace: bool = False) -> tuple[Pitch, Fraction]:
        """A pitch as it sounds: by its accidental, or that of the bar (in all octaves), of a tie or of the key."""
        match = _NOTE.fullmatch(text)
        if match is None:
            raise DialectError(f"not a note: {text}")
        sign, letter, marks, written = match.groups()
        place = place_of(letter, marks)
        letter = letter.upper()
        if sign:
            self._accidentals[letter] = ACCIDENTALS[sign]
        held = None if in_grace else self._tied.get(place)
        alter = self._accidentals.get(letter, self._key.alter(letter))
        if held is not None and not sign and letter not in self._accidentals:
            alter = held
        return Pitch(place, alter, ACCIDENTALS[sign] if sign else None), length(written)
