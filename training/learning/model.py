"""The network: Embedding → LSTM → Dense over characters, as a Keras model and as a function of its weights."""

from collections.abc import Mapping
from dataclasses import dataclass

import keras
import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from model_store.manifest import ModelConfig
from training.learning.config import TrainingConfig
from training.learning.lstm import Layer, State

Weights = Mapping[str, tf.Tensor]
"""Tensor names of `ModelConfig.weight_shapes` → tensors or variables."""


def model_config(config: TrainingConfig, vocab_size: int) -> ModelConfig:
    """The shape of the network that a run trains."""
    return ModelConfig(
        vocab_size=vocab_size,
        embedding_dim=config.embedding_dim,
        lstm_units=config.lstm_units,
        dropout=config.output_dropout,
    )


def build_model(
    config: ModelConfig,
    batch_size: int | None,
    stateful: bool,
    recurrent_initializer: str = "glorot_uniform",
    embedding_range: float = 0.05,
) -> keras.Model:
    """The notebook's model: ids [batch_size, any length] int32 → logits [batch_size, length, V] float32.

    Args:
        embedding_range: the embedding begins uniform between minus and plus this.
    """
    uniform = keras.initializers.RandomUniform(-embedding_range, embedding_range)
    lstm = keras.layers.LSTM(
        config.lstm_units,
        return_sequences=True,
        stateful=stateful,
        recurrent_initializer=recurrent_initializer,
        recurrent_activation="sigmoid",
    )
    return keras.Sequential(
        [
            keras.Input(batch_shape=(batch_size, None), dtype="int32"),
            keras.layers.Embedding(config.vocab_size, config.embedding_dim, embeddings_initializer=uniform),
            lstm,
            keras.layers.Dense(config.vocab_size),
        ]
    )


def variables(model: keras.Model, config: ModelConfig) -> dict[str, tf.Variable]:
    """The model's trainable variables under the names that the model store gives them."""
    return dict(zip(config.weight_shapes(), (v.value for v in model.trainable_variables), strict=True))


def set_weights(model: keras.Model, config: ModelConfig, weights: Mapping[str, NDArray[np.float32]]) -> None:
    """Fill a model with tensors from a checkpoint."""
    for variable, name in zip(model.trainable_variables, config.weight_shapes(), strict=True):
        variable.assign(weights[name])


@dataclass(frozen=True)
class Noise:
    """Dropout of one training step; the same seed and step drop the same things."""

    config: TrainingConfig
    step: tf.Tensor  # int32 scalar
    replica: tf.Tensor | int = 0

    def drop(self, tensor: tf.Tensor, rate: float, shape: list[int], stream: int, rescale: bool = True) -> tf.Tensor:
        """The tensor times a mask of this shape, which keeps 1 - rate of its places."""
        if not rate:
            return tensor
        seed = tf.stack([self.config.seed * 16 + stream, self.step * 64 + self.replica])
        kept = tf.cast(tf.random.stateless_uniform(shape, seed) >= rate, tensor.dtype)
        return tensor * (kept / (1 - rate) if rescale else kept)


def forward(
    weights: Weights, lstm: Layer, ids: tf.Tensor, state: State, noise: Noise | None = None, dtype: str = "float32"
) -> tuple[tf.Tensor, State]:
    """One layer's worth of network over a batch.

    Args:
        ids: [B, T] int32, both known when the graph is built.
        noise: what to drop, in training.
        dtype: what the products are computed in.

    Returns:
        Logits [B, T, V] float32, and the state after the last character.
    """
    batch, length = ids.shape
    embedded = tf.gather(tf.convert_to_tensor(weights["embedding"]), ids)
    recurrent_kernel = tf.convert_to_tensor(weights["lstm_0/recurrent_kernel"])
    if noise:
        rates = noise.config
        embedded = noise.drop(embedded, rates.character_dropout, [batch, length, 1], 0, rescale=False)
        embedded = noise.drop(embedded, rates.embedding_dropout, [batch, 1, embedded.shape[-1]], 1)
        recurrent_kernel = noise.drop(recurrent_kernel, rates.recurrent_dropout, recurrent_kernel.shape, 2)
    outputs, state = lstm(
        tf.cast(embedded, dtype), state, weights["lstm_0/kernel"], recurrent_kernel, weights["lstm_0/bias"]
    )
    if noise:
        # a sequence keeps its mask from its first character to its last (Gal and Ghahramani, 2016)
        outputs = noise.drop(outputs, noise.config.output_dropout, [batch, 1, outputs.shape[-1]], 3)
    logits = tf.tensordot(tf.cast(outputs, dtype), tf.cast(weights["dense/kernel"], dtype), 1)
    return tf.cast(logits, tf.float32) + weights["dense/bias"], state


def zero_state(batch_size: int, units: int) -> State:
    return tf.zeros([batch_size, units]), tf.zeros([batch_size, units])
