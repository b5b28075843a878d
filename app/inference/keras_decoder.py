"""The notebook's decoder: a stateful Keras model of batch size 1, the oracle that the LiteRT graph is held to."""

import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from app.abc.lookback.alphabet import Alphabet
from app.inference.decoder import Ids, State, power_of_two_sizes
from app.inference.keras_network import build_network, variables
from model_store.store import Checkpoint


class KerasDecoder:
    """MIT 6.S191 Lab 1: Embedding → stateful LSTM → Dense, rebuilt with batch size 1; a batch goes row by row."""

    def __init__(self, checkpoint: Checkpoint, max_batch: int = 64) -> None:
        config = checkpoint.manifest.model
        self.vocab_size = config.vocab_size
        self.alphabet = Alphabet.of_width(checkpoint.manifest.vocabulary, len(config.inputs)) if config.inputs else None
        self.batch_sizes = power_of_two_sizes(max_batch)
        self._model = build_network(config, 1, stateful=True, length=1)
        self._lstm = self._model.get_layer("lstm_0")
        self._step = tf.function(self._model, reduce_retracing=True)
        tensors = checkpoint.weights()
        for name, variable in variables(self._model, config).items():
            variable.assign(tensors[name])

    def adopt(self) -> None:
        pass  # TensorFlow sees to its threads

    def initial_state(self, batch_size: int) -> State:
        return tuple(np.zeros((batch_size, self._lstm.units), np.float32) for _ in ("h", "c"))

    def step(self, ids: Ids, state: State) -> tuple[NDArray[np.float32], State]:
        rows = [self._step_row(ids[b], tuple(array[b : b + 1] for array in state)) for b in range(len(ids))]
        logits, states = zip(*rows, strict=True)
        return np.concatenate(logits), tuple(np.concatenate(arrays) for arrays in zip(*states, strict=True))

    def _step_row(self, read: NDArray[np.int32] | np.int32, state: State) -> tuple[NDArray[np.float32], State]:
        for variable, value in zip(self._lstm.states, state, strict=True):
            variable.assign(value)
        logits = self._step(tf.constant(np.asarray(read)[None, None]))
        return logits.numpy()[0], tuple(variable.numpy() for variable in self._lstm.states)
