"""What a network is told beside each character: where in the tune it stands, and what was written a few bars back.

All of it follows from the text alone, one character at a time, and by the same code for training and for the service.
Any text will do: of what is not ABC, little is told. The idea of pointers into what was written is that of Magenta's
Lookback RNN (2016).
"""

from array import array
from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray

from app.abc.lookback import plan
from app.abc.lookback.alphabet import (
    BANG,
    BAR,
    BAR_LINE,
    BLANK,
    BROKEN,
    CLOSE,
    COLON,
    DIGIT,
    GRACE,
    GRACE_END,
    NEWLINE,
    NOTE,
    OPEN,
    QUOTE,
    REST,
    ROUND,
    SLASH,
    SPACE,
    Alphabet,
)
from app.abc.lookback.columns import (
    BEFORE,
    DEGREES,
    FIELD_PLACES,
    LAGS,
    MAX_BARS,
    OFF_GRID,
    ON_GRID,
    OTHER_PICKUP,
    PARTS,
    PHRASE,
    PICKUP_NUMBERS,
    PICKUPS,
    RUN_BOUNDS,
    RUNS,
)
from app.abc.lookback.header_numbers import RHYTHMS, WHOLE, key_number, meter_number, rhythm_number, ticks_of
from app.abc.lookback.plan import Plan, Planner

_LONGEST_RUN = RUN_BOUNDS[-1]
_SIXTEENTH, _EIGHTH = WHOLE // 16, WHOLE // 8
_RUN_OF = tuple(sum(length >= bound for bound in RUN_BOUNDS) for length in range(_LONGEST_RUN + 1))
_LAST_RUN = RUNS - 1
_FIRST_LAGS = tuple(tuple(range(count)) for count in range(len(LAGS) + 1))
_FIRST_LAGS = tuple(tuple(range(count)) for count in range(len(LAGS) + 1))
_PLACE, _BAR_COLUMN, _KEY, _FORM, _PLAN, _AGAIN = (1 + len(LAGS) + number for number in range(6))  # in a row
_TUPLET_TIMES = {2: (3, 2), 3: (2, 3), 4: (3, 4), 5: (2, 5), 6: (2, 6), 7: (2, 7), 8: (3, 8), 9: (2, 9)}


