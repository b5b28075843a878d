"""Locates the bars of a tune in its text, and the part of each that infill may replace.

Bars are the stretches between bar lines that hold a note or rest, in the order of the text; they are numbered as
`app.abc.fingerprint` numbers them.
"""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from app.abc.fingerprint import first_number, read_voices
from app.abc.navigation import SIGNS
from app.abc.overlays import Overlay
from app.abc.tokens import parse_chord, parse_rest, parse_tuplet, tokens
from app.abc.tunebook import FIELD, body_begins, notation_lines
from app.errors import Fault, RequestError

_BEFORE_NOTE = frozenset({"quoted", "decoration", "mark", "grace", "tuplet", "slur"})
_NOTES = frozenset({"note", "rest", "chord"})


@dataclass
class Group:
    """Notes that cannot be parted: one, a tuplet, a broken pair, or notes that are tied; with what belongs to them."""

    begin: int
    end: int
    slurs: int = 0
    """opened, less closed"""
    is_tied: bool = False
    """to the next bar"""
    has_notes: bool = False


@dataclass
class TextBar:
    """A bar in a text."""

    number: int = 0
    count: int = 1
    """how many bars a rest of several bars stands for; `number` is the first one's"""
    groups: list[Group] = field(default_factory=list)
    slurs_before: int = 0
    """open where it begins"""
    has_field: bool = False


@dataclass(frozen=True)
class Region:
    """The part of a bar that is replaced: the text from `begin` to `end`."""

    number: int
    begin: int
    end: int


def regions(abc: str, numbers: Collection[int]) -> list[list[Region]]:
    """The chosen bars, in runs of neighbours.

    What holds a chosen bar to one that stays is left as it is: the first or last note where it is tied to that bar, and
    the notes of a slur that reaches over the bar line.

    Raises:
        RequestError: there is no such bar, or nothing of one can be made anew.
    """
    found = text_bars(abc)
    check_there(found, numbers)
    bars = {bar.number: bar for bar in found}
    runs: list[list[Region]] = []
    for number in sorted(set(numbers)):
        chosen = _region(bars, number, numbers)
        if runs and runs[-1][-1].number == number - 1:
            runs[-1].append(chosen)
        else:
            runs.append([chosen])
    return runs


def check_there(bars: Sequence[TextBar], numbers: Collection[int]) -> None:
    """Raises RequestError: one of these numbers is no bar of the tune."""
    for number in sorted(set(numbers) - {bar.number for bar in bars}):
        if held := next((bar for bar in bars if bar.number < number < bar.number + bar.count), None):
            raise _is_one_rest(held)
        there = f"bars {bars[0].number} to {bars[-1].number + bars[-1].count - 1}" if bars else "no bars"
        raise refused(f"there is no bar {number}; the tune has {there}")


def _region(bars: Mapping[int, TextBar], number: int, chosen: Collection[int]) -> Region:
    check_alone(bars[number])
    first, last = free_groups(bars, number, chosen)
    if first >= last:
        raise refused(f"bar {number} is held by ties or slurs to its neighbours; choose those too")
    return region(bars[number], first, last)


def region(bar: TextBar, first: int, last: int) -> Region:
    """The text of some of a bar's groups, of which there is one at least."""
    return Region(bar.number, bar.groups[first].begin, bar.groups[last - 1].end)


def check_alone(bar: TextBar) -> None:
    """Raises RequestError: this bar cannot be replaced, whichever bars beside it are."""
    if bar.count > 1:
        raise _is_one_rest(bar)
    if bar.has_field:
        raise refused(f"a field stands inside bar {bar.number}; it cannot be made anew")


def free_groups(bars: Mapping[int, TextBar], number: int, loose: Collection[int]) -> tuple[int, int]:
    """Which of a bar's groups nothing holds to another bar: from the first to before the last; none where they meet.

    Args:
        bars: all of the tune, by number.
        loose: bars to which a tie does not hold it.
    """
    bar, before = bars[number], bars.get(number - 1)
    depths = [bar.slurs_before]
    for group in bar.groups:
        depths.append(depths[-1] + group.slurs)
    lowest = min(depths)
    first = depths.index(lowest)  # groups of a slur that began before
    last = len(depths) - 1 - depths[::-1].index(lowest)  # those from here on are of a slur that ends later
    if before and before.groups[-1].is_tied and number - 1 not in loose:
        first = max(first, 1)
    if bar.groups[-1].is_tied and number + 1 not in loose:
        last = min(last, len(bar.groups) - 1)
    return first, last


def text_bars(abc: str) -> list[TextBar]:
    """All bars of a tune of one voice; the work is linear in the text's length.

    Raises:
        RequestError: it has several voices.
    """
    voices = read_voices(abc)
    if len(voices) > 1:
        raise refused("the tune has several voices; bars can be made anew in one alone")
    bars = list(_bars(abc))
    number = first_number(voices[0]) if voices else 1
    for bar in bars:
        bar.number = number
        number += bar.count
    return bars


