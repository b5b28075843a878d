"""An index of a checkpoint's training tunes, bar by bar, for finding copies in new tunes; a file of its version.

The file is safetensors, metadata `{"format": "1"}`, with N bars of T tunes in order:

    bars     [N] uint64   what a bar is, as `app.abc.fingerprint` has it: equal numbers, equal bars, at any pitch
    highs    [N] int16    where it lies: the MIDI number of its first note
    numbers  [N] uint16   which bar of its tune it is
    ends     [T] uint32   one after each tune's last bar
    text     [C] uint8    the tunes in ABC, UTF-8
    text_ends [T] uint32  one after each tune's last byte
    books    [T] uint16   which of `names` a tune is from
    names    [.] uint8    the books' names, UTF-8, a line each
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import ClassVar, Self

import numpy as np
from numpy.typing import NDArray

from model_store.array_file import ArrayFile


@dataclass(frozen=True)
class IndexedTune:
    """One training tune; its bars as `(bar, high, number)`."""

    abc: str
    book: str
    bars: Sequence[tuple[int, int, int]]


@dataclass(frozen=True, eq=False)
class TuneIndex(ArrayFile):
    """The arrays of the file."""

    WHAT: ClassVar = "an index of tunes"
    FORMAT: ClassVar = 1

    bars: NDArray[np.uint64]
    highs: NDArray[np.int16]
    numbers: NDArray[np.uint16]
    ends: NDArray[np.uint32]
    text: NDArray[np.uint8]
    text_ends: NDArray[np.uint32]
    books: NDArray[np.uint16]
    names: NDArray[np.uint8]

    @classmethod
    def of(cls, tunes: Sequence[IndexedTune]) -> Self:
        """An index of these tunes."""
        names = list(dict.fromkeys(tune.book for tune in tunes))
        texts = [tune.abc.encode() for tune in tunes]
        columns = list(zip(*(bar for tune in tunes for bar in tune.bars), strict=True)) or [(), (), ()]
        return cls(
            bars=np.array(columns[0], np.uint64),
            highs=np.array(columns[1], np.int16),
            numbers=np.array(columns[2], np.uint16),
            ends=np.cumsum([len(tune.bars) for tune in tunes], dtype=np.uint32),
            text=np.frombuffer(b"".join(texts), np.uint8),
            text_ends=np.cumsum([len(text) for text in texts], dtype=np.uint32),
            books=np.array([names.index(tune.book) for tune in tunes], np.uint16),
            names=np.frombuffer("\n".join(names).encode(), np.uint8),
        )

    def __len__(self) -> int:
        """How many tunes there are."""
        return len(self.ends)

    @property
    def size(self) -> int:
        """Bytes in memory."""
        arrays = [getattr(self, name) for name in self.types()]
        return sum(array.nbytes for array in (*arrays, self.sorted, self.order, self.rises, self.tunes))

    def abc(self, tune: int) -> str:
        """A tune's ABC, without a line end after its last line."""
        begin = self.text_ends[tune - 1] if tune else 0
        return str(self.text[begin : self.text_ends[tune]].tobytes(), "utf-8")

    def book(self, tune: int) -> str:
        """The name of the book that a tune is from."""
        return str(self.names.tobytes(), "utf-8").split("\n")[int(self.books[tune])]

    @cached_property
    def tunes(self) -> NDArray[np.int32]:
        """The tunes that the bars belong to."""
        return np.searchsorted(self.ends, np.arange(len(self.bars)), side="right").astype(np.int32)

    @cached_property
    def order(self) -> NDArray[np.int32]:
        """The bars' positions by what they are; equal ones as they stand."""
        return np.argsort(self.bars, kind="stable").astype(np.int32)

    @cached_property
    def sorted(self) -> NDArray[np.uint64]:
        """`bars` in that order."""
        return np.asarray(self.bars[self.order])

    @cached_property
    def rises(self) -> NDArray[np.int16]:
        """For each bar, semitones up from the first note of the bar before it; `NO_RISE` for a tune's first."""
        rises = np.diff(self.highs, prepend=np.int16(0))
        starts = self.ends[:-1]
        rises[starts[starts < len(rises)]] = NO_RISE
        rises[:1] = NO_RISE
        return rises

    def find(self, bars: Sequence[int]) -> tuple[NDArray[np.intp], NDArray[np.int32]]:
        """Where bars stand: which of them, ascending, and the positions of each, ascending."""
        sought = np.array(bars, np.uint64)
        begins, ends = (np.searchsorted(self.sorted, sought, side) for side in ("left", "right"))
        counts = ends - begins
        shifts = begins - np.cumsum(counts) + counts  # from a place among all that is found to one in `order`
        found = np.repeat(shifts, counts)
        return np.repeat(np.arange(len(sought)), counts), self.order[found + np.arange(len(found))]

    def _is_consistent(self) -> bool:
        bars, tunes = len(self.bars), len(self.ends)
        lengths = len(self.highs) == len(self.numbers) == bars and len(self.text_ends) == len(self.books) == tunes
        names = self.names.tobytes().count(b"\n") + 1
        return (
            lengths
            and (int(self.ends[-1]) if tunes else 0) == bars
            and (int(self.text_ends[-1]) if tunes else 0) == len(self.text)
            and all(bool((np.diff(ends.astype(np.int64)) >= 0).all()) for ends in (self.ends, self.text_ends))
            and (not tunes or int(self.books.max()) < names)
        )


NO_RISE = -1000
"""More than any interval."""
