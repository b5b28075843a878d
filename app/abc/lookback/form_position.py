"""Where a text stands in a tune's form: the part, the bar within it, its pickups and endings, and what is planned."""

from array import array

from app.abc.lookback import plan as plans
from app.abc.lookback.columns import (
    AGAIN_AT,
    BAR_AT,
    MAX_BARS,
    OTHER_PICKUP,
    PARTS,
    PHRASE,
    PICKUP_NUMBERS,
    PICKUPS,
    PLAN_AT,
)
from app.abc.lookback.plan import Plan
from app.abc.lookback.pointers import Onsets


class FormPosition:
    """The position in one tune; a part ends at a double bar line or a repeat sign, and a pickup is no bar.

    `bars` are the whole ones that are written, of all parts; a second ending takes the place of the first. `ending` is
    `Plan.ending` of the bar as of the last `write`, for a network that is told plans.
    """

    __slots__ = ("_before_ending", "_pickups", "bar", "bars", "ending", "part", "plan")

    def __init__(self) -> None:
        self.bars: list[Onsets] = []
        self.bar = self.part = 0  # within the part; within the tune
        self.plan: Plan | None = None
        self.ending: bool | None = None
        self._pickups: dict[int, int] = {}  # of each part that has one
        self._before_ending = (0, 0, 0)

    def copy(self) -> "FormPosition":
        """A copy that changes independently."""
        other = FormPosition.__new__(FormPosition)
        for name in FormPosition.__slots__:
            setattr(other, name, getattr(self, name))
        other.bars, other._pickups = self.bars.copy(), self._pickups.copy()
        return other

    def end_bar(self, onsets: Onsets) -> None:
        """Add a whole bar."""
        self.bars.append(onsets)
        self.bar += 1

    def add_pickup(self, ticks: int) -> None:
        """Note that the part begins with a bar that is short."""
        self._pickups[self.part] = PICKUP_NUMBERS.get(ticks, OTHER_PICKUP)

    def end_part(self) -> bool:
        """Begin another part, unless this one has no bar yet; whether that is so."""
        if not self.bar:
            return False
        self.part += 1
        self.bar = 0
        return True

    def begin_ending(self, number: int) -> bool:
        """Begin a first ending, or another, which goes on from where the first did; whether the bars changed."""
        if number <= 1:
            self._before_ending = (len(self.bars), self.bar, self.part)
            return False
        if not self._before_ending[0]:
            return False
        bars, self.bar, self.part = self._before_ending
        del self.bars[bars:]
        return True

    def write(self, row: "array[int]", is_planned: bool) -> None:
        """Put into a row what a network is told of it; `is_planned`: of a network that is told plans."""
        bar, part, plan = self.bar, self.part, self.plan
        known_bar = bar if bar < MAX_BARS - PHRASE else MAX_BARS - PHRASE + (bar - MAX_BARS) % PHRASE
        row[BAR_AT] = (known_bar + 1) * PARTS + (part if part < PARTS else PARTS - 1)
        if is_planned:
            row[PLAN_AT], again = plan.told(part, bar) if plan else plans.NOTHING
            row[AGAIN_AT] = again * PICKUPS + self._pickups.get(part, 0)
            self.ending = plan.ending(part, bar) if plan else None
