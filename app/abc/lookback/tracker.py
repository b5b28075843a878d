"""Follows a text one character at a time, and says of each what a network is told beside it.

All of it follows from the text alone, and by the same code for training and for the service. Any text will do: of what
is not ABC, little is told. The idea of pointers into what was written is that of Magenta's Lookback RNN (2016).
"""

from array import array
from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray

from app.abc.lookback.alphabet import (
    BANG,
    BAR,
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
    AGAIN_AT,
    BAR_AT,
    BEFORE,
    DEGREES,
    FIELD_PLACES,
    FORM_AT,
    KEY_AT,
    OFF_GRID,
    ON_GRID,
    OTHER_FIELD,
    PLACE_AT,
    PLAN_AT,
)
from app.abc.lookback.form_position import FormPosition
from app.abc.lookback.header_fields import HeaderFields
from app.abc.lookback.header_numbers import WHOLE
from app.abc.lookback.match_model import MatchModel
from app.abc.lookback.note_length import NO_SIGNS, NoteLength
from app.abc.lookback.plan import Planner
from app.abc.lookback.pointers import Onsets, Pointers

_SIXTEENTH = WHOLE // 16
_BAR_LINE, _NOTE_OR_REST = (BAR, COLON), (NOTE, REST)
_NOT_IN_CHORD, _CHORD_OPENED, _CHORD_HAS_NOTE = range(3)


