"""A network that says what another one is to learn: the probabilities of what comes next (Hinton et al., 2015)."""

from collections.abc import Mapping

import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from model_store.manifest import Input
from training.learning import lstm
from training.learning.lstm import State
from training.learning.model import forward


class Teacher:
    """Reads what its pupil reads, without any noise.

    Args:
        weights: of a network of one layer, by the model store's names.
        inputs: what both are told beside the character.
        dtype: what the products are computed in.
    """

    def __init__(self, weights: Mapping[str, NDArray[np.float32]], inputs: tuple[Input, ...], dtype: str) -> None:
        self._weights = {name: tf.constant(tensor) for name, tensor in weights.items()}
        self._inputs, self._dtype = inputs, dtype
        width, self.units = len(weights["lstm_0/kernel"]), len(weights["lstm_0/recurrent_kernel"])
        has_gpu = bool(tf.config.list_physical_devices("GPU"))
        self._lstm = lstm.for_gpu(width, self.units, dtype) if has_gpu else lstm.for_cpu

    def __call__(self, ids: tf.Tensor, state: State) -> tuple[tf.Tensor, State]:
        """Its probabilities [B, T, V] after each of the ids, and its state after the last."""
        logits, state = forward(self._weights, self._lstm, ids, state, None, self._dtype, self._inputs)
        return tf.nn.softmax(logits), state
