"""What can be asked of a model, as values: new tunes, or bars of a tune made anew."""

import math
from dataclasses import dataclass, field

from app.grammar import Request
from app.inference.sampler import SamplingParams

MAX_SEED = 2**53 - 1
"""What JavaScript's numbers hold exactly."""

MAX_BEST_OF = 64

MAX_BARS_ANEW = 200
"""Bars of a tune that are drawn for one answer."""


@dataclass(frozen=True)
class GenerationJob:
    """Continue a start string.

    Args:
        start_string: its characters have to be in the model's vocabulary; empty for the gap before a tune.
        length: most characters to add, ≥ 1.
        tunes: stop after so many whole tunes; None adds exactly `length` characters.
        wishes: what the tunes are to be; they need `constrained`.
        constrained: whether the tunes are held to the grammar.
        avoid_copies: whether to draw anew, a few times at the most, while a tune copies one that was trained on.
        best_of: so many are drawn, of which the model's critic chooses one; more than one needs `tunes`.
        sampling: how characters are drawn, and from which seed.
        title: of the first tune; the start string must be empty or end with its `X:` line.
    """

    start_string: str = "X:1\n"
    length: int = 1000
    tunes: int | None = 1
    wishes: Request = field(default_factory=Request)
    constrained: bool = True
    avoid_copies: bool = False
    best_of: int = 1
    sampling: SamplingParams = field(default_factory=SamplingParams)
    title: str | None = None

    @property
    def given(self) -> str:
        """What the answer's text begins with after the start string, and is not drawn: the title's line."""
        if self.title is None:
            return ""
        last_line = self.start_string.rpartition("\n")[0].rpartition("\n")[2]
        return f"T:{self.title}\n" if last_line.startswith("X:") else f"X:1\nT:{self.title}\n"

    @property
    def prompt(self) -> str:
        """The start string and the title's line."""
        return self.start_string + self.given


@dataclass(frozen=True)
class InfillJob:
    """Make some bars of a tune anew; all else stays byte for byte.

    Args:
        abc: one tune that the input filter lets through.
        bars: numbers from 1; a pickup before them is 0.
        everywhere: whether each bar is replaced wherever it comes again.
        vary: in place of `bars`: the share of its different bars that are, each at all its places, 0 to 1.
        wishes: its range holds for the new bars.
        avoid_copies: whether bars that make the tune a copy are passed over where there are others.
        sampling: how characters are drawn, and from which seed.
    """

    abc: str
    bars: tuple[int, ...] = ()
    everywhere: bool = False
    vary: float | None = None
    wishes: Request = field(default_factory=Request)
    avoid_copies: bool = False
    sampling: SamplingParams = field(default_factory=SamplingParams)

    @property
    def max_drawn_bars(self) -> int:
        """As many as are drawn at the most."""
        if self.vary is None:
            return len(self.bars)
        max_bars = 1 + sum(self.abc.count(line) for line in ("|", "::", "["))
        return min(MAX_BARS_ANEW, share_of(max_bars, self.vary))


Job = GenerationJob | InfillJob


def share_of(count: int, share: float) -> int:
    """That share of a number of bars, in whole bars; at least one unless the share is 0."""
    return max(math.floor(count * share + 0.5), math.ceil(share))


def seed_of_draw(seed: int, draw: int) -> int:
    """The seed of the n-th draw for one job: its own for 0; later ones are above what a request can name."""
    return seed + draw * (MAX_SEED + 1)


def seed_of_request(seed: int) -> int:
    """The seed that was asked for, of the seed of any draw for that job."""
    return seed % (MAX_SEED + 1)
