"""Turns tunes into batches of inputs and targets, each a pure function of the seed and the step.

That is what makes a resumed run equal to an uninterrupted one: there is no generator whose state must be saved.
"""

from functools import lru_cache
from typing import NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

from app.abc.lookback import Alphabet, track
from model_store.vocabulary import Vocabulary
from training.corpora.corpus import SEPARATOR
from training.dialect.transpose import tonics_by_mode, transpose_some
from training.learning.config import TrainingConfig


class Batch(NamedTuple):
    """What is read and what comes next.

    `inputs` are ids [batch, sequence] int32 or, for a network that is told more, rows of integers [batch, sequence, N]
    that begin with them (see `read`). `targets` [batch, sequence] are the characters one step on.
    """

    inputs: NDArray[np.int32]
    targets: NDArray[np.int32]


class Batches(Protocol):
    """Where a run's batches come from."""

    def batch(self, step: int) -> Batch:
        """The batch of a step, 0-based; the same one whenever it is asked for."""
        ...


def read(ids: NDArray[np.int32], vocabulary: Vocabulary, lookback: bool) -> NDArray[np.int32]:
    """What a network reads of a text [T]: its ids or, with what they are told beside them, [T, N]."""
    if not lookback:
        return ids
    return track(Alphabet(vocabulary.characters), ids.tolist())


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

    def __init__(self, text: str, vocabulary: Vocabulary, config: TrainingConfig) -> None:
        self._config = config
        ids = vocabulary.encode(text + SEPARATOR)
        ids = np.tile(ids, 1 + (config.sequence_length + 1) // len(ids))  # a short text goes round
        self._ids = read(ids, vocabulary, config.lookback)

    def batch(self, step: int) -> Batch:
        generator = np.random.default_rng([self._config.seed, step])
        return get_batch(self._ids, self._config.sequence_length, self._config.batch_size, generator)


class Streams:
    """Each epoch all tunes in a new order, cut into `batch_size` streams that are read side by side to their ends.

    The state is carried from batch to batch, so that the network sees tunes whole, whatever `sequence_length` is. The
    last `beginnings` rows are no streams: in each batch they are tunes' beginnings, after a blank line, as a tune is
    begun when it is made or scored.
    """

    def __init__(self, tunes: tuple[str, ...], vocabulary: Vocabulary, config: TrainingConfig) -> None:
        self._config = config
        self._tunes = tunes
        self._vocabulary = vocabulary
        self._tonics = tonics_by_mode(tunes)
        characters = sum(len(tune) + len(SEPARATOR) for tune in tunes)
        self.steps_per_epoch = max(1, characters // (config.batch_size * config.sequence_length))
        self._epoch = lru_cache(maxsize=1)(self._lay_out)

    def batch(self, step: int) -> Batch:
        epoch, chunk = divmod(step, self.steps_per_epoch)
        streams: NDArray[np.int32] = self._epoch(epoch)
        begin, length = chunk * self._config.sequence_length, self._config.sequence_length
        rows = streams[:, begin : begin + length + 1]
        if self._config.beginnings:
            rows = np.concatenate([rows[: -self._config.beginnings], self._begin(step)])
        return _batch(rows)

    def _begin(self, step: int) -> NDArray[np.int32]:
        """The beginnings of a step, [beginnings, sequence + 1, …]; after a short tune comes another one."""
        generator = np.random.default_rng([self._config.seed, step, 1])
        length, rows = self._config.sequence_length + 1, []
        for _ in range(self._config.beginnings):
            text = SEPARATOR
            while len(text) < length:
                text += self._tunes[generator.integers(len(self._tunes))] + SEPARATOR
            rows.append(read(self._vocabulary.encode(text[:length]), self._vocabulary, self._config.lookback))
        return np.stack(rows)

    def _lay_out(self, epoch: int) -> NDArray[np.int32]:
        """One epoch's streams [batch, steps_per_epoch · sequence + 1, …]."""
        generator = np.random.default_rng([self._config.seed, epoch])
        rows, columns = self._config.batch_size, self.steps_per_epoch * self._config.sequence_length
        parts: list[NDArray[np.int32]] = []
        while sum(map(len, parts)) < rows * columns + 1:  # a short tunebook is gone through again
            moved = transpose_some(self._tunes, self._config.transpose, self._tonics, generator)
            known = [self._known(new, old) for new, old in zip(moved, self._tunes, strict=True)]
            parts += [self._vocabulary.encode(known[i] + SEPARATOR) for i in generator.permutation(len(known))]
        ids = read(np.concatenate(parts)[: rows * columns + 1], self._vocabulary, self._config.lookback)
        streams: NDArray[np.int32] = ids[(np.arange(rows) * columns)[:, None] + np.arange(columns + 1)]
        return streams

    def _known(self, moved: str, tune: str) -> str:
        """A moved tune, or the tune itself where the move took it out of the vocabulary."""
        return moved if set(moved) <= set(self._vocabulary.characters) else tune


def open_batches(tunes: tuple[str, ...], whole: str, vocabulary: Vocabulary, config: TrainingConfig) -> Batches:
    """The batches that a configuration asks for.

    Args:
        tunes: the train tunes.
        whole: the corpus' whole text, for a run that learns from everything.
    """
    if config.batching == "streams":
        return Streams(tunes, vocabulary, config)
    return Crops(whole if config.learn_from == "everything" else SEPARATOR.join(tunes), vocabulary, config)
