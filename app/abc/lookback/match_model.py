"""What followed when the last two signs of a tune were last written: the match model of data compression.

A tune is made of few motifs, which come again at other places than whole bars back. The pointer goes on while what is
written is what it points at; where it is not, it is set to what followed the last two signs when they were last there.
White space is no sign. (Match models are those of Mahoney's PAQ; Bell, Cleary and Witten, "Text Compression", 1990.)
"""

from array import array

from app.abc.lookback.alphabet import Alphabet
from app.abc.lookback.columns import LAST_RUN, LONGEST_RUN, MATCH_AT, RUN_OF, RUNS

ORDER = 2
"""Signs that must be the same."""


class MatchModel:
    """The pointer of one tune; it writes what it points at, and how long it has been right, into a tracker's row.

    Args:
        text: the tune's ids as far as it is written; whoever adds to its body calls `advance` after each.
    """

    __slots__ = ("_context", "_is_blank", "_mask", "_nowhere", "_position", "_row", "_run", "_seen", "_shift", "_text")

    def __init__(self, alphabet: Alphabet, text: list[int], row: "array[int]") -> None:
        self._is_blank, self._nowhere = alphabet.is_blank, alphabet.nowhere
        self._text, self._row = text, row
        self._shift = len(alphabet.characters).bit_length()
        self._mask = (1 << ORDER * self._shift) - 1
        self._context = 0  # the last signs, a number of `_shift` bits each
        self._seen: dict[int, int] = {}  # signs → where in the text it went on when they were last written
        self._position = -1  # in the text; -1: nowhere
        self._run = 0
        row[MATCH_AT] = self._nowhere

    def copy(self, text: list[int], row: "array[int]") -> "MatchModel":
        """One that looks into a copy of the text, and writes into a copy of the row."""
        other = MatchModel.__new__(MatchModel)
        for name in MatchModel.__slots__:
            setattr(other, name, getattr(self, name))
        other._text, other._row, other._seen = text, row, self._seen.copy()
        return other

    def advance(self, id_: int) -> None:
        """Take the text's last character."""
        text, position, is_blank = self._text, self._position, self._is_blank
        if is_blank[id_]:
            if position < 0 or text[position] != id_:
                return
            position += 1
            run = self._run + 1
        else:
            run = 0
            if position >= 0:
                while is_blank[text[position]]:
                    position += 1
                if text[position] == id_:
                    position += 1
                    run = self._run + 1
            self._context = context = (self._context << self._shift | id_) & self._mask
            if not run:
                position = self._seen.get(context, -1)
            self._seen[context] = len(text)
        self._position, self._run = position, run
        if position < 0:
            self._row[MATCH_AT] = self._nowhere
        else:
            self._row[MATCH_AT] = text[position] * RUNS + (RUN_OF[run] if run < LONGEST_RUN else LAST_RUN)
