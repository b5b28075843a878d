"""A text some of whose bars are replaced, each at all its places; what stands between them stays."""

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Self

from app.abc.same_bars import Places


@dataclass(frozen=True)
class Pieces:
    """Gaps and between them pieces: of the bar `numbers[i]`, another place of which may be that of a bar before.

    Args:
        gaps: one more than pieces.
        numbers: of the bar at each place.
        drawn_as: likewise, the number of its first place.
    """

    gaps: tuple[str, ...]
    pieces: tuple[str, ...]
    numbers: tuple[int, ...]
    drawn_as: tuple[int, ...]

    @classmethod
    def of(cls, text: str, chosen: Iterable[Places]) -> Self:
        """A text as it is, parted at the places of the chosen bars."""
        found = sorted(
            (place.begin, place.end, place.number, places[0].number) for places in chosen for place in places
        )
        edges = [(0, 0), *((begin, end) for begin, end, _, _ in found), (len(text), len(text))]
        return cls(
            gaps=tuple(text[end:begin] for (_, end), (begin, _) in pairwise(edges)),
            pieces=tuple(text[begin:end] for begin, end, _, _ in found),
            numbers=tuple(number for _, _, number, _ in found),
            drawn_as=tuple(first for _, _, _, first in found),
        )

    @property
    def text(self) -> str:
        return self._from(0, len(self.pieces))

    def before(self, number: int) -> str:
        """Up to a bar."""
        return self._from(0, self.numbers.index(number))

    def after(self, number: int, until: Collection[int]) -> str:
        """From behind a bar to the next place of one of others, or to the end."""
        begin = end = self.numbers.index(number) + 1
        while end < len(self.pieces) and self.drawn_as[end] not in until:
            end += 1
        return self._from(begin, end)

    def ends(self) -> Iterator[str]:
        """The last character of each piece, and two of what follows it."""
        for piece, gap in zip(self.pieces, self.gaps[1:], strict=True):
            yield piece[-1:] + gap[:2]

    def with_bars(self, new: Mapping[int, str]) -> Self:
        """With other text in place of some bars, by the numbers of their first places."""
        pieces = (new.get(first, piece) for first, piece in zip(self.drawn_as, self.pieces, strict=True))
        return replace(self, pieces=tuple(pieces))

    def changed_since(self, old: Self) -> tuple[int, ...]:
        """The numbers of the bars that are other than in an earlier version."""
        both = zip(self.numbers, self.pieces, old.pieces, strict=True)
        return tuple(number for number, piece, before in both if piece != before)

    def _from(self, begin: int, end: int) -> str:
        """The gap before a piece, and so on up to the one before another."""
        between = zip(self.gaps[begin:end], self.pieces[begin:end], strict=True)
        return "".join(gap + piece for gap, piece in between) + self.gaps[end]
