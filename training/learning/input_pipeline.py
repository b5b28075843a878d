"""Turns tunes into batches of inputs and targets, each a pure function of the seed and the step.

That is what makes a resumed run equal to an uninterrupted one: there is no generator whose state must be saved.
"""

from bisect import bisect_right
from functools import lru_cache
from typing import NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

from app.abc.lookback.alphabet import Alphabet
from model_store.vocabulary import Vocabulary
from training.corpora.corpus import SEPARATOR
from training.dialect.transpose import tonics_by_mode, transpose_some
from training.learning.config import TrainingConfig
from training.learning.reading import Reader, forget_some


class Batch(NamedTuple):
    """What is read and what comes next.

    `inputs` are ids [batch, sequence] int32 or, for a network that is told more, rows of integers [batch, sequence, N]
    that begin with them (see `reading`). `targets` [batch, sequence] are the characters one step on.
    """

    inputs: NDArray[np.int32]
    targets: NDArray[np.int32]


class Batches(Protocol):
    """Where a run's batches come from."""

    def batch(self, step: int) -> Batch:
        """The batch of a step, 0-based; the same one whenever it is asked for."""
        ...


def get_batch(ids: NDArray[np.int32], sequence_length: int, batch_size: int, generator: np.random.Generator) -> Batch:
    """The lab's `get_batch`: crops that begin anywhere.

    Args:
        ids: the whole text as it is read, [N, …], N > sequence_length.
    """
    starts = generator.integers(0, len(ids) - sequence_length, batch_size)
    crops = ids[starts[:, None] + np.arange(sequence_length + 1)]
    return _batch(crops)


def _batch(rows: NDArray[np.int32]) -> Batch:
    """Of rows [batch, sequence + 1, …]."""
    return Batch(rows[:, :-1], rows[:, 1:, 0] if rows.ndim > 2 else rows[:, 1:])


