"""The columns of integers that a network is told beside each character: which there are, and their ranges.

Some join two numbers that a network has an embedding each for.
"""

from dataclasses import dataclass

import numpy as np

from app.abc.lookback import plan
from app.abc.lookback.header_numbers import KEYS, METERS, RHYTHMS

LAGS = (1, 2, 4, 8)
"""How many bars back the pointers point."""

RUN_BOUNDS = (1, 3, 6, 12, 24)
"""Characters for which a pointer has been right: 0, 1-2, 3-5, 6-11, 12-23, more."""

RUNS = len(RUN_BOUNDS) + 1
LAST_RUN, LONGEST_RUN = RUNS - 1, RUN_BOUNDS[-1]
RUN_OF = tuple(sum(length >= bound for bound in RUN_BOUNDS) for length in range(LONGEST_RUN + 1))
"""What is told of each length up to the longest that is told apart."""

ON_GRID, OFF_GRID = 32, 8  # places in a bar by sixteenths; what lies between them, by eighths
BEFORE, FIELD_PLACES = ON_GRID + OFF_GRID, {"X": 1, "T": 2, "R": 3, "M": 4, "L": 5, "K": 6}
OTHER_FIELD = 1 + len(FIELD_PLACES)
PLACES = BEFORE + OTHER_FIELD + 1
DEGREES = 8  # none, and the seven of the scale
MAX_BARS, PHRASE = 24, 8  # bars of a part that are told apart; of longer ones, the place in a phrase
BARS = MAX_BARS + 1
PARTS = 4
PICKUP_NUMBERS = {120: 1, 240: 2, 360: 3, 480: 4, 720: 5}  # ticks of a part's
OTHER_PICKUP = len(PICKUP_NUMBERS) + 1
PICKUPS = OTHER_PICKUP + 1  # none, and any other

PLACE_AT, BAR_AT, KEY_AT, FORM_AT, PLAN_AT, AGAIN_AT, MATCH_AT = (1 + len(LAGS) + number for number in range(7))
"""Where in a row the columns after the pointers stand; the character is at 0, the pointers from 1 up."""


@dataclass(frozen=True)
class Column:
    """An integer for each character; `factors` are the ranges of the numbers that it joins, the last one fastest."""

    name: str
    factors: tuple[int, ...]

    @property
    def size(self) -> int:
        return int(np.prod(self.factors))


def columns(vocab_size: int, is_planned: bool = True, is_matched: bool = True) -> tuple[Column, ...]:
    """What stands beside the character, for a vocabulary of that size.

    A `back_N` is the character that the pointer N bars back points at (`vocab_size` where it points at none) and how
    long it has been right. `plan` and `again` are for a network that is told a plan, and the part's pickup. `match` is
    a pointer too, the match model's, for a network that is told a plan and it.
    """
    pointer = (vocab_size + 1, RUNS)
    planned = (
        Column("plan", (plan.LEFT * plan.ENDS, plan.PARTS_LEFT)),  # a last bar that ends at home is like no other
        Column("again", (plan.RELATIONS, PICKUPS)),
    )
    return (
        *(Column(f"back_{lag}", pointer) for lag in LAGS),
        Column("place", (PLACES, DEGREES)),
        Column("bar", (BARS, PARTS)),
        Column("key", (KEYS,)),
        Column("form", (METERS, RHYTHMS)),
        *(planned if is_planned else ()),
        *((Column("match", pointer),) if is_planned and is_matched else ()),
    )
