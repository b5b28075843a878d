"""Turns weights into the decoder graph that the service steps: one character in, logits out, state in and out.

z = table[id] + h @ Wh          # table = embedding @ Wx + b, folded here: [V, 4U]
i, f, g, o = split(z);  c' = σ(f)·c + σ(i)·tanh(g);  h' = σ(o)·tanh(c');  logits = h' @ Wd + bd
"""

import tempfile
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import tensorflow as tf
from numpy.typing import NDArray
from safetensors.numpy import save

from model_store.manifest import DECODER_FILE, TUNES_FILE, WEIGHTS_FILE
from training import atomic_file
from training.evaluation.weights_source import from_run
from training.learning.run_folder import RunFolder
from training.publishing.tune_index import index_of

SIGNATURE = "step"


def decoder_graph(weights: Mapping[str, NDArray[np.float32]], quantise: bool = True) -> bytes:
    """A LiteRT graph with one signature, `step`, of any batch size B.

    Inputs `ids` [B] int32, `h` and `c` [B, U] float32; outputs `logits` [B, V], `h` and `c`.

    Args:
        weights: the tensors of a network of one layer, by the model store's names.
        quantise: int8 weights (dynamic range): products in int8, the table's rows turned to float32 as they are read.
    """
    module = _step_module(weights)
    with tempfile.TemporaryDirectory(prefix="lilt-export-") as folder:
        tf.saved_model.save(module, folder, signatures={SIGNATURE: module.step})
        converter = tf.lite.TFLiteConverter.from_saved_model(folder, signature_keys=[SIGNATURE])
        if quantise:
            converter.optimizations = [tf.lite.Optimize.DEFAULT]
        return bytes(converter.convert())


def _step_module(weights: Mapping[str, NDArray[np.float32]]) -> tf.Module:
    table = weights["embedding"].astype(np.float64) @ weights["lstm_0/kernel"] + weights["lstm_0/bias"]  # [V, 4U]
    units = weights["lstm_0/recurrent_kernel"].shape[0]
    module = tf.Module()
    module.table = tf.constant(table.astype(np.float32))
    module.recurrent_kernel = tf.constant(weights["lstm_0/recurrent_kernel"])
    module.dense_kernel = tf.constant(weights["dense/kernel"])
    module.dense_bias = tf.constant(weights["dense/bias"])

    def step(ids: tf.Tensor, h: tf.Tensor, c: tf.Tensor) -> dict[str, tf.Tensor]:
        z = tf.gather(module.table, ids) + tf.matmul(h, module.recurrent_kernel)
        i, f, g, o = tf.split(z, 4, axis=1)
        c = tf.sigmoid(f) * c + tf.sigmoid(i) * tf.tanh(g)
        h = tf.sigmoid(o) * tf.tanh(c)
        return {"logits": tf.matmul(h, module.dense_kernel) + module.dense_bias, "h": h, "c": c}

    state = tf.TensorSpec([None, units], tf.float32)
    module.step = tf.function(step).get_concrete_function(
        tf.TensorSpec([None], tf.int32, name="ids"),
        tf.TensorSpec(state.shape, tf.float32, name="h"),
        tf.TensorSpec(state.shape, tf.float32, name="c"),
    )
    return module


def export(run: RunFolder) -> list[Path]:
    """Write a run's best weights, decoder graphs (int8 and float32) and index of tunes into its folder `export`."""
    weights = from_run(run).weights
    folder = run.path / "export"
    folder.mkdir(exist_ok=True)
    contents = {
        WEIGHTS_FILE: save(dict(weights)),
        DECODER_FILE: decoder_graph(weights),
        TUNES_FILE: index_of(run).to_bytes(),
        "decoder-float32.tflite": decoder_graph(weights, quantise=False),
    }
    for name, content in contents.items():
        atomic_file.write(folder / name, content)
    return [folder / name for name in contents]
