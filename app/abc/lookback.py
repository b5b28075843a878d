"""What a network is told beside each character: where in the tune it stands, and what was written a few bars back.

All of it follows from the text alone, one character at a time, and by the same code for training and for the service.
Any text will do: of what is not ABC, little is told. The idea of pointers into what was written is that of Magenta's
Lookback RNN (2016).

A column is an integer for each character. Some join two numbers that a network has an embedding each for; `COLUMNS`
says which.
"""

from array import array
from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from app.abc import plan
from app.abc.plan import Plan, Planner

LAGS = (1, 2, 4, 8)
"""How many bars back the pointers point."""

_RUN_BOUNDS = (1, 3, 6, 12, 24)  # characters for which a pointer has been right: 0, 1-2, 3-5, 6-11, 12-23, more
_LONGEST_RUN = 24
RUNS = len(_RUN_BOUNDS) + 1

_WHOLE = 1920  # ticks of a whole note
_SIXTEENTH, _EIGHTH = _WHOLE // 16, _WHOLE // 8
_ON_GRID, _OFF_GRID = 32, 8  # places in a bar by sixteenths; what lies between them, by eighths
_BEFORE, _FIELD_PLACES = _ON_GRID + _OFF_GRID, {"X": 1, "T": 2, "R": 3, "M": 4, "L": 5, "K": 6}
PLACES = _BEFORE + 8
DEGREES = 8  # none, and the seven of the scale
_BARS, _PHRASE = 24, 8  # bars of a part that are told apart; of longer ones, the place in a phrase
BARS = _BARS + 1
PARTS = 4

_LETTERS = "CDEFGAB"
_MODES = {"": 0, "maj": 0, "ion": 0, "m": 1, "min": 1, "aeo": 1, "mix": 2, "dor": 3}
_OTHER_MODE = 4
KEYS = 1 + 7 * 3 * 5  # none; letter, accidental, mode
_METERS = ("2/2", "2/4", "3/2", "3/4", "3/8", "4/4", "5/4", "6/4", "6/8", "7/8", "9/8", "12/8")
METERS = 1 + len(_METERS)
_RHYTHMS = (
    "air",
    "barndance",
    "clog",
    "fling",
    "hornpipe",
    "jig",
    "march",
    "mazurka",
    "polka",
    "reel",
    "set dance",
    "slide",
    "slip jig",
    "song",
    "strathspey",
    "three-two",
    "walkaround",
    "waltz",
)
_OTHER_RHYTHM = len(_RHYTHMS) + 1
RHYTHMS = len(_RHYTHMS) + 2  # none, and any other
_PICKUPS = {120: 1, 240: 2, 360: 3, 480: 4, 720: 5}  # ticks of a part's
_OTHER_PICKUP = len(_PICKUPS) + 1
PICKUPS = _OTHER_PICKUP + 1  # none, and any other


@dataclass(frozen=True)
class Column:
    """An integer for each character; `factors` are the ranges of the numbers that it joins, the last one fastest."""

    name: str
    factors: tuple[int, ...]

    @property
    def size(self) -> int:
        return int(np.prod(self.factors))


def columns(vocab_size: int, is_planned: bool = True) -> tuple[Column, ...]:
    """What stands beside the character, for a vocabulary of that size.

    A `back_N` is the character that the pointer N bars back points at (`vocab_size` where it points at none) and how
    long it has been right. The last two are for a network that is told a plan, and the part's pickup.
    """
    planned = (
        Column("plan", (plan.LEFT * plan.ENDS, plan.PARTS_LEFT)),  # a last bar that ends at home is like no other
        Column("again", (plan.RELATIONS, PICKUPS)),
    )
    return (
        *(Column(f"back_{lag}", (vocab_size + 1, RUNS)) for lag in LAGS),
        Column("place", (PLACES, DEGREES)),
        Column("bar", (BARS, PARTS)),
        Column("key", (KEYS,)),
        Column("form", (METERS, RHYTHMS)),
        *(planned if is_planned else ()),
    )