_PLAIN = (1, 1)
_NO_BAR: dict[int, int] = {}


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
        "_lags",
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
        "ending",
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
        self.ending: bool | None = None  # see `Plan.ending`
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
        self._last = NEWLINE  # the kind before this one
        self._a_bar_line = False  # whether a bar line is being written
        self._degree = 0
        # the pointers
        self._seek = False  # whether those that point nowhere may find a place
        self._lags = _FIRST_LAGS[0]  # those that there have been bars for; the others point nowhere
        self._pointers = [-1] * len(LAGS)
        self._runs = [0] * len(LAGS)
        row = self.row
        for lag in range(len(LAGS)):
            row[1 + lag] = self._nowhere
        row[_PLACE], row[_BAR_COLUMN], row[_KEY], row[_FORM] = BEFORE * DEGREES, 0, 0, 0
        if self._alphabet.is_planned:
            row[_PLAN] = row[_AGAIN] = 0

    def forget_planner(self) -> None:
        """Ask nobody for plans any more."""
        self._planner = None

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

    @property
    def tonic(self) -> str:
        """Its letter, in upper case; empty where the key names none."""
        return self._alphabet.characters[self._degrees.index(1)].upper() if 1 in self._degrees else ""

    def advance(self, id_: int) -> None:
        """Take the next character."""
        text, row = self._text, self.row
        row[0] = id_
        text.append(id_)
        if not self._in_body:
            self._read_header(id_)
            return
        kind = self._kinds[id_]
        if kind == NOTE and self._is_plain:
            self._take_note(id_, text, row)
            return
        if kind != SPACE or self._skips >= 0:
            self._read_body(kind, id_)
            if self._text is not text:  # that was the tune's end
                return
        else:
            self._last = kind
        runs, is_moved = self._runs, self._seek
        pointers = self._pointers
        for lag in self._lags:
            pointer = pointers[lag]
            if pointer >= 0:
                if text[pointer] == id_:
                    pointer += 1
                    pointers[lag] = pointer
                    run = runs[lag]
                    if run < _LONGEST_RUN:
                        runs[lag] = run = run + 1
                    row[lag + 1] = text[pointer] * RUNS + _RUN_OF[run]
                elif kind not in BLANK:
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
        self._last = NOTE
        self._a_bar_line = False
        self._note_began = began
        self._base = self._note_ticks = base = self._unit
        self._numerator = self._denominator = self._slashes = 0
        self._ends = len(text)
        self._degree = degree = self._degrees[id_]
        self._ticks = ticks = began + base
        row[_PLACE] = (_PLACES[ticks] if ticks < _KNOWN_TICKS else _place(ticks)) + degree
        runs, backs, pointers = self._runs, self._backs, self._pointers
        for lag in self._lags:
            pointer = pointers[lag]
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
                if self._kinds[target] in BLANK:
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
        while kinds[text[pointer]] in BLANK:
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
            was_bar_line = kinds[text[pointer]] in BAR_LINE
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
                while kinds[text[pointer]] in BLANK:
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
        if len(self._lags) < len(LAGS):
            self._lags = _FIRST_LAGS[max(len(self._lags), sum(count >= lag for lag in LAGS))]
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
                self.row[_PLACE] = BEFORE * DEGREES
        elif length == 2:
            if character == ":":
                place = FIELD_PLACES.get(self._alphabet.characters[text[self._line]], 7)
                self.row[_PLACE] = (BEFORE + place) * DEGREES
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
            self._meter, self._bar_ticks = meter_number(value)
        elif name == "L":
            self._unit = ticks_of(value)
        elif name == "R":
            self._rhythm = rhythm_number(value)
        elif name == "K":
            tonic, self.row[_KEY] = key_number(value)
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
            self._unit = _EIGHTH if not self._bar_ticks or self._bar_ticks >= WHOLE * 3 // 4 else _SIXTEENTH
        self._bar_ticks = self._bar_ticks or WHOLE
        self._base = self._note_ticks = 0
        self._ends = len(self._text)
        self._last = NEWLINE
        if self._planner:
            self._plan = self._planner(self.row[_FORM])
        self._tell_bar()
        self._tell_place()

    # -------------------------------------------------------------------------------------------------------- the body

    def _read_body(self, kind: int, id_: int) -> None:
        if self._skips >= 0:
            if kind not in (self._skips, NEWLINE):
                return
            self._skips = -1
            self._look_for_specials()
            if kind != NEWLINE:
                return
        last, self._last = self._last, kind
        if kind in (NOTE, REST):
            self._a_bar_line = False
            if self._in_chord == 2:
                return
            if self._in_chord:
                self._in_chord = 2
            self._begin_note(id_)
        elif kind == SPACE:
            pass
        elif kind in (BAR, COLON):
            self._read_bar_line(kind, last)
        elif kind == DIGIT:
            self._read_digit(id_, last)
        elif kind == SLASH:
            if not self._a_bar_line and self._in_chord != 2:
                self._slashes += 1
                self._set_length()
        elif kind == BROKEN:
            self._break_rhythm(self._alphabet.characters[id_])
        elif kind == NEWLINE:
            self._end_line()
        elif kind == OPEN:
            self._is_plain = self._a_bar_line = False
            self._in_chord = 1
        elif kind == CLOSE:
            if self._in_chord:
                self._in_chord = 0
                self._look_for_specials()
                self._base, self._numerator, self._denominator, self._slashes = self._note_ticks, 0, 0, 0
                self._ends = len(self._text)
            elif self._a_bar_line and last == BAR:
                self._end_part()
                self._ends = len(self._text)
        elif kind == GRACE:
            self._is_plain, self._skips = False, GRACE_END
        elif kind in (QUOTE, BANG):
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
        if last == ROUND:
            self._tuplet = _TUPLET_TIMES.get(digit, _PLAIN)
            self._tuplet_left = digit
            self._look_for_specials()
        elif self._a_bar_line or last == OPEN:
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
        if len(text) - self._line > 2 and self._kinds[text[self._line + 1]] == COLON:
            name = self._alphabet.characters[text[self._line]]
            if name.isalpha() and name not in "ABCDEFGabcdefgzx":
                self._take_field(self._line_text())
        self._in_chord = 0
        self._look_for_specials()
        self._line = len(text)

    def _read_bar_line(self, kind: int, last: int) -> None:
        if not self._a_bar_line:
            if self._tuplet_left and last == DIGIT and kind == COLON:  # (3:2:3
                return
            self._a_bar_line = True
            self._end_bar()
            if kind == COLON:
                self._end_part()
        elif kind == COLON or last == BAR:
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
                self._pickups[self._part] = PICKUP_NUMBERS.get(ticks, OTHER_PICKUP)
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
        bar = self._bar if self._bar < MAX_BARS - PHRASE else MAX_BARS - PHRASE + (self._bar - MAX_BARS) % PHRASE
        self.row[_BAR_COLUMN] = (bar + 1) * PARTS + min(self._part, PARTS - 1)
        if self._alphabet.is_planned:
            left, again = self._plan.told(self._part, self._bar) if self._plan else plan.NOTHING
            self.ending = self._plan.ending(self._part, self._bar) if self._plan else None
            self.row[_PLAN] = left
            self.row[_AGAIN] = again * PICKUPS + self._pickups.get(self._part, 0)


def _place(ticks: int) -> int:
    """What the column says of it, without the degree."""
    sixteenths, rest = divmod(ticks, _SIXTEENTH)
    if rest:
        return (ON_GRID + sixteenths // 2 % OFF_GRID) * DEGREES
    return min(sixteenths, ON_GRID - 1) * DEGREES


_KNOWN_TICKS = 2 * WHOLE
_PLACES = [_place(ticks) for ticks in range(_KNOWN_TICKS)]


def track(alphabet: Alphabet, ids: Iterable[int], planner: Planner | None = None) -> NDArray[np.int32]:
    """What a network reads of a whole text, [N, 1 + columns] int32."""
    tracker, rows = Tracker(alphabet, planner), array("i")
    for id_ in ids:
        tracker.advance(id_)
        rows.extend(tracker.row)
    return np.array(rows, np.int32).reshape(-1, 1 + alphabet.width)