def _bars(abc: str) -> Iterator[TextBar]:
    scan = _Scan()
    lines = abc.split("\n")
    begins = body_begins(lines)
    for number, position, line in notation_lines(lines):
        if FIELD.match(line):
            scan.take_field()
        elif number >= begins:
            for token in tokens(line):
                kind = token.lastgroup or ""
                if kind in ("bar", "number"):
                    yield from scan.take_bar_line()
                elif kind == "rest" and (count := parse_rest(token[0])[0]) != 1:
                    yield from scan.take_rest(count, position + token.start(), position + token.end())
                else:
                    if kind == "decoration" and token[0][1:-1] in SIGNS:
                        continue  # of the place, not of a note that is replaced
                    if kind in _NOTES:
                        yield from scan.end_rest()
                    scan.take(kind, token[0], token["tuplet"], position + token.start(), position + token.end())
            scan.end_line(line)
    yield from scan.take_bar_line()


class _Scan:
    """What has been read of the bar so far."""

    def __init__(self) -> None:
        self._bar = TextBar()
        self._slurs = 0
        self._tuplet_left = 0
        self._joins_next = False
        self._overlay = Overlay()
        self._count = 0

    @property
    def _has_music(self) -> bool:
        return any(group.has_notes for group in self._bar.groups)

    def take_bar_line(self) -> Iterator[TextBar]:
        if self._overlay.passes(has_music=self._has_music):
            return
        if self._has_music:
            self._count += 1
            yield self._bar
        self._bar = TextBar(slurs_before=self._slurs)
        self._tuplet_left, self._joins_next = 0, False
        self._overlay.end()

    def end_line(self, line: str) -> None:
        self._overlay.end_line(line, has_music=self._has_music)

    def take_rest(self, count: int, begin: int, end: int) -> Iterator[TextBar]:
        """The bars of a rest of several bars, apart from what stands beside it; none where `count` is 0."""
        if not count or (self._overlay.is_on and not self._has_music):
            return
        yield from self.take_bar_line()
        self._bar.groups.append(Group(begin, end, has_notes=True))
        self._bar.count = count

    def end_rest(self) -> Iterator[TextBar]:
        """The bar that begins after a rest of several bars, where no bar line follows it."""
        if self._bar.count > 1:
            yield from self.take_bar_line()

    def take_field(self) -> None:
        self._bar.has_field = bool(self._bar.groups)

    def take(self, kind: str, text: str, tuplet: str | None, begin: int, end: int) -> None:
        if self._overlay.is_on and not self._has_music and kind != "overlay":
            return  # of bars that are written already
        if kind == "field":
            self.take_field()
        elif kind == "tie":
            self._extend(end)
            self._joins_next = True
            if self._bar.groups:
                self._bar.groups[-1].is_tied = True
        elif kind == "broken":
            self._extend(end)
            self._joins_next = True
        elif kind == "slur" and text == ")":
            self._extend(end)
            self._slur(-1)
        elif kind == "overlay":
            self._take_overlay(text, end)
        elif kind in _BEFORE_NOTE or kind in _NOTES:
            group = self._group(begin)
            group.end = end
            if kind == "slur":
                self._slur(1)
            elif tuplet:
                said = parse_tuplet(text, is_compound=False)  # which decides how long the notes are, not how many
                self._tuplet_left = said[2] if said else 0
            elif kind in _NOTES:
                group.has_notes, group.is_tied = True, False
                self._tuplet_left, self._joins_next = max(0, self._tuplet_left - 1), False
                if kind == "chord" and parse_chord(text)[2]:
                    group.is_tied = self._joins_next = True

    def _group(self, begin: int) -> Group:
        """The group that goes on, or a new one."""
        groups = self._bar.groups
        is_held = bool(self._tuplet_left) or self._joins_next or self._overlay.is_on
        if not groups or (groups[-1].has_notes and not is_held):
            groups.append(Group(begin, begin))
        return groups[-1]

    def _extend(self, end: int) -> None:
        if self._bar.groups:
            self._bar.groups[-1].end = end

    def _take_overlay(self, signs: str, end: int) -> None:
        """What sounds at the same time goes together: all of a bar that has an overlay is one group."""
        groups = self._bar.groups
        self._overlay.begin(signs, has_music=self._has_music, bars=self._count)
        if groups:
            slurs = sum(group.slurs for group in groups)
            self._bar.groups = [Group(groups[0].begin, end, slurs, has_notes=any(group.has_notes for group in groups))]
            self._tuplet_left, self._joins_next = 0, False

    def _slur(self, step: int) -> None:
        if self._slurs + step >= 0:
            self._slurs += step
            if self._bar.groups:
                self._bar.groups[-1].slurs += step


def _is_one_rest(bar: TextBar) -> RequestError:
    last = bar.number + bar.count - 1
    return refused(f"bars {bar.number} to {last} are one rest; write them as single bars to have one made anew")


def refused(message: str) -> RequestError:
    """An error about the chosen bars."""
    return RequestError(message, faults=(Fault(message, field="bars"),))