(
    _OTHER,
    _NOTE,
    _REST,
    _DIGIT,
    _SLASH,
    _BAR,
    _COLON,
    _SPACE,
    _NEWLINE,
    _BROKEN,
    _ROUND,
    _OPEN,
    _CLOSE,
    _QUOTE,
    _GRACE,
    _GRACE_END,
    _BANG,
) = range(17)
_BLANK, _BAR_LINE = (_SPACE, _NEWLINE), (_BAR, _COLON, _CLOSE)
_KINDS = {
    **dict.fromkeys("ABCDEFGabcdefg", _NOTE),
    **dict.fromkeys("zxZX", _REST),
    **dict.fromkeys("0123456789", _DIGIT),
    "/": _SLASH,
    "|": _BAR,
    ":": _COLON,
    " ": _SPACE,
    "\t": _SPACE,
    "\n": _NEWLINE,
    **dict.fromkeys("<>", _BROKEN),
    "(": _ROUND,
    "[": _OPEN,
    "]": _CLOSE,
    '"': _QUOTE,
    "{": _GRACE,
    "}": _GRACE_END,
    "!": _BANG,
}
_RUN_OF = tuple(sum(length >= bound for bound in _RUN_BOUNDS) for length in range(_LONGEST_RUN + 1))
_PLACE, _BAR_COLUMN, _KEY, _FORM, _PLAN, _AGAIN = (1 + len(LAGS) + number for number in range(6))  # in a row
_TUPLET_TIMES = {2: (3, 2), 3: (2, 3), 4: (3, 4), 5: (2, 5), 6: (2, 6), 7: (2, 7), 8: (3, 8), 9: (2, 9)}


_PLAIN = (1, 1)
_NO_BAR: dict[int, int] = {}


class Alphabet:
    """A vocabulary's characters as the tracker needs them, by id; `is_planned`: for a network that is told a plan."""

    def __init__(self, characters: str, is_planned: bool = False) -> None:
        self.characters = characters
        self.nowhere = len(characters) * RUNS
        self.kinds = [_KINDS.get(character, _OTHER) for character in characters]
        steps = [_LETTERS.find(c.upper()) if c in "ABCDEFGabcdefg" else -1 for c in characters]
        self.degrees = [[(step - tonic) % 7 + 1 if step >= 0 else 0 for step in steps] for tonic in range(7)]
        """Of each tonic's scale; the last one: of none."""
        self.degrees.append([0] * len(characters))
        self.digits = [int(c) if c in "0123456789" else 0 for c in characters]
        self.is_planned = is_planned
        self.width = len(columns(len(characters), is_planned))

    @classmethod
    def of_width(cls, characters: str, width: int) -> "Alphabet":
        """The one whose rows have so many columns beside the character.

        Raises:
            ValueError: there is none.
        """
        for is_planned in (False, True):
            if width == (alphabet := cls(characters, is_planned)).width:
                return alphabet
        raise ValueError(f"no {width} columns are known that stand beside a character")


