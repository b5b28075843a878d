"""Reads the plan of a tune that is there, as the tracker counts its parts and bars."""

from collections.abc import Iterable

from app.abc.lookback import Tracker
from app.abc.lookback.alphabet import Alphabet
from app.abc.lookback.plan import Part, Plan, relation

_HOME = 1  # the degree of the tonic
_NOTES = frozenset("ABCDEFGabcdefgzx0123456789/<>,'")
_BLANK, _BAR_LINE = " \n", "|:]"


def read_plan(alphabet: Alphabet, ids: Iterable[int]) -> Plan | None:
    """The plan of one tune, without the blank line that ends it; None where it has no whole bar."""
    reader = _Reader(alphabet)
    for id_ in ids:
        reader.take(id_)
    return reader.plan()


class _Reader:
    def __init__(self, alphabet: Alphabet) -> None:
        self._characters = alphabet.characters
        self._tracker = Tracker(alphabet)
        self._text = ""  # of the bar, without blanks
        self._begin: str | None = None  # of its first half
        self._found: dict[tuple[int, int], tuple[str, str | None]] = {}  # by part and bar, as first written
        self._ends: dict[int, bool] = {}  # by part, whether what was last written of it ends at home

    def take(self, id_: int) -> None:
        tracker, character = self._tracker, self._characters[id_]
        was_in_body, at = tracker.in_body, tracker.bar_of_part
        tracker.advance(id_)
        if not was_in_body or character in _BLANK:
            return
        if character in _BAR_LINE and not tracker.ticks:
            if tracker.bar_of_part != at and self._text:
                self._found.setdefault(at, (self._text, self._begin))
                self._ends[at[0]] = tracker.degree == _HOME
            self._text, self._begin = "", None
            return
        self._text += character
        if character in _NOTES and 2 * tracker.ticks == tracker.bar_ticks:
            self._begin = self._text

    def plan(self) -> Plan | None:
        if not self._found:
            return None
        places = sorted(self._found)
        bars, begins = zip(*(self._found[place] for place in places), strict=True)
        relations = [relation(bars, begins, number) for number in range(len(places))]
        parts: list[list[int]] = [[] for _ in range(places[-1][0] + 1)]
        for (part, _), each in zip(places, relations, strict=True):
            parts[part].append(each)
        return Plan(tuple(Part(tuple(part), self._ends.get(number, False)) for number, part in enumerate(parts)))
