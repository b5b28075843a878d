"""One of several values, each as often as it was counted."""

from bisect import bisect_right
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from itertools import accumulate
from random import Random
from typing import Generic, Self, TypeVar

T = TypeVar("T")


@dataclass(frozen=True)
class Choice(Generic[T]):
    """Values, and how often each of them or one before it was counted."""

    values: tuple[T, ...]
    ends: tuple[int, ...]

    @classmethod
    def of(cls, counted: Iterable[tuple[T, int]]) -> Self:
        """Of at least one."""
        values, counts = zip(*counted, strict=True)
        return cls(values, tuple(accumulate(counts)))

    @property
    def counts(self) -> list[int]:
        """Of each value."""
        return [end - before for end, before in zip(self.ends, (0, *self.ends), strict=False)]

    @property
    def total(self) -> int:
        return self.ends[-1]

    def draw(self, generator: Random | None) -> T:
        """One by one random number; without a generator the first of those that were counted most."""
        if generator is None:
            return self.values[self.counts.index(max(self.counts))]
        return self.values[bisect_right(self.ends, generator.random() * self.total)]

    def only(self, is_meant: Callable[[T], bool]) -> Self | None:
        """Some of them; None where there are none."""
        found = [(value, count) for value, count in zip(self.values, self.counts, strict=True) if is_meant(value)]
        return type(self).of(found) if found else None