class Tracker:
    """Where one text stands, after each character that `advance` is given; `copy` goes on from the same place.

    `row` is what a network reads of the last character: its id, and the columns in the order of `columns()`. It stays
    the same array of C ints all the time.

    Args:
        planner: asked for each tune's plan when its header is complete; None: no tune has one.
    """

    __slots__ = (
        "_a_bar_line",
        "_alphabet",
        "_backs",
        "_bar",
        "_bar_ticks",
        "_bars",
        "_base",
        "_before_ending",
        "_broken",
        "_degree",
        "_degrees",
        "_denominator",
        "_digits",
        "_ends",
        "_in_body",
        "_in_chord",
        "_is_plain",
        "_kinds",
        "_last",
        "_line",
        "_meter",
        "_note_began",
        "_note_ticks",
        "_nowhere",
        "_numerator",
        "_onsets",
        "_part",
        "_pickups",
        "_plan",
        "_planner",
        "_pointers",
        "_rhythm",
        "_runs",
        "_seek",
        "_skips",
        "_slashes",
        "_text",
        "_ticks",
        "_tuplet",
        "_tuplet_left",
        "_unit",
        "row",
    )

    def __init__(self, alphabet: Alphabet, planner: Planner | None = None) -> None:
        self._alphabet = alphabet
        self._planner = planner
        self._kinds, self._digits, self._nowhere = alphabet.kinds, alphabet.digits, alphabet.nowhere
        self.row = array("i", bytes(4 * (1 + alphabet.width)))
        self._reset()

    def _reset(self) -> None:
        """Before a tune."""
        self._text: list[int] = []
        self._line = 0  # where it begins in the text
        self._in_body = False
        # what the header says
        self._degrees = self._alphabet.degrees[0]
        self._meter = self._rhythm = 0
        self._unit = self._bar_ticks = 0
        # the bar
        self._bars: list[dict[int, int]] = []  # of each whole bar: ticks → where in the text what begins then begins
        self._onsets: dict[int, int] = {}  # those of the bar that is being written
        self._backs: list[dict[int, int]] = [_NO_BAR] * len(LAGS)  # the bars that the pointers look into
        self._ticks = 0
        self._bar = self._part = 0  # within the part; within the tune
        self._before_ending = (0, 0, 0)
        self._plan: Plan | None = None
        self._pickups: dict[int, int] = {}  # of each part that has one
        self._ends = 0  # where in the text the last note or bar line ended
        # the note
        self._note_began = self._base = self._note_ticks = 0
        self._numerator = self._denominator = self._slashes = 0
        self._broken = _PLAIN  # what the next note's length is multiplied with
        self._tuplet = _PLAIN
        self._tuplet_left = 0
        self._in_chord = 0  # 1: before its first note, 2: after it
        self._is_plain = True  # whether none of these says anything of the next note
        self._skips = -1  # up to which kind of character all is left aside
        self._last = _NEWLINE  # the kind before this one
        self._a_bar_line = False  # whether a bar line is being written
        self._degree = 0
        # the pointers
        self._seek = False  # whether those that point nowhere may find a place
        self._pointers = [-1] * len(LAGS)
        self._runs = [0] * len(LAGS)
        row = self.row
        for lag in range(len(LAGS)):
            row[1 + lag] = self._nowhere
        row[_PLACE], row[_BAR_COLUMN], row[_KEY], row[_FORM] = _BEFORE * DEGREES, 0, 0, 0
        if self._alphabet.is_planned:
            row[_PLAN] = row[_AGAIN] = 0

    def copy(self) -> "Tracker":
        """One that goes its own way from here."""
        other = Tracker.__new__(Tracker)
        for name in Tracker.__slots__:
            setattr(other, name, getattr(self, name))
        other._text, other._bars, other._onsets = self._text.copy(), self._bars.copy(), self._onsets.copy()
        other._pointers, other._runs, other._backs = self._pointers.copy(), self._runs.copy(), self._backs.copy()
        other._pickups = self._pickups.copy()
        other.row = self.row[:]
        return other

    @property
    def in_body(self) -> bool:
        """Whether the header is complete."""
        return self._in_body

    @property
    def bar_of_part(self) -> tuple[int, int]:
        """The part and the bar within it, both from 0 up; a pickup counts with the bar after it."""
        return self._part, self._bar

    @property
    def ticks(self) -> int:
        """How much of the bar is written."""
        return self._ticks

    @property
    def bar_ticks(self) -> int:
        """Those of a whole bar."""
        return self._bar_ticks

    @property
    def degree(self) -> int:
        """The last note's, 1 to 7; 0 where there is none."""
        return self._degree

    def advance(self, id_: int) -> None:
        """Take the next character."""
        text, row = self._text, self.row
        row[0] = id_
        text.append(id_)
        if not self._in_body:
            self._read_header(id_)
            return
        kind = self._kinds[id_]
        if kind == _NOTE and self._is_plain:
            self._take_note(id_, text, row)
            return
        if kind != _SPACE or self._skips >= 0:
            self._read_body(kind, id_)
            if self._text is not text:  # that was the tune's end
                return
        else:
            self._last = kind
        runs, is_moved = self._runs, self._seek
        pointers = self._pointers
        for lag, pointer in enumerate(pointers):
            if pointer >= 0:
                if text[pointer] == id_:
                    pointer += 1
                    pointers[lag] = pointer
                    run = runs[lag]
                    if run < _LONGEST_RUN:
                        runs[lag] = run = run + 1
                    row[lag + 1] = text[pointer] * RUNS + _RUN_OF[run]
                elif kind not in _BLANK:
                    self._part_ways(lag, id_)
            elif is_moved:
                self._point(lag)
        self._seek = False

    def _take_note(self, id_: int, text: list[int], row: "array[int]") -> None:
        """A note's letter where nothing special is going on: what `_begin_note` and the rest would do, at once."""
        began = self._ticks
        onsets = self._onsets
        if began not in onsets:
            onsets[began] = self._ends
        self._last = _NOTE
        self._a_bar_line = False
        self._note_began = began
        self._base = self._note_ticks = base = self._unit
        self._numerator = self._denominator = self._slashes = 0
        self._ends = len(text)
        self._degree = degree = self._degrees[id_]
        self._ticks = ticks = began + base
        row[_PLACE] = (_PLACES[ticks] if ticks < _KNOWN_TICKS else _place(ticks)) + degree
        runs, backs, pointers = self._runs, self._backs, self._pointers
        for lag, pointer in enumerate(pointers):
            if pointer >= 0:
                target = text[pointer]
                if target == id_:
                    pointer += 1
                    pointers[lag] = pointer
                    run = runs[lag]
                    if run < _LONGEST_RUN:
                        runs[lag] = run = run + 1
                    row[lag + 1] = text[pointer] * RUNS + _RUN_OF[run]
                    continue
                if self._kinds[target] in _BLANK:
                    self._seek = True
                    self._part_ways(lag, id_)
                    continue
            pointers[lag] = found = backs[lag].get(ticks, -1)
            runs[lag] = 0
            row[lag + 1] = text[found] * RUNS if found >= 0 else self._nowhere
        self._seek = False

    def _part_ways(self, lag: int, id_: int) -> None:
        """What was written is not what a pointer points at; white space and the kind of a bar line do not count."""
        kinds, text = self._kinds, self._text
        pointer, run = self._pointers[lag], self._runs[lag]
        while kinds[text[pointer]] in _BLANK:
            pointer += 1
        if text[pointer] == id_:
            self._pointers[lag] = pointer = pointer + 1
            self._runs[lag] = run = min(run + 1, _LONGEST_RUN)
            self.row[lag + 1] = text[pointer] * RUNS + _RUN_OF[run]
        elif not self._a_bar_line:
            self._point(lag)
        elif not self._seek and not self._ticks:  # its second sign
            return
        else:
            was_bar_line = kinds[text[pointer]] in _BAR_LINE
            self._point(lag)
            if was_bar_line and self._pointers[lag] >= 0:
                self._runs[lag] = run
                self.row[lag + 1] += _RUN_OF[run]

    def _point(self, lag: int) -> None:
        """Set a pointer anew: to what begins at this time in its bar, if anything does."""
        text = self._text
        pointer = self._backs[lag].get(self._ticks, -1)
        self._runs[lag] = 0
        if pointer >= 0:
            if len(text) > self._ends:  # what stands before a note has been begun here
                kinds = self._kinds
                while kinds[text[pointer]] in _BLANK:
                    pointer += 1
            self.row[lag + 1] = text[pointer] * RUNS
        else:
            self.row[lag + 1] = self._nowhere
        self._pointers[lag] = pointer

    def _look_back(self) -> None:
        """The bars changed: find those that the pointers look into."""
        bars = self._bars
        count = len(bars)
        self._backs = [bars[count - lag] if count >= lag else _NO_BAR for lag in LAGS]
        self._seek = True

    # ------------------------------------------------------------------------------------------------------ the header

    def _read_header(self, id_: int) -> None:
        text = self._text
        character = self._alphabet.characters[id_]
        length = len(text) - self._line
        if character == "\n":
            if length == 1:
                self._reset()
                return
            self._take_field(self._line_text())
            self._line = len(text)
            if not self._in_body:
                self.row[_PLACE] = _BEFORE * DEGREES
        elif length == 2:
            if character == ":":
                place = _FIELD_PLACES.get(self._alphabet.characters[text[self._line]], 7)
                self.row[_PLACE] = (_BEFORE + place) * DEGREES
            else:  # a tune without a header
                self._begin_body()

    def _line_text(self) -> str:
        """The line that ends here."""
        characters = self._alphabet.characters
        return "".join([characters[id_] for id_ in self._text[self._line : -1]])

    def _take_field(self, line: str) -> None:
        name, colon, value = line.partition(":")
        value = value.partition("%")[0].strip()
        if not colon or len(name) != 1:
            return
        if name == "M":
            self._meter, self._bar_ticks = _meter(value)
        elif name == "L":
            self._unit = _ticks(value)
        elif name == "R":
            self._rhythm = _rhythm(value)
        elif name == "K":
            tonic, self.row[_KEY] = _key(value)
            self._degrees = self._alphabet.degrees[tonic]
        elif name == "X" and self._in_body:
            line_began, text = self._line, self._text
            self._reset()
            self._text = text[line_began:]
        self.row[_FORM] = self._meter * RHYTHMS + self._rhythm
        if name == "K" and not self._in_body:
            self._begin_body()

    def _begin_body(self) -> None:
        self._in_body = True
        if not self._unit:
            self._unit = _EIGHTH if not self._bar_ticks or self._bar_ticks >= _WHOLE * 3 // 4 else _SIXTEENTH
        self._bar_ticks = self._bar_ticks or _WHOLE
        self._base = self._note_ticks = 0
        self._ends = len(self._text)
        self._last = _NEWLINE
        if self._planner:
            self._plan = self._planner(self.row[_FORM])
        self._tell_bar()
        self._tell_place()

    # -------------------------------------------------------------------------------------------------------- the body

    def _read_body(self, kind: int, id_: int) -> None:
        if self._skips >= 0:
            if kind not in (self._skips, _NEWLINE):
                return
            self._skips = -1
            self._look_for_specials()
            if kind != _NEWLINE:
                return
        last, self._last = self._last, kind
        if kind in (_NOTE, _REST):
            self._a_bar_line = False
            if self._in_chord == 2:
                return
            if self._in_chord:
                self._in_chord = 2
            self._begin_note(id_)
        elif kind == _SPACE:
            pass
        elif kind in (_BAR, _COLON):
            self._read_bar_line(kind, last)
        elif kind == _DIGIT:
            self._read_digit(id_, last)
        elif kind == _SLASH:
            if not self._a_bar_line and self._in_chord != 2:
                self._slashes += 1
                self._set_length()
        elif kind == _BROKEN:
            self._break_rhythm(self._alphabet.characters[id_])
        elif kind == _NEWLINE:
            self._end_line()
        elif kind == _OPEN:
            self._is_plain = self._a_bar_line = False
            self._in_chord = 1
        elif kind == _CLOSE:
            if self._in_chord:
                self._in_chord = 0
                self._look_for_specials()
                self._base, self._numerator, self._denominator, self._slashes = self._note_ticks, 0, 0, 0
                self._ends = len(self._text)
            elif self._a_bar_line and last == _BAR:
                self._end_part()
                self._ends = len(self._text)
        elif kind == _GRACE:
            self._is_plain, self._skips = False, _GRACE_END
        elif kind in (_QUOTE, _BANG):
            self._is_plain, self._skips = False, kind

    def _look_for_specials(self) -> None:
        """See whether the next note is one that `_take_note` can take."""
        self._is_plain = not (self._skips >= 0 or self._in_chord or self._tuplet_left) and self._broken is _PLAIN

    def _begin_note(self, id_: int) -> None:
        self._degree = self._degrees[id_]
        onsets, began = self._onsets, self._ticks
        if began not in onsets:
            onsets[began] = self._ends
        self._note_began = began
        base = self._unit
        if self._tuplet_left:
            self._tuplet_left -= 1
            base = base * self._tuplet[0] // self._tuplet[1]
        if self._broken is not _PLAIN:
            base = base * self._broken[0] // self._broken[1]
            self._broken = _PLAIN
        self._is_plain = not (self._tuplet_left or self._in_chord)
        self._base = self._note_ticks = base
        self._numerator = self._denominator = self._slashes = 0
        self._ticks = ticks = began + base
        self._ends = len(self._text)
        self._seek = True
        self.row[_PLACE] = (_PLACES[ticks] if ticks < _KNOWN_TICKS else _place(ticks)) + self._degree

    def _set_length(self) -> None:
        """The note's, as far as it is written."""
        below = self._denominator or 1 << min(self._slashes, 8)
        self._note_ticks = self._base * min(self._numerator or 1, 99) // below
        self._ticks = self._note_began + self._note_ticks
        self._ends = len(self._text)
        self._seek = True
        self._tell_place()

    def _read_digit(self, id_: int, last: int) -> None:
        digit = self._digits[id_]
        if last == _ROUND:
            self._tuplet = _TUPLET_TIMES.get(digit, _PLAIN)
            self._tuplet_left = digit
            self._look_for_specials()
        elif self._a_bar_line or last == _OPEN:
            self._in_chord = 0
            self._look_for_specials()
            self._begin_ending(digit)
        elif self._in_chord == 2 or not self._base:
            return
        elif self._slashes:
            self._denominator = min(self._denominator * 10 + digit, 999)
            self._set_length()
        else:
            self._numerator = min(self._numerator * 10 + digit, 999)
            self._set_length()

    def _break_rhythm(self, sign: str) -> None:
        longer, shorter = (3, 2), (1, 2)
        mine, self._broken = (longer, shorter) if sign == ">" else (shorter, longer)
        self._is_plain = False
        self._note_ticks = self._note_ticks * mine[0] // mine[1]
        self._ticks = self._note_began + self._note_ticks
        self._ends = len(self._text)
        self._seek = True
        self._tell_place()

    def _end_line(self) -> None:
        text = self._text
        if len(text) - self._line == 1:
            self._reset()
            return
        if len(text) - self._line > 2 and self._kinds[text[self._line + 1]] == _COLON:
            name = self._alphabet.characters[text[self._line]]
            if name.isalpha() and name not in "ABCDEFGabcdefgzx":
                self._take_field(self._line_text())
        self._in_chord = 0
        self._look_for_specials()
        self._line = len(text)

    def _read_bar_line(self, kind: int, last: int) -> None:
        if not self._a_bar_line:
            if self._tuplet_left and last == _DIGIT and kind == _COLON:  # (3:2:3
                return
            self._a_bar_line = True
            self._end_bar()
            if kind == _COLON:
                self._end_part()
        elif kind == _COLON or last == _BAR:
            self._end_part()
        self._ends = len(self._text)

    def _end_bar(self) -> None:
        ticks, onsets = self._ticks, self._onsets
        self._in_chord = self._base = self._tuplet_left = 0
        self._broken = _PLAIN
        self._is_plain = self._skips < 0
        if ticks:
            if self._bar or ticks >= self._bar_ticks:  # else it is a pickup
                if ticks not in onsets:
                    onsets[ticks] = self._ends
                self._bars.append(onsets)
                self._bar += 1
                self._look_back()
            else:
                self._pickups[self._part] = _PICKUPS.get(ticks, _OTHER_PICKUP)
            self._onsets = {}
            self._ticks = self._note_ticks = 0
            self._seek = True
            self._tell_bar()
        self._tell_place()

    def _end_part(self) -> None:
        if self._bar:
            self._part += 1
            self._bar = 0
            self._tell_bar()

    def _begin_ending(self, number: int) -> None:
        """The second one stands in the place of the first."""
        if number <= 1:
            self._before_ending = (len(self._bars), self._bar, self._part)
        elif self._before_ending[0]:
            bars, self._bar, self._part = self._before_ending
            del self._bars[bars:]
            self._look_back()
            self._tell_bar()
        self._ends = len(self._text)

    def _tell_place(self) -> None:
        ticks = self._ticks
        self.row[_PLACE] = (_PLACES[ticks] if ticks < _KNOWN_TICKS else _place(ticks)) + self._degree

    def _tell_bar(self) -> None:
        bar = self._bar if self._bar < _BARS - _PHRASE else _BARS - _PHRASE + (self._bar - _BARS) % _PHRASE
        self.row[_BAR_COLUMN] = (bar + 1) * PARTS + min(self._part, PARTS - 1)
        if self._alphabet.is_planned:
            left, again = self._plan.told(self._part, self._bar) if self._plan else plan.NOTHING
            self.row[_PLAN] = left
            self.row[_AGAIN] = again * PICKUPS + self._pickups.get(self._part, 0)


