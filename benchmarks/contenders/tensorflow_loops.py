"""TensorFlow: the notebook's own loop, the same model as a graph of one step, and the whole loop compiled by XLA."""

from collections.abc import Callable

import keras
import numpy as np
import tensorflow as tf

from benchmarks.task import START, STEPS, Task, folded

_NOTEBOOK_STEPS = 16


def _threads(task: Task) -> None:
    tf.config.threading.set_intra_op_parallelism_threads(task.threads)
    tf.config.threading.set_inter_op_parallelism_threads(1)


def _stateful(task: Task) -> keras.Sequential:
    weights = task.weights()
    vocab_size, embedding_dim = weights["embedding"].shape
    model = keras.Sequential(
        [
            keras.Input(batch_shape=(task.batch, None), dtype="int32"),
            keras.layers.Embedding(vocab_size, embedding_dim),
            keras.layers.LSTM(len(weights["recurrent"]), return_sequences=True, stateful=True),
            keras.layers.Dense(vocab_size),
        ]
    )
    model.set_weights([weights[name] for name in ("embedding", "kernel", "recurrent", "bias", "dense", "dense_bias")])
    return model


def notebook(task: Task) -> Callable[[], int]:
    """`generate_text` of MIT 6.S191 Lab 1, unchanged: eager, one character at a time."""
    model, characters = _stateful(task), task.characters

    def work() -> int:
        ids = tf.expand_dims([characters.index(character) for character in START], 0)
        text = []
        model.layers[1].reset_states()
        for _ in range(_NOTEBOOK_STEPS):
            predictions = tf.squeeze(model(ids), 0)
            drawn = tf.random.categorical(predictions, num_samples=1)[-1, 0].numpy()
            ids = tf.expand_dims([drawn], 0)
            text.append(characters[drawn])
        return len(text)

    return work


def function_step(task: Task) -> Callable[[], int]:
    """The stateful model and the draw as one `tf.function`, called from Python for each character."""
    _threads(task)
    model = _stateful(task)

    @tf.function(reduce_retracing=True)  # type: ignore[untyped-decorator]
    def step(ids: tf.Tensor) -> tf.Tensor:
        return tf.random.categorical(model(ids)[:, -1], num_samples=1, dtype=tf.int32)

    def work() -> int:
        ids = tf.zeros([task.batch, 1], tf.int32)
        for _ in range(STEPS):
            ids = step(ids)
            ids.numpy()
        return task.batch * STEPS

    return work


def xla_loop(task: Task) -> Callable[[], int]:
    """The folded step and the draw in a `tf.while_loop` that XLA compiles whole: no Python between two characters."""
    _threads(task)
    weights = {name: tf.constant(value) for name, value in task.weights().items()}
    table = tf.constant(folded(task.weights()))
    units = weights["recurrent"].shape[0]

    @tf.function(jit_compile=True)  # type: ignore[untyped-decorator]
    def loop(ids: tf.Tensor, h: tf.Tensor, c: tf.Tensor, seed: tf.Tensor) -> tuple[tf.Tensor, ...]:
        made = tf.zeros([STEPS, task.batch], tf.int32)
        for n in tf.range(STEPS):
            i, f, g, o = tf.split(tf.gather(table, ids) + h @ weights["recurrent"], 4, axis=1)
            c = tf.sigmoid(f) * c + tf.sigmoid(i) * tf.tanh(g)
            h = tf.sigmoid(o) * tf.tanh(c)
            logits = h @ weights["dense"] + weights["dense_bias"]
            uniform = tf.random.stateless_uniform(logits.shape, tf.stack([seed, n]), minval=1e-9)
            ids = tf.argmax(logits - tf.math.log(-tf.math.log(uniform)), axis=1, output_type=tf.int32)
            made = tf.tensor_scatter_nd_update(made, [[n]], [ids])
        return made, ids, h, c

    state = [tf.zeros([task.batch], tf.int32), *(tf.zeros([task.batch, units]) for _ in ("h", "c"))]
    turn = 0

    def work() -> int:
        nonlocal state, turn
        turn += 1
        made, *state = loop(*state, tf.constant(turn))
        return int(np.size(made.numpy()))

    return work
