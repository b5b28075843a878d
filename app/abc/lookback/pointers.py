"""The pointers into what was written 1, 2, 4 and 8 bars back: what would come next if that bar came again.

A pointer goes on while what is written is what it points at. Where it is not, it is set anew to what begins at the same
time in its bar, or to nowhere until something does.
"""

from array import array

from app.abc.lookback.alphabet import Alphabet
from app.abc.lookback.columns import LAGS, LAST_RUN, LONGEST_RUN, RUN_OF, RUNS

Onsets = dict[int, int]
"""Of a bar: ticks from its beginning → where in the text what begins then is written."""

_NUMBERS = range(1, len(LAGS) + 1)
"""Of the pointers, and where in a row the column of each stands."""

_LAG_OF = tuple(zip(_NUMBERS, LAGS, strict=True))
_FIRST = tuple(tuple(_NUMBERS[:count]) for count in range(len(LAGS) + 1))
_NO_BAR: Onsets = {}


class Pointers:
    """The pointers of one tune; they write what they point at, and how long they have been right, into a tracker's row.

    Args:
        text: the tune's ids as far as it is written; whoever adds to it calls `advance` or `begin_note` after each.
    """

    __slots__ = (
        "_in_use",
        "_is_bar_line",
        "_is_blank",
        "_nowhere",
        "_onsets",
        "_positions",
        "_row",
        "_run_began",
        "_text",
    )

    def __init__(self, alphabet: Alphabet, text: list[int], row: "array[int]") -> None:
        self._is_blank, self._is_bar_line, self._nowhere = alphabet.is_blank, alphabet.is_bar_line, alphabet.nowhere
        self._text, self._row = text, row
        self._in_use = _FIRST[0]  # those that there have been bars for; the others point nowhere
        # by number
        self._onsets = [_NO_BAR] * (1 + len(LAGS))  # of the bars that they look into
        self._positions = [-1] * (1 + len(LAGS))  # in the text; -1: nowhere
        self._run_began = [-1] * (1 + len(LAGS))  # where they would have been when they last were set anew
        for number in _NUMBERS:
            row[number] = self._nowhere

    def copy(self, text: list[int], row: "array[int]") -> "Pointers":
        """Pointers into a copy of the text, which write into a copy of the row."""
        other = Pointers.__new__(Pointers)
        for name in Pointers.__slots__:
            setattr(other, name, getattr(self, name))
        other._text, other._row, other._onsets = text, row, self._onsets.copy()
        other._positions, other._run_began = self._positions.copy(), self._run_began.copy()
        return other

    def look_into(self, bars: list[Onsets]) -> None:
        """Find the bars to look into, for these are now the whole ones that are written."""
        onsets, count = self._onsets, len(bars)
        for number, lag in _LAG_OF:
            onsets[number] = bars[-lag] if lag <= count else _NO_BAR
        if len(self._in_use) < len(LAGS):
            self._in_use = _FIRST[max(len(self._in_use), sum(lag <= count for lag in LAGS))]

    def advance(self, id_: int, ticks: int, ends: int, in_bar_line: bool, is_moved: bool) -> None:
        """Take the text's last character.

        Args:
            ticks: how much of the bar is written.
            ends: where in the text the last note or bar line ended.
            in_bar_line: whether the character belongs to one.
            is_moved: whether `ticks` or the bars have changed, so that pointers that point nowhere may find a place.
        """
        text, positions = self._text, self._positions
        for number in self._in_use:
            position = positions[number]
            if position >= 0:
                if text[position] == id_:
                    positions[number] = position = position + 1
                    run = position - self._run_began[number]
                    self._row[number] = text[position] * RUNS + (RUN_OF[run] if run < LONGEST_RUN else LAST_RUN)
                elif not self._is_blank[id_]:
                    self._part_ways(number, id_, ticks, ends, in_bar_line, is_moved)
            elif is_moved:
                self._point(number, ticks, ends)

    def begin_note(self, id_: int, ticks: int) -> None:
        """Take the text's last character, a note's letter, after which so much of the bar is written."""
        text, row, positions, run_began = self._text, self._row, self._positions, self._run_began
        for number in self._in_use:
            position = positions[number]
            if position >= 0:
                target = text[position]
                if target == id_:
                    positions[number] = position = position + 1
                    run = position - run_began[number]
                    row[number] = text[position] * RUNS + (RUN_OF[run] if run < LONGEST_RUN else LAST_RUN)
                    continue
                if self._is_blank[target]:
                    self._part_ways(number, id_, ticks, len(text), in_bar_line=False, is_moved=True)
                    continue
            positions[number] = run_began[number] = position = self._onsets[number].get(ticks, -1)
            row[number] = text[position] * RUNS if position >= 0 else self._nowhere

    def _part_ways(self, number: int, id_: int, ticks: int, ends: int, in_bar_line: bool, is_moved: bool) -> None:
        """What was written is not what a pointer points at; white space and the kind of a bar line do not count."""
        text, began = self._text, self._positions[number]
        position = self._after_blanks(began)
        if text[position] == id_:
            self._run_began[number] += position - began
            self._positions[number] = position = position + 1
            self._row[number] = text[position] * RUNS + self._run(number)
        elif not in_bar_line:
            self._point(number, ticks, ends)
        elif is_moved or ticks:  # else it is a bar line's second sign
            run = began - self._run_began[number]
            self._point(number, ticks, ends)
            if self._is_bar_line[text[position]] and self._positions[number] >= 0:
                self._run_began[number] -= run
                self._row[number] += self._run(number)

    def _point(self, number: int, ticks: int, ends: int) -> None:
        """Set a pointer anew: to what begins at this time in its bar, if anything does."""
        text = self._text
        position = self._onsets[number].get(ticks, -1)
        if position >= 0 and len(text) > ends:  # what stands before a note has been begun here
            position = self._after_blanks(position)
        self._row[number] = text[position] * RUNS if position >= 0 else self._nowhere
        self._positions[number] = self._run_began[number] = position

    def _after_blanks(self, position: int) -> int:
        text, is_blank = self._text, self._is_blank
        while is_blank[text[position]]:
            position += 1
        return position

    def _run(self, number: int) -> int:
        """How long a pointer has been right, as a network is told it."""
        return RUN_OF[min(self._positions[number] - self._run_began[number], LONGEST_RUN)]
