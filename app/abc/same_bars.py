"""Which bars of a tune are the same, and the part of each that can be replaced at all its places together.

Bars are the same where they are written the same in the same key, metre and unit length; spaces, slurs, grace notes,
decorations and chord symbols make no difference, nor does a tie to the next bar.
"""

import re
from bisect import bisect_right
from collections.abc import Collection, Iterator, Sequence

from app.abc.bar_spans import Region, TextBar, check_alone, check_there, free_groups, refused, region, text_bars
from app.abc.tokens import tokens
from app.abc.tunebook import FIELD
from app.errors import RequestError

Places = tuple[Region, ...]
"""Where one bar stands in a text, in order; what of it is replaced has the same notes at each place."""

_WRITTEN = frozenset({"note", "rest", "chord", "tuplet", "broken", "tie", "field"})
_FIELDS = re.compile(r"^([KLM]):(.*)$|\[([KLM]):([^\]\n]{0,1000})\]", re.MULTILINE)


def different_bars(abc: str) -> list[list[TextBar]]:
    """The different bars of a tune of one voice in the order of their first places, each with all its places.

    The work is linear in the text's length.

    Raises:
        RequestError: it has several voices.
    """
    found: dict[object, list[TextBar]] = {}
    fields = list(_fields_in_force(abc))
    begins = [begin for begin, _ in fields]
    for bar in text_bars(abc):
        in_force = fields[number - 1][1] if (number := bisect_right(begins, bar.groups[0].begin)) else ()
        found.setdefault((_written(abc, bar), len(bar.groups), in_force), []).append(bar)
    return list(found.values())


def numbers_of(different: Sequence[Sequence[TextBar]]) -> list[list[int]]:
    """The numbers of the bars that are the same."""
    return [[bar.number for bar in places] for places in different]


def keeps(after: Sequence[Sequence[int]], before: Sequence[Sequence[int]]) -> bool:
    """Whether a changed tune has bars of the same numbers, and all bars that were equal before are equal again."""
    group_of = {number: group for group, numbers in enumerate(after) for number in numbers}
    if group_of.keys() != {number for numbers in before for number in numbers}:
        return False
    return all(len({group_of[number] for number in numbers}) == 1 for numbers in before)


def places_of(abc: str, numbers: Collection[int]) -> list[Places]:
    """All places of the chosen bars, whichever of them were named.

    What holds a bar to a neighbour at one of its places stays at all of them.

    Raises:
        RequestError: there is no such bar, or nothing of one can be replaced at each of its places.
    """
    different, named = different_bars(abc), set(numbers)
    bars = {bar.number: bar for places in different for bar in places}
    check_there(sorted(bars.values(), key=lambda bar: bar.number), numbers)
    chosen = [places for places in different if not named.isdisjoint(bar.number for bar in places)]
    loose = {places[0].number for places in chosen if len(places) == 1}
    found = []
    for places in chosen:
        for bar in places:
            check_alone(bar)
        first, last = _free_everywhere(bars, places, loose if len(places) == 1 else ())
        if first >= last:
            raise _is_held(bars, places)
        found.append(tuple(region(bar, first, last) for bar in places))
    return found


def replaceable(different: Sequence[Sequence[TextBar]]) -> list[int]:
    """The first places of the bars that can be replaced, at least in part, at all their places."""
    bars = {bar.number: bar for places in different for bar in places}
    found = []
    for places in different:
        first, last = _free_everywhere(bars, places, ())
        if first < last and not any(bar.count > 1 or bar.has_field for bar in places):
            found.append(places[0].number)
    return found


def _free_everywhere(bars: dict[int, TextBar], places: Sequence[TextBar], loose: Collection[int]) -> tuple[int, int]:
    free = [free_groups(bars, bar.number, loose) for bar in places]
    return max(first for first, _ in free), min(last for _, last in free)


def _is_held(bars: dict[int, TextBar], places: Sequence[TextBar]) -> RequestError:
    for bar in places:
        first, last = free_groups(bars, bar.number, ())
        if first >= last:
            where = f", where bar {places[0].number} comes again," if bar is not places[0] else ""
            break
    else:
        bar, where = places[0], " and its other places, each at another end,"
    but = "" if len(places) == 1 else ", or leave `everywhere` out"
    return refused(f"bar {bar.number}{where} is held by ties or slurs to its neighbours; choose other bars{but}")


def _written(abc: str, bar: TextBar) -> tuple[str, ...]:
    first, *others = abc[bar.groups[0].begin : bar.groups[-1].end].split("\n")
    lines = [first, *(line for line in others if not (FIELD.match(line) or line.startswith("%")))]
    found = [token[0] for line in lines for token in tokens(line) if token.lastgroup in _WRITTEN]
    if found and bar.groups[-1].is_tied and found[-1] == "-":
        found.pop()
    return tuple(found)


def _fields_in_force(abc: str) -> Iterator[tuple[int, tuple[tuple[str, str], ...]]]:
    """From where on in the text which key, metre and unit length hold."""
    now: dict[str, str] = {}
    for field in _FIELDS.finditer(abc):
        now[field[1] or field[3]] = (field[2] or field[4] or "").strip()
        yield field.end(), tuple(sorted(now.items()))