class Crops:
    """Random crops of one text (the notebook's way)."""

    def __init__(self, text: str, reader: Reader, config: TrainingConfig) -> None:
        self._config = config
        text += SEPARATOR
        self._ids = reader.read(text * (1 + (config.sequence_length + 1) // len(text)))  # a short text goes round

    def batch(self, step: int) -> Batch:
        generator = np.random.default_rng([self._config.seed, step])
        return get_batch(self._ids, self._config.sequence_length, self._config.batch_size, generator)


class Streams:
    """Each epoch all tunes in a new order, cut into `batch_size` streams that are read side by side to their ends.

    The state is carried from batch to batch, so that the network sees tunes whole, whatever `sequence_length` is. The
    last `beginnings` rows are no streams: in each batch they are tunes' beginnings, after a blank line, as a tune is
    begun when it is made or scored.

    Args:
        extras: tunes that are left from the first epoch on that begins after the share `extra_until` of the steps.
        drawn: tunes of which each epoch has some others, `drawn_share` of its tunes.
    """

    def __init__(
        self,
        tunes: tuple[str, ...],
        vocabulary: Vocabulary,
        reader: Reader,
        config: TrainingConfig,
        extras: frozenset[str] = frozenset(),
        drawn: tuple[str, ...] = (),
    ) -> None:
        self._config = config
        self._tunes = (*tunes, *drawn)
        self._drawn = np.arange(len(tunes), len(self._tunes))
        everything, core = range(len(tunes)), [n for n, tune in enumerate(tunes) if tune not in extras]
        self._first, self._last = np.array(everything), np.array(core or everything)
        self._characters = frozenset(vocabulary.characters)
        self._reader = reader
        self._plans = reader.plans_of(self._tunes)
        self._tonics = tonics_by_mode(tunes)
        self.steps_per_epoch = self._steps(self._first)
        self._begins = [0]  # the first step of each epoch, as far as was asked
        self._epoch = lru_cache(maxsize=1)(self._lay_out)

    def batch(self, step: int) -> Batch:
        epoch, chunk = self._place(step)
        streams: NDArray[np.int32] = self._epoch(epoch)
        begin, length = chunk * self._config.sequence_length, self._config.sequence_length
        rows = streams[:, begin : begin + length + 1]
        if self._config.beginnings:
            rows = np.concatenate([rows[: -self._config.beginnings], self._begin(step)])
        return _batch(rows)

    def _steps(self, numbers: NDArray[np.int64]) -> int:
        """The batches of an epoch of the tunes of these numbers."""
        characters = sum(len(self._tunes[number]) + len(SEPARATOR) for number in numbers)
        return max(1, characters // (self._config.batch_size * self._config.sequence_length))

    def _place(self, step: int) -> tuple[int, int]:
        """A step's epoch, and its number within it."""
        while self._begins[-1] <= step:
            self._begins.append(self._begins[-1] + self._steps(self._numbers(len(self._begins) - 1)))
        epoch = bisect_right(self._begins, step) - 1
        return epoch, step - self._begins[epoch]

    def _numbers(self, epoch: int) -> NDArray[np.int64]:
        """Of the tunes that are read in an epoch, whose first step is known."""
        real = self._first if self._is_before(self._config.extra_until, epoch) else self._last
        share = self._config.drawn_share
        if not share or not len(self._drawn):
            return real
        count = min(len(self._drawn), round(len(real) * share / (1 - share)))
        generator = np.random.default_rng([self._config.seed, epoch, 2])
        return np.concatenate([real, generator.choice(self._drawn, count, replace=False)])

    def _is_before(self, until: float, epoch: int) -> bool:
        """Whether an epoch whose first step is known begins before that share of the steps."""
        return self._begins[epoch] < int(until * self._config.steps)

    def _begin(self, step: int) -> NDArray[np.int32]:
        """The beginnings of a step, [beginnings, sequence + 1, …]; after a short tune comes another one."""
        generator = np.random.default_rng([self._config.seed, step, 1])
        length, rows, numbers = self._config.sequence_length + 1, [], self._numbers(self._place(step)[0])
        for _ in range(self._config.beginnings):
            parts = [self._reader.read(SEPARATOR)]
            while sum(map(len, parts)) < length:
                number = int(numbers[generator.integers(len(numbers))])
                parts.append(self._read(self._tunes[number], number, generator))
            rows.append(np.concatenate(parts)[:length])
        return np.stack(rows)

    def _read(self, tune: str, number: int, generator: np.random.Generator) -> NDArray[np.int32]:
        """A tune and the blank line after it, after which nothing is left of what stood before."""
        plan = self._plans[number]
        return self._reader.read(
            tune + SEPARATOR,
            forget_some(plan, self._config.plan_dropout, generator) if self._reader.is_planned else None,
        )

    def _lay_out(self, epoch: int) -> NDArray[np.int32]:
        """One epoch's streams [batch, steps_per_epoch · sequence + 1, …]."""
        generator = np.random.default_rng([self._config.seed, epoch])
        numbers = self._numbers(epoch)
        rows, columns = self._config.batch_size, self._steps(numbers) * self._config.sequence_length
        share = self._config.transpose if self._is_before(self._config.transpose_until, epoch) else 0.0
        parts: list[NDArray[np.int32]] = []
        while sum(map(len, parts)) < rows * columns + 1:  # a short tunebook is gone through again
            moved = transpose_some(self._tunes, share, self._tonics, generator)
            known = [self._known(new, old) for new, old in zip(moved, self._tunes, strict=True)]
            parts += [self._read(known[number], number, generator) for number in generator.permutation(numbers)]
        ids = np.concatenate(parts)[: rows * columns + 1]
        streams: NDArray[np.int32] = ids[(np.arange(rows) * columns)[:, None] + np.arange(columns + 1)]
        return streams

    def _known(self, moved: str, tune: str) -> str:
        """A moved tune, or the tune itself where the move took it out of the vocabulary."""
        return moved if self._characters.issuperset(moved) else tune


def open_batches(
    tunes: tuple[str, ...],
    whole: str,
    vocabulary: Vocabulary,
    config: TrainingConfig,
    extras: frozenset[str] = frozenset(),
    drawn: tuple[str, ...] = (),
) -> Batches:
    """The batches that a configuration asks for.

    Args:
        tunes: the train tunes.
        whole: the corpus' whole text, for a run that learns from everything.
        extras: those of them that are from extra books.
        drawn: tunes that a published version drew, to be learnt from beside these.
    """
    reader = Reader(vocabulary, Alphabet(vocabulary.characters, config.plan, config.match) if config.lookback else None)
    if config.batching == "streams":
        return Streams(tunes, vocabulary, reader, config, extras, drawn)
    return Crops(whole if config.learn_from == "everything" else SEPARATOR.join(tunes), reader, config)
