"""Characters a second: the notebook's loop and other ways to step the same weights, beside Lilt's engine."""

from collections.abc import Callable
from concurrent.futures import wait

import keras
import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from app.decoder import LiteRTDecoder
from app.engine import Engine
from app.keras_decoder import KerasDecoder
from app.sampling import SamplingParams
from app.sequence import Sequence
from benchmarks.measure import rates
from model_store.manifest import DECODER_FILE
from model_store.store import Checkpoint

BATCHES = (1, 16, 64)
START = "X:1\n"


def run(checkpoint: Checkpoint) -> dict[str, dict[str, float]]:
    """Batch size → contender → characters a second."""
    litert = LiteRTDecoder(checkpoint.path(DECODER_FILE))
    engine = Engine(litert)
    try:
        return {str(batch): rates(_contenders(checkpoint, engine, batch)) for batch in BATCHES}
    finally:
        engine.close()


def _contenders(checkpoint: Checkpoint, engine: Engine, batch: int) -> dict[str, Callable[[], int]]:
    ours = {
        "NumPy": _numpy_loop(checkpoint, batch),
        "Lilt's engine, LiteRT int8": _engine_loop(checkpoint, engine, batch),
    }
    if batch > 1:
        return ours
    return {
        "the notebook's loop, Keras": _notebook_loop(checkpoint),
        "tf.function, stateful Keras step": _keras_step_loop(checkpoint),
        **ours,
    }


def _notebook_loop(checkpoint: Checkpoint, characters: int = 50) -> Callable[[], int]:
    """`generate_text` of MIT 6.S191 Lab 1: an eager stateful model, a multinomial draw and one character at a time."""
    config, vocabulary = checkpoint.manifest.model, checkpoint.vocabulary
    model = keras.Sequential(
        [
            keras.Input(batch_shape=(1, None), dtype="int32"),
            keras.layers.Embedding(config.vocab_size, config.embedding_dim),
            keras.layers.LSTM(config.lstm_units, return_sequences=True, stateful=True),
            keras.layers.Dense(config.vocab_size),
        ]
    )
    tensors = checkpoint.weights()
    model.set_weights([tensors[name] for name in config.weight_shapes()])

    def work() -> int:
        ids = tf.expand_dims(vocabulary.encode(START), 0)
        text = []
        model.layers[1].reset_states()
        for _ in range(characters):
            predictions = tf.squeeze(model(ids), 0)
            drawn = tf.random.categorical(predictions, num_samples=1)[-1, 0].numpy()
            ids = tf.expand_dims([drawn], 0)
            text.append(vocabulary.characters[drawn])
        return len(text)

    return work


def _keras_step_loop(checkpoint: Checkpoint, characters: int = 200) -> Callable[[], int]:
    """The service's `keras` decoder, greedy."""
    decoder = KerasDecoder(checkpoint, max_batch=1)

    def work() -> int:
        state, ids = decoder.initial_state(1), np.zeros(1, np.int32)
        for _ in range(characters):
            logits, state = decoder.step(ids, state)
            ids = logits.argmax(axis=1).astype(np.int32)
        return characters

    return work


def _numpy_loop(checkpoint: Checkpoint, batch: int, steps: int = 50) -> Callable[[], int]:
    """The folded step of float32 NumPy, greedy."""
    w = checkpoint.weights()
    table = w["embedding"] @ w["lstm_0/kernel"] + w["lstm_0/bias"]
    units = checkpoint.manifest.model.lstm_units

    def sigmoid(x: NDArray[np.float32]) -> NDArray[np.float32]:
        return np.reciprocal(1.0 + np.exp(-x))

    def work() -> int:
        h = c = np.zeros((batch, units), np.float32)
        ids = np.zeros(batch, np.intp)
        for _ in range(steps):
            i, f, g, o = np.split(table[ids] + h @ w["lstm_0/recurrent_kernel"], 4, axis=1)
            c = sigmoid(f) * c + sigmoid(i) * np.tanh(g)
            h = sigmoid(o) * np.tanh(c)
            ids = (h @ w["dense/kernel"] + w["dense/bias"]).argmax(axis=1)
        return batch * steps

    return work


def _engine_loop(checkpoint: Checkpoint, engine: Engine, batch: int, characters: int = 500) -> Callable[[], int]:
    """The whole of what serves a request but HTTP: queue, batch, sampling at temperature 1."""
    prompt = checkpoint.vocabulary.encode(START)

    def work() -> int:
        sequences = [Sequence(prompt, characters, SamplingParams(seed=seed)) for seed in range(batch)]
        wait([engine.submit(sequence) for sequence in sequences])
        return batch * (characters + len(prompt) - 1)

    return work
