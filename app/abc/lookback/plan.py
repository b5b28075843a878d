"""A tune's plan, and what a network is told of it: the bars of each part, which repeat earlier ones, ends at home.

Structure alone, never notes. Where there is no plan, a network is told so.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property

MAX_LEFT = 16
"""Bars left in a part that are told apart."""

_MORE, _OVER = MAX_LEFT + 1, MAX_LEFT + 2
LEFT = _OVER + 1  # no plan, 1 to 16 bars, more, none
PARTS_LEFT = 4  # after this one: 0, 1, 2, more
ENDS = 2  # whether the part ends away from home or at home

UNSAID, ELSEWHERE = 0, 37
"""Of a bar, that nothing is said of it; that it is the same as an earlier bar, but none of the lags'."""

RELATIONS = ELSEWHERE + 1
_SAME, _BEGINS_ALIKE, _OTHER = 2, 1, 0

Told = tuple[int, int]
"""Bars left, end and parts left as one number; and what earlier bars the bar is like."""

NOTHING: Told = (0, UNSAID)


@dataclass(frozen=True)
class Part:
    """What each of its bars has in common with earlier ones (see `relation`), and whether it ends on the tonic."""

    bars: tuple[int, ...]
    at_home: bool


@dataclass(frozen=True)
class Plan:
    """A tune's parts in order; a pickup is no bar, and a second ending stands in the place of the first."""

    parts: tuple[Part, ...]
    is_held: bool = False
    """Whether parts have to end as planned; otherwise the network is told of it and not held to it."""
    redraws: int = 0
    """How often the last bar of a part may be drawn again that ends otherwise, before it is held to its ending."""

    def ending(self, part: int, bar: int) -> bool | None:
        """Whether a bar has to end at home, or away from it; None where it need not end in any way."""
        if not self.is_held or part >= len(self.parts) or bar != len(self.parts[part].bars) - 1:
            return None
        return self.parts[part].at_home

    def told(self, part: int, bar: int) -> Told:
        """What a network is told in a bar of a part, both from 0 up."""
        if part >= len(self._told):
            return _AFTER
        bars = self._told[part]
        return bars[min(bar, len(bars) - 1)]

    @cached_property
    def _told(self) -> list[list[Told]]:
        """By part and bar, the last of which stands for all beyond the part's end."""
        told = []
        for number, part in enumerate(self.parts):
            parts_left = min(len(self.parts) - 1 - number, PARTS_LEFT - 1)
            count = len(part.bars)
            left = [(min(count - bar, _MORE), relation) for bar, relation in enumerate(part.bars)]
            told.append([(_join(bars, parts_left, part.at_home), again) for bars, again in [*left, (_OVER, UNSAID)]])
        return told


Planner = Callable[[int], Plan | None]
"""Gives the plan of the next tune, told what `Column` `form` says of its metre and rhythm; None: it has no plan."""


def _join(left: int, parts_left: int, at_home: bool) -> int:
    return (left * ENDS + at_home) * PARTS_LEFT + parts_left


_AFTER: Told = (_join(_OVER, 0, at_home=False), UNSAID)


def relation(bars: Sequence[str], begins: Sequence[str | None], number: int) -> int:
    """What a bar has in common with those 1, 2, 4 and 8 back, as a number from 1 up.

    Args:
        bars: the text of each bar up to this one.
        begins: that of each one's first half; None where no note begins at half of the bar.
    """
    same = {lag: number >= lag and bars[number] == bars[number - lag] for lag in (1, 2, 4, 8)}
    if not any(same.values()) and bars[number] in bars[:number]:
        return ELSEWHERE

    def likeness(lag: int) -> int:
        if same[lag]:
            return _SAME
        alike = number >= lag and begins[number] is not None and begins[number] == begins[number - lag]
        return _BEGINS_ALIKE if alike else _OTHER

    return 1 + ((same[1] * 2 + same[2]) * 3 + likeness(4)) * 3 + likeness(8)