class Tracker:
    """Where one text stands, after each character that `advance` is given; `copy` goes on from the same place.

    `row` is what a network reads of the last character: its id, and the columns in the order of `columns()`. It stays
    the same array of C ints all the time. `ending` is `Plan.ending` of the bar.

    Args:
        planner: asked for each tune's plan when its header is complete; None: no tune has one.
    """

    __slots__ = (
        "_alphabet",
        "_characters_before",
        "_chord",
        "_degree",
        "_degrees",
        "_ends",
        "_form",
        "_header",
        "_in_bar_line",
        "_in_body",
        "_is_moved",
        "_is_plain",
        "_kinds",
        "_last",
        "_length",
        "_line",
        "_match",
        "_note_began",
        "_onsets",
        "_planned_from",
        "_planner",
        "_pointers",
        "_skips",
        "_text",
        "_ticks",
        "ending",
        "row",
    )

    def __init__(self, alphabet: Alphabet, planner: Planner | None = None) -> None:
        self._alphabet = alphabet
        self._planner = planner
        self._planned_from = 0
        self._kinds = alphabet.kinds
        self.row = array("i", bytes(4 * (1 + alphabet.width)))
        self._characters_before = 0
        self._reset([])

    def _reset(self, text: list[int]) -> None:
        """Before a tune, which begins with that text."""
        self._text = text
        self._line = 0  # where it begins in the text
        self._in_body = False
        self._header = HeaderFields()
        self._degrees = self._alphabet.degrees[0]
        self._form = FormPosition()
        self.ending: bool | None = None
        self._onsets: Onsets = {}  # those of the bar that is being written
        self._ticks = 0  # of the bar
        self._ends = 0  # where in the text the last note or bar line ended
        self._note_began = 0  # in the bar
        self._degree = 0
        self._length = NoteLength()
        self._chord = _NOT_IN_CHORD
        self._is_plain = True  # whether nothing but its letter says how long the next note is
        self._skips = -1  # up to which kind of character all is left aside
        self._last = NEWLINE  # the kind before this one
        self._in_bar_line = False
        self._is_moved = False  # whether there is another bar or time in it than before this character
        row = self.row
        self._pointers = Pointers(self._alphabet, text, row)
        self._match = MatchModel(self._alphabet, text, row) if self._alphabet.is_matched else None
        row[PLACE_AT], row[BAR_AT], row[KEY_AT], row[FORM_AT] = BEFORE * DEGREES, 0, 0, 0
        if self._alphabet.is_planned:
            row[PLAN_AT] = row[AGAIN_AT] = 0

    def plan_by(self, planner: Planner | None, after: int) -> None:
        """Ask this planner from now on, but for no header that is complete before so many more characters."""
        self._planner = planner
        self._planned_from = self._characters_before + len(self._text) + after

    def copy(self) -> "Tracker":
        """A copy that goes on from the same place, independently."""
        other = Tracker.__new__(Tracker)
        other.row = self.row[:]
        other.stand_as(self)
        return other

    def stand_as(self, other: "Tracker") -> None:
        """Go on from where another one of the same alphabet stands; `row` stays the same array."""
        for name in _OF_VALUES:
            setattr(self, name, getattr(other, name))
        self.row[:] = other.row
        self._text, self._onsets = other._text.copy(), other._onsets.copy()
        self._header, self._form, self._length = other._header.copy(), other._form.copy(), other._length.copy()
        self._pointers = other._pointers.copy(self._text, self.row)
        self._match = other._match and other._match.copy(self._text, self.row)

    @property
    def in_body(self) -> bool:
        """Whether the header is complete."""
        return self._in_body

    @property
    def redraws(self) -> int:
        """Those of the plan (see `Plan.redraws`); 0 where there is none."""
        return self._form.plan.redraws if self._form.plan else 0

    @property
    def parts_left(self) -> int | None:
        """The planned parts after this one, below 0 behind the last; None where a plan holds no bar to its place."""
        plan = self._form.plan
        return len(plan.parts) - 1 - self._form.part if plan and plan.is_held and plan.redraws else None

    @property
    def bar_of_part(self) -> tuple[int, int]:
        """The part and the bar within it, both from 0 up; a pickup counts with the bar after it."""
        return self._form.part, self._form.bar

    @property
    def ticks(self) -> int:
        """How much of the bar is written."""
        return self._ticks

    @property
    def bar_ticks(self) -> int:
        """The ticks of a whole bar, by the metre."""
        return self._header.bar_ticks

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
        text = self._text
        self.row[0] = id_
        text.append(id_)
        if not self._in_body:
            if self._kinds[id_] == NEWLINE or len(text) == self._line + 2:
                self._read_header(id_)
            return
        kind = self._kinds[id_]
        if kind == NOTE and self._is_plain:
            # what `_begin_note` and the rest would do, at once
            length = self._length
            self._note_began = began = self._ticks
            if began not in self._onsets:
                self._onsets[began] = self._ends
            self._last = NOTE
            self._in_bar_line = False
            length.base = length.ticks = base = length.unit
            length.signs = NO_SIGNS
            self._ends = len(text)
            self._degree = degree = self._degrees[id_]
            self._ticks = ticks = began + base
            self.row[PLACE_AT] = (_PLACES[ticks] if ticks < _KNOWN_TICKS else _place(ticks)) + degree
            self._pointers.begin_note(id_, ticks)
            if self._match:
                self._match.advance(id_)
            return
        if kind != SPACE or self._skips >= 0:
            self._read_body(kind, id_)
            if self._text is not text:  # that was the tune's end
                return
        else:
            self._last = kind
        self._pointers.advance(id_, self._ticks, self._ends, self._in_bar_line, self._is_moved)
        self._is_moved = False
        if self._match:
            self._match.advance(id_)

    # ------------------------------------------------------------------------------------------------------ the header

    def _read_header(self, id_: int) -> None:
        """Take what tells something: a line's end, or its second character."""
        text, line = self._text, self._line
        if self._kinds[id_] != NEWLINE:
            if self._kinds[id_] == COLON:
                place = FIELD_PLACES.get(self._alphabet.characters[text[line]], OTHER_FIELD)
                self.row[PLACE_AT] = (BEFORE + place) * DEGREES
            else:  # a tune without a header
                self._begin_body()
        elif len(text) == line + 1:
            self._end_tune()
        else:
            self._take_field(self._line_text())
            self._line = len(text)
            if not self._in_body:
                self.row[PLACE_AT] = BEFORE * DEGREES

    def _end_tune(self, next_begins: int | None = None) -> None:
        """Forget the tune; the text of the next one, where it has begun already, is kept."""
        text = self._text
        begins = len(text) if next_begins is None else next_begins
        self._characters_before += begins
        self._reset(text[begins:])

    def _line_text(self) -> str:
        """The line that ends here."""
        characters = self._alphabet.characters
        return "".join([characters[id_] for id_ in self._text[self._line : -1]])

    def _take_field(self, line: str) -> None:
        name, colon, value = line.partition(":")
        if not colon or len(name) != 1:
            return
        if name == "X" and self._in_body:
            self._end_tune(self._line)
        header = self._header
        header.take(name, value.partition("%")[0].strip())
        self._length.unit = header.unit
        self._degrees = self._alphabet.degrees[header.tonic]
        self.row[KEY_AT], self.row[FORM_AT] = header.key, header.form
        if name == "K" and not self._in_body:
            self._begin_body()

    def _begin_body(self) -> None:
        self._in_body = True
        self._header.complete()
        self._length.unit = self._header.unit
        self._ends = len(self._text)
        self._last = NEWLINE
        if self._planner and self._characters_before + len(self._text) >= self._planned_from:
            self._form.plan = self._planner(self.row[FORM_AT])
        self._write_form()
        self._write_place()

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
        if kind in _BAR_LINE:
            self._read_bar_line(kind, last)
        elif kind == DIGIT:
            self._read_digit(self._alphabet.digits[id_], last)
        elif kind in _NOTE_OR_REST:
            self._in_bar_line = False
            if self._chord == _CHORD_HAS_NOTE:
                return
            if self._chord:
                self._chord = _CHORD_HAS_NOTE
            self._begin_note(id_)
        elif kind == SLASH:
            if not self._in_bar_line and self._chord != _CHORD_HAS_NOTE:
                self._length.add_slash()
                self._move()
        elif kind == BROKEN:
            self._length.break_rhythm(self._alphabet.characters[id_])
            self._is_plain = False
            self._move()
        elif kind == NEWLINE:
            self._end_line()
        elif kind == OPEN:
            self._is_plain = self._in_bar_line = False
            self._chord = _CHORD_OPENED
        elif kind == CLOSE:
            if self._chord:
                self._chord = _NOT_IN_CHORD
                self._look_for_specials()
                self._length.end_chord()
                self._ends = len(self._text)
            elif self._in_bar_line and last == BAR:
                self._end_part()
                self._ends = len(self._text)
        elif kind == GRACE:
            self._is_plain, self._skips = False, GRACE_END
        elif kind in (QUOTE, BANG):
            self._is_plain, self._skips = False, kind

    def _look_for_specials(self) -> None:
        """See whether the next note is one that `_take_plain_note` can take."""
        self._is_plain = self._skips < 0 and not self._chord and self._length.next_is_unit

    def _begin_note(self, id_: int) -> None:
        self._degree = self._degrees[id_]
        onsets, began = self._onsets, self._ticks
        if began not in onsets:
            onsets[began] = self._ends
        self._note_began = began
        self._length.begin_note()
        self._look_for_specials()
        self._move()

    def _move(self) -> None:
        """The note that is being written has another length now."""
        self._ticks = ticks = self._note_began + self._length.ticks
        self._ends = len(self._text)
        self._is_moved = True
        self.row[PLACE_AT] = (_PLACES[ticks] if ticks < _KNOWN_TICKS else _place(ticks)) + self._degree

    def _read_digit(self, digit: int, last: int) -> None:
        if last == ROUND:
            self._length.begin_tuplet(digit)
            self._look_for_specials()
        elif self._in_bar_line or last == OPEN:
            self._chord = _NOT_IN_CHORD
            self._look_for_specials()
            self._begin_ending(digit)
        elif self._chord != _CHORD_HAS_NOTE and self._length.base:
            self._length.add_digit(digit)
            self._move()

    def _end_line(self) -> None:
        text = self._text
        if len(text) - self._line == 1:
            self._end_tune()
            return
        if len(text) - self._line > 2 and self._kinds[text[self._line + 1]] == COLON:
            name = self._alphabet.characters[text[self._line]]
            if name.isalpha() and name not in "ABCDEFGabcdefgzx":
                self._take_field(self._line_text())
        self._chord = _NOT_IN_CHORD
        self._look_for_specials()
        self._line = len(text)

    def _read_bar_line(self, kind: int, last: int) -> None:
        if not self._in_bar_line:
            if self._length.notes_of_tuplet and last == DIGIT and kind == COLON:  # (3:2:3
                return
            self._in_bar_line = True
            self._end_bar()
            if kind == COLON:
                self._end_part()
        elif kind == COLON or last == BAR:
            self._end_part()
        self._ends = len(self._text)

    def _end_bar(self) -> None:
        ticks, onsets, form = self._ticks, self._onsets, self._form
        self._chord = _NOT_IN_CHORD
        self._length.end_bar()
        self._is_plain = self._skips < 0
        if ticks:
            if form.bar or ticks >= self._header.bar_ticks:
                if ticks not in onsets:
                    onsets[ticks] = self._ends
                form.end_bar(onsets)
                self._pointers.look_into(form.bars)
            else:
                form.add_pickup(ticks)
            self._onsets = {}
            self._ticks = self._length.ticks = 0
            self._is_moved = True
            self._write_form()
        self._write_place()

    def _end_part(self) -> None:
        if self._form.end_part():
            self._write_form()

    def _begin_ending(self, number: int) -> None:
        if self._form.begin_ending(number):
            self._pointers.look_into(self._form.bars)
            self._is_moved = True
            self._write_form()
        self._ends = len(self._text)

    def _write_place(self) -> None:
        ticks = self._ticks
        self.row[PLACE_AT] = (_PLACES[ticks] if ticks < _KNOWN_TICKS else _place(ticks)) + self._degree

    def _write_form(self) -> None:
        form = self._form
        form.write(self.row, self._alphabet.is_planned)
        self.ending = form.ending


def _place(ticks: int) -> int:
    """What the column `place` says of a time in the bar, without the degree."""
    sixteenths, rest = divmod(ticks, _SIXTEENTH)
    if rest:
        return (ON_GRID + sixteenths // 2 % OFF_GRID) * DEGREES
    return min(sixteenths, ON_GRID - 1) * DEGREES


_OF_OBJECTS = {"row", "_text", "_onsets", "_header", "_form", "_length", "_match", "_pointers"}
_OF_VALUES = tuple(name for name in Tracker.__slots__ if name not in _OF_OBJECTS)
"""What a copy has in common with its original."""

_KNOWN_TICKS = 2 * WHOLE
_PLACES = [_place(ticks) for ticks in range(_KNOWN_TICKS)]


def track(alphabet: Alphabet, ids: Iterable[int], planner: Planner | None = None) -> NDArray[np.int32]:
    """What a network reads of a whole text, [N, 1 + columns] int32."""
    tracker, rows = Tracker(alphabet, planner), array("i")
    for id_ in ids:
        tracker.advance(id_)
        rows.extend(tracker.row)
    return np.array(rows, np.int32).reshape(-1, 1 + alphabet.width)
