"""Held-out loss, in nats per character, the one number that runs are compared by.

Each tune is scored by itself from a zero state: the network reads a blank line ("\\n\\n"), then predicts every
character of the tune and the blank line that closes it.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial

import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from model_store.manifest import Input
from model_store.vocabulary import Vocabulary
from training.corpora.corpus import SEPARATOR
from training.learning import lstm
from training.learning.model import forward, zero_state
from training.learning.reading import Reader

ROWS = 16  # tunes side by side
COLUMNS = 64  # lengths are rounded up to a multiple, so that few shapes are compiled


@dataclass(frozen=True)
class Score:
    """What a list of tunes costs."""

    nats: float
    characters: int

    @property
    def nats_per_character(self) -> float:
        return self.nats / self.characters


class Scorer:
    """Scores one list of tunes again and again, as a network learns.

    Args:
        inputs: what it is told beside characters.
        with_plans: whether it is told each tune's own plan, if it can be; without, its losses are those of other
            networks' kind.
    """

    def __init__(
        self,
        tunes: tuple[str, ...],
        vocabulary: Vocabulary,
        inputs: tuple[Input, ...] = (),
        *,
        with_plans: bool = False,
    ) -> None:
        reader = Reader.of_width(vocabulary, len(inputs))
        self.characters = sum(len(tune) + len(SEPARATOR) for tune in tunes)
        ordered = sorted(tunes, key=len)
        self._batches = [_pack(ordered[i : i + ROWS], reader, with_plans) for i in range(0, len(ordered), ROWS)]
        self._nats = tf.function(partial(_nats, inputs), reduce_retracing=True, autograph=False)

    def score(self, weights: Mapping[str, tf.Tensor]) -> Score:
        """The loss of all tunes under these weights."""
        weights = {name: tf.convert_to_tensor(tensor) for name, tensor in weights.items()}
        nats = sum(float(self._nats(weights, *batch)) for batch in self._batches)
        return Score(nats, self.characters)


def _pack(
    tunes: list[str], reader: Reader, with_plans: bool
) -> tuple[NDArray[np.int32], NDArray[np.int32], NDArray[np.float32]]:
    """What is read [B, T, …], targets and which targets count, [B, T] each; shorter tunes are padded at their ends."""
    plans = reader.plans_of(tunes) if with_plans else [None] * len(tunes)
    rows = [reader.read(SEPARATOR + tune + SEPARATOR, plan) for tune, plan in zip(tunes, plans, strict=True)]
    width = -(-max(map(len, rows)) // COLUMNS) * COLUMNS + 1
    ids = np.zeros((ROWS, width, *rows[0].shape[1:]), np.int32)
    counts = np.zeros((ROWS, width), np.float32)
    for row, line in enumerate(rows):
        ids[row, : len(line)] = line
        counts[row, len(SEPARATOR) : len(line)] = 1.0
    return ids[:, :-1], ids[:, 1:, 0] if reader.alphabet else ids[:, 1:], counts[:, 1:]


def _nats(
    inputs: tuple[Input, ...],
    weights: Mapping[str, tf.Tensor],
    ids: tf.Tensor,
    targets: tf.Tensor,
    counts: tf.Tensor,
) -> tf.Tensor:
    units = weights["dense/kernel"].shape[0]
    logits, _ = forward(weights, lstm.for_cpu, tf.convert_to_tensor(ids), zero_state(ROWS, units), inputs=inputs)
    return tf.reduce_sum(tf.nn.sparse_softmax_cross_entropy_with_logits(targets, logits) * counts)
