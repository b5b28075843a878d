"""The notebook's decoder: a stateful Keras model of batch size 1, the oracle that the LiteRT graph is held to."""

import keras
import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from app.inference.decoder import State, power_of_two_sizes
from model_store.store import Checkpoint


class KerasDecoder:
    """MIT 6.S191 Lab 1: Embedding → stateful LSTM → Dense, rebuilt with batch size 1; a batch goes row by row."""

    def __init__(self, checkpoint: Checkpoint, max_batch: int = 64) -> None:
        config = checkpoint.manifest.model
        self.vocab_size = config.vocab_size
        self.batch_sizes = power_of_two_sizes(max_batch)
        self._lstm = keras.layers.LSTM(config.lstm_units, return_sequences=True, stateful=True)
        self._model = keras.Sequential(
            [
                keras.Input(batch_shape=(1, 1), dtype="int32"),
                keras.layers.Embedding(config.vocab_size, config.embedding_dim),
                self._lstm,
                keras.layers.Dense(config.vocab_size),
            ]
        )
        self._step = tf.function(self._model, reduce_retracing=True)
        tensors = checkpoint.weights()
        self._model.set_weights([tensors[name] for name in config.weight_shapes()])

    def adopt(self) -> None:
        pass  # TensorFlow sees to its threads

    def initial_state(self, batch_size: int) -> State:
        return tuple(np.zeros((batch_size, self._lstm.units), np.float32) for _ in ("h", "c"))

    def step(self, ids: NDArray[np.int32], state: State) -> tuple[NDArray[np.float32], State]:
        rows = [self._step_row(ids[b], tuple(array[b : b + 1] for array in state)) for b in range(len(ids))]
        logits, states = zip(*rows, strict=True)
        return np.concatenate(logits), tuple(np.concatenate(arrays) for arrays in zip(*states, strict=True))

    def _step_row(self, id_: np.int32, state: State) -> tuple[NDArray[np.float32], State]:
        for variable, value in zip(self._lstm.states, state, strict=True):
            variable.assign(value)
        logits = self._step(tf.constant([[id_]]))
        return logits.numpy()[0], tuple(variable.numpy() for variable in self._lstm.states)