def _place(ticks: int) -> int:
    """What the column says of it, without the degree."""
    sixteenths, rest = divmod(ticks, _SIXTEENTH)
    if rest:
        return (_ON_GRID + sixteenths // 2 % _OFF_GRID) * DEGREES
    return min(sixteenths, _ON_GRID - 1) * DEGREES


_KNOWN_TICKS = 2 * _WHOLE
_PLACES = [_place(ticks) for ticks in range(_KNOWN_TICKS)]


def track(alphabet: Alphabet, ids: Iterable[int], planner: Planner | None = None) -> NDArray[np.int32]:
    """What a network reads of a whole text, [N, 1 + columns] int32."""
    tracker, rows = Tracker(alphabet, planner), array("i")
    for id_ in ids:
        tracker.advance(id_)
        rows.extend(tracker.row)
    return np.array(rows, np.int32).reshape(-1, 1 + alphabet.width)


def form_number(rhythm: str, meter: str) -> int:
    """What the column `form` says of a header's `R:` and `M:`."""
    return _meter(meter)[0] * RHYTHMS + _rhythm(rhythm)


def meter_of_form(number: int) -> int:
    """The metre's number in what the column `form` says; 0 for none that is known."""
    return number // RHYTHMS


def _meter(value: str) -> tuple[int, int]:
    """Its number, and the ticks of its bar."""
    value = {"C": "4/4", "C|": "2/2"}.get(value, value)
    return _METERS.index(value) + 1 if value in _METERS else 0, _ticks(value)


def _ticks(value: str) -> int:
    """Those of a fraction of a whole note; 0 where it is none."""
    above, _, below = value.partition("/")
    if above.isdecimal() and below.isdecimal() and len(value) < 8 and int(below):
        return _WHOLE * int(above) // int(below)
    return 0


def _rhythm(value: str) -> int:
    value = value.lower()
    return 0 if not value else _RHYTHMS.index(value) + 1 if value in _RHYTHMS else _OTHER_RHYTHM


def _key(value: str) -> tuple[int, int]:
    """The tonic's step above C (-1: none) and the key's number."""
    letter = _LETTERS.find(value[:1]) if value else -1
    if letter < 0:
        return -1, 0
    sign = {"#": 1, "b": 2}.get(value[1:2], 0)
    rest = value[2 if sign else 1 :].strip().lower()
    mode = _MODES.get(rest[:3] if rest[:1] != "m" or rest[:3] in _MODES else "m", _OTHER_MODE)
    return letter, 1 + (letter * 3 + sign) * 5 + mode
