"""In which order bars sound by their repeats and endings: ABC 2.1, sections 4.8 and 4.9."""

from dataclasses import dataclass

from app.abc.score import Bar

MAX_PLAYED_BARS = 20_000


@dataclass(frozen=True)
class Stretch:
    """Bars with their own repeats: in which order they sound, and where repeats begin again."""

    order: list[int]
    starts: set[int]


def repeated(bars: list[Bar], first: int, after: int) -> Stretch:
    """A stretch with its repeats and endings taken."""
    order: list[int] = []
    starts: set[int] = set()
    named: set[int] = set()  # turns that endings of this repeat are for
    start, turn, position = first, 1, first
    lacks_first = False  # of the endings, where a second follows a repeat without any
    is_open = False  # by a sign, so that a double bar inside does not begin another stretch
    while position < after and len(order) <= MAX_PLAYED_BARS:
        bar = bars[position]
        if bar.opens_repeat and turn == 1:
            start, is_open, named = position, True, set()
        if bar.ending:
            numbers = ending_turns(bar.ending)
            named = named or _turns_of_endings(bars, position, after)
            if position == start and lacks_first and numbers:
                turn = min(numbers)
            if turn not in numbers:
                position = _next_ending(bars, position, after)
                if position < after and bars[position].ending:
                    continue
                start, turn, is_open, named, lacks_first = position, 1, False, set(), False
                continue
        order.append(position)
        if bar.closes_repeat and (turn <= bar.closes_repeat or turn + 1 in named):
            starts.add(start)
            position, turn = start, turn + 1
            continue
        position += 1
        if bar.closes_repeat or bar.ends_ending or (bar.line_style in ("||", "|]", "[|") and not is_open):
            lacks_first = bool(bar.closes_repeat) and not named
            start, turn, is_open, named = position, 1, False, set()
    return Stretch(order, starts)


def _turns_of_endings(bars: list[Bar], position: int, after: int) -> set[int]:
    """The turns that an ending and those that follow it at once are for, up to one whose turn had its ending."""
    named: set[int] = set()
    while position < after and (ending := bars[position].ending):
        turns = ending_turns(ending)
        if not turns or turns & named:
            break
        named |= turns
        position = _next_ending(bars, position, after)
    return named


def _next_ending(bars: list[Bar], position: int, after: int) -> int:
    """The bar after an ending that is not taken now."""
    while position < after and not (bars[position].ends_ending or bars[position].closes_repeat):
        position += 1
    return min(position + 1, after)


def ending_turns(text: str) -> set[int]:
    """`1,3` and `1-3` as the turns that they name; of a long range the first hundred."""
    found: set[int] = set()
    for part in text.split(","):
        first, _, last = part.partition("-")
        if first.isdigit():
            found.update(range(int(first), min(int(last) if last.isdigit() else int(first), int(first) + 99) + 1))
    return found
