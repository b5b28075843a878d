"""The network: Embedding → LSTM → Dense over characters, as a Keras model and as a function of its weights."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import keras
import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from app.abc.lookback.columns import Column, columns
from app.inference.keras_network import add_gates, build_network, split, variables
from model_store.manifest import Input, ModelConfig
from training.learning.config import TrainingConfig
from training.learning.lstm import Layer, State

__all__ = ["Noise", "Weights", "build_network", "forward", "model_config", "set_weights", "variables", "zero_state"]

Weights = Mapping[str, tf.Tensor]
"""Tensor names of `ModelConfig.weight_shapes` → tensors or variables."""


def model_config(config: TrainingConfig, vocab_size: int) -> ModelConfig:
    """The shape of the network that a run trains."""

    def told(column: Column) -> Input:
        is_pointer = column.name == "match" or column.name.startswith("back_")
        dims = (config.pointer_dim, config.run_dim) if is_pointer else (config.place_dim,) * len(column.factors)
        return Input(name=column.name, factors=column.factors, dims=dims, gate=is_pointer)

    return ModelConfig(
        inputs=tuple(map(told, columns(vocab_size, config.plan, config.match))) if config.lookback else (),
        vocab_size=vocab_size,
        embedding_dim=config.embedding_dim,
        lstm_units=config.lstm_units,
        dropout=config.output_dropout,
    )


def set_weights(model: keras.Model, config: ModelConfig, weights: Mapping[str, NDArray[np.float32]]) -> None:
    """Fill a model with tensors from a checkpoint."""
    for name, variable in variables(model, config).items():
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

    def drop_pointers(self, told: Mapping[Input, tf.Tensor]) -> dict[Input, tf.Tensor]:
        """Let some pointers, each for itself at each character, point nowhere."""
        rate, left = self.config.pointer_dropout, dict(told)
        if rate:
            for stream, (each, values) in enumerate(told.items(), 4):
                if each.gate:
                    seed = tf.stack([self.config.seed * 16 + stream, self.step * 64 + self.replica])
                    is_kept = tf.random.stateless_uniform(values.shape, seed) >= rate
                    left[each] = tf.where(is_kept, values, (each.factors[0] - 1) * (each.size // each.factors[0]))
        return left


def forward(
    weights: Weights,
    lstm: Layer,
    ids: tf.Tensor,
    state: State,
    noise: Noise | None = None,
    dtype: str = "float32",
    inputs: tuple[Input, ...] = (),
) -> tuple[tf.Tensor, State]:
    """One layer's worth of network over a batch.

    Args:
        ids: [B, T] int32, or [B, T, 1 + inputs] for a network that has such; known in shape when the graph is built.
        inputs: what it is told beside the character.
        noise: what to drop, in training.
        dtype: what the products are computed in.

    Returns:
        Logits [B, T, V] float32, and the state after the last character.
    """
    batch, length = ids.shape[:2]
    ids, told = _told(ids, inputs)
    embedded = tf.gather(tf.convert_to_tensor(weights["embedding"]), ids)
    recurrent_kernel = tf.convert_to_tensor(weights["lstm_0/recurrent_kernel"])
    if noise:
        rates = noise.config
        embedded = noise.drop(embedded, rates.character_dropout, [batch, length, 1], 0, rescale=False)
        embedded = noise.drop(embedded, rates.embedding_dropout, [batch, 1, embedded.shape[-1]], 1)
        recurrent_kernel = noise.drop(recurrent_kernel, rates.recurrent_dropout, recurrent_kernel.shape, 2)
        told = noise.drop_pointers(told)
    if told:
        embedded = tf.concat([embedded, *_embeddings(weights, told)], axis=-1)
    outputs, state = lstm(
        tf.cast(embedded, dtype), state, weights["lstm_0/kernel"], recurrent_kernel, weights["lstm_0/bias"]
    )
    if noise:
        # a sequence keeps its mask from its first character to its last (Gal and Ghahramani, 2016)
        outputs = noise.drop(outputs, noise.config.output_dropout, [batch, 1, outputs.shape[-1]], 3)
    logits = tf.tensordot(tf.cast(outputs, dtype), tf.cast(weights["dense/kernel"], dtype), 1)
    logits = tf.cast(logits, tf.float32) + weights["dense/bias"]
    gated = [split(each, values)[0] for each, values in told.items() if each.gate]
    return add_gates(logits, gated, logits.shape[-1] - len(gated)), state


def embed(weights: Weights, ids: tf.Tensor, inputs: tuple[Input, ...]) -> tf.Tensor:
    """What the LSTM reads, [B, T, E] float32, of ids as `forward` has them."""
    ids, told = _told(ids, inputs)
    return tf.concat([tf.gather(tf.convert_to_tensor(weights["embedding"]), ids), *_embeddings(weights, told)], axis=-1)


def _told(ids: tf.Tensor, inputs: tuple[Input, ...]) -> tuple[tf.Tensor, dict[Input, tf.Tensor]]:
    """The characters, [B, T], and what is told beside them."""
    if not inputs:
        return ids, {}
    return ids[..., 0], dict(zip(inputs, tf.unstack(ids[..., 1:], axis=-1), strict=True))


def _embeddings(weights: Weights, told: Mapping[Input, tf.Tensor]) -> Iterator[tf.Tensor]:
    """The embeddings of each number of each input."""
    for each, values in told.items():
        for name, numbers in zip(each.tensors(), split(each, values), strict=True):
            yield tf.gather(tf.convert_to_tensor(weights[name]), numbers)


def zero_state(batch_size: int, units: int) -> State:
    return tf.zeros([batch_size, units]), tf.zeros([batch_size, units])
