"""Turns weights into the decoder graph that the service steps: one character in, logits out, state in and out.

z = table[id] + h @ Wh          # table = embedding @ Wx + b, folded here: [V, 4U]
i, f, g, o = split(z);  c' = σ(f)·c + σ(i)·tanh(g);  h' = σ(o)·tanh(c');  logits = h' @ Wd + bd

A network that is told more than the character has a table more for each of its inputs, and Wd gives a number more for
each copying gate, which is added to the logit of the character that its pointer points at.
"""

import tempfile
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import tensorflow as tf
from numpy.typing import NDArray
from safetensors.numpy import save

from model_store.manifest import DECODER_FILE, TUNES_FILE, WEIGHTS_FILE, Input
from training import atomic_file
from training.evaluation.weights_source import from_run
from training.learning.run_folder import RunFolder
from training.publishing.tune_index import index_of

SIGNATURE = "step"


def decoder_graph(
    weights: Mapping[str, NDArray[np.float32]], quantise: bool = True, inputs: tuple[Input, ...] = ()
) -> bytes:
    """A LiteRT graph with one signature, `step`, of any batch size B.

    Inputs `ids` [B] int32 ([B, 1 + inputs] for a network that has such), `h` and `c` [B, U] float32; outputs `logits`
    [B, V], `h` and `c`.

    Args:
        weights: the tensors of a network of one layer, by the model store's names.
        inputs: what the network is told beside the character.
        quantise: int8 weights (dynamic range): products in int8, the table's rows turned to float32 as they are read.
    """
    module = _step_module(weights, inputs)
    with tempfile.TemporaryDirectory(prefix="lilt-export-") as folder:
        tf.saved_model.save(module, folder, signatures={SIGNATURE: module.step})
        converter = tf.lite.TFLiteConverter.from_saved_model(folder, signature_keys=[SIGNATURE])
        if quantise:
            converter.optimizations = [tf.lite.Optimize.DEFAULT]
        return bytes(converter.convert())


def _step_module(weights: Mapping[str, NDArray[np.float32]], inputs: tuple[Input, ...]) -> tf.Module:
    tables = _folded(weights, inputs)
    vocab_size = len(tables[0])
    gated = [1 + number for number, each in enumerate(inputs) if each.gate]
    units = weights["lstm_0/recurrent_kernel"].shape[0]
    module = tf.Module()
    module.tables = [tf.constant(table.astype(np.float32)) for table in tables]
    if gated:
        module.pointed_at = tf.constant(_pointed_at([inputs[place - 1] for place in gated]))
    module.recurrent_kernel = tf.constant(weights["lstm_0/recurrent_kernel"])
    module.dense_kernel = tf.constant(weights["dense/kernel"])
    module.dense_bias = tf.constant(weights["dense/bias"])

    def step(ids: tf.Tensor, h: tf.Tensor, c: tf.Tensor) -> dict[str, tf.Tensor]:
        columns = tf.unstack(ids, num=len(tables), axis=1) if inputs else [ids]
        parts = [tf.gather(table, column) for table, column in zip(module.tables, columns, strict=True)]
        z = _sum([*parts, tf.matmul(h, module.recurrent_kernel)])
        i, f, g, o = tf.split(z, 4, axis=1)
        c = tf.sigmoid(f) * c + tf.sigmoid(i) * tf.tanh(g)
        h = tf.sigmoid(o) * tf.tanh(c)
        logits = tf.matmul(h, module.dense_kernel) + module.dense_bias
        if gated:
            logits, gates = logits[:, :vocab_size], logits[:, vocab_size:]
            pointers = tf.stack([columns[place] for place in gated], axis=1)
            logits += tf.reduce_sum(tf.gather(module.pointed_at, pointers) * gates[:, :, None], axis=1)
        return {"logits": logits, "h": h, "c": c}

    state = tf.TensorSpec([None, units], tf.float32)
    module.step = tf.function(step).get_concrete_function(
        tf.TensorSpec([None, len(tables)] if inputs else [None], tf.int32, name="ids"),
        tf.TensorSpec(state.shape, tf.float32, name="h"),
        tf.TensorSpec(state.shape, tf.float32, name="c"),
    )
    return module


def _folded(weights: Mapping[str, NDArray[np.float32]], inputs: tuple[Input, ...]) -> list[NDArray[np.float64]]:
    """What each value of the character, and then of each input, adds to the gates: [its size, 4U]."""
    kernel = weights["lstm_0/kernel"].astype(np.float64)
    begin = weights["embedding"].shape[1]
    tables = [weights["embedding"] @ kernel[:begin] + weights["lstm_0/bias"]]
    for each in inputs:
        table = np.zeros((1, kernel.shape[1]))
        for name, (size, dim) in each.tensors().items():
            part = weights[name] @ kernel[begin : begin + dim]
            table = (table[:, None] + part[None]).reshape(len(table) * size, -1)
            begin += dim
        tables.append(table)
    return tables


def _sum(parts: list[tf.Tensor]) -> tf.Tensor:
    """In pairs, and pairs of pairs."""
    while len(parts) > 1:
        pairs = zip(parts[::2], parts[1::2], strict=False)
        parts = [one + other for one, other in pairs] + parts[len(parts) // 2 * 2 :]
    return parts[0]


def _pointed_at(gated: list[Input]) -> NDArray[np.float32]:
    """The character that each value of the gated inputs names, one-hot: [their size, V]; zeros where it names none.

    Raises:
        ValueError: they do not say it alike.
    """
    each, *others = gated
    if any(other.factors != each.factors for other in others):
        raise ValueError(f"gated inputs of different factors: {', '.join(each.name for each in gated)}")
    characters = each.factors[0]
    return np.eye(characters, characters - 1, dtype=np.float32).repeat(each.size // characters, axis=0)


def export(run: RunFolder) -> list[Path]:
    """Write a run's best weights, decoder graphs (int8 and float32) and index of tunes into its folder `export`."""
    trained = from_run(run)
    weights, inputs = trained.weights, trained.network.inputs
    folder = run.path / "export"
    folder.mkdir(exist_ok=True)
    contents = {
        WEIGHTS_FILE: save(dict(weights)),
        DECODER_FILE: decoder_graph(weights, inputs=inputs),
        TUNES_FILE: index_of(run).to_bytes(),
        "decoder-float32.tflite": decoder_graph(weights, quantise=False, inputs=inputs),
    }
    for name, content in contents.items():
        atomic_file.write(folder / name, content)
    return [folder / name for name in contents]
