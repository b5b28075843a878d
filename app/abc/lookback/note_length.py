"""The length of the note that is being written, from the signs around it: digits, slashes, tuplets, broken rhythm."""

_PLAIN = (1, 1)
_LONGER, _SHORTER = (3, 2), (1, 2)
_TUPLET_TIMES = {2: (3, 2), 3: (2, 3), 4: (3, 4), 5: (2, 5), 6: (2, 6), 7: (2, 7), 8: (3, 8), 9: (2, 9)}
NO_SIGNS = (0, 0, 0)
"""No digits before slashes, no slashes, no digits after them."""

_MAX_NUMBER, _MAX_TIMES, _MAX_SLASHES = 999, 99, 8


class NoteLength:
    """Lengths in ticks.

    `unit` is that of a note without signs, 0 before the header says; `base` that of this note before the digits and
    slashes after it, 0 where there is no note; `ticks` that with them as far as they are written.
    """

    __slots__ = (
        "_broken",
        "_tuplet",
        "base",
        "notes_of_tuplet",
        "signs",
        "ticks",
        "unit",
    )

    def __init__(self) -> None:
        self.unit = self.base = self.ticks = 0
        self.signs = NO_SIGNS
        self.notes_of_tuplet = 0  # still to come
        self._tuplet = _PLAIN
        self._broken = _PLAIN  # what the next note's length is multiplied with

    def copy(self) -> "NoteLength":
        """A copy that changes independently."""
        other = NoteLength.__new__(NoteLength)
        for name in NoteLength.__slots__:
            setattr(other, name, getattr(self, name))
        return other

    @property
    def next_is_unit(self) -> bool:
        """Whether the next note is a unit long before its digits and slashes."""
        return not self.notes_of_tuplet and self._broken is _PLAIN

    def begin_note(self) -> None:
        """Take a note's letter."""
        base = self.unit
        if self.notes_of_tuplet:
            self.notes_of_tuplet -= 1
            base = base * self._tuplet[0] // self._tuplet[1]
        if self._broken is not _PLAIN:
            base = base * self._broken[0] // self._broken[1]
            self._broken = _PLAIN
        self.base = self.ticks = base
        self.signs = NO_SIGNS

    def begin_tuplet(self, notes: int) -> None:
        """Take the digit after `(`."""
        self._tuplet = _TUPLET_TIMES.get(notes, _PLAIN)
        self.notes_of_tuplet = notes

    def add_digit(self, digit: int) -> None:
        """Take a digit of the length after a note."""
        numerator, slashes, denominator = self.signs
        if slashes:
            denominator = min(denominator * 10 + digit, _MAX_NUMBER)
        else:
            numerator = min(numerator * 10 + digit, _MAX_NUMBER)
        self._take(numerator, slashes, denominator)

    def add_slash(self) -> None:
        """Take a slash after a note."""
        numerator, slashes, denominator = self.signs
        self._take(numerator, slashes + 1, denominator)

    def _take(self, numerator: int, slashes: int, denominator: int) -> None:
        self.signs = (numerator, slashes, denominator)
        self.ticks = self.base * min(numerator or 1, _MAX_TIMES) // (denominator or 1 << min(slashes, _MAX_SLASHES))

    def break_rhythm(self, sign: str) -> None:
        """Take `>` or `<` between this note and the next."""
        mine, self._broken = (_LONGER, _SHORTER) if sign == ">" else (_SHORTER, _LONGER)
        self.ticks = self.ticks * mine[0] // mine[1]

    def end_chord(self) -> None:
        """Let what follows lengthen the whole chord, which is as long as its first note."""
        self.base, self.signs = self.ticks, NO_SIGNS

    def end_bar(self) -> None:
        """Forget what reaches no further than a bar line."""
        self.base = self.notes_of_tuplet = 0
        self._broken = _PLAIN
