"""Removes units of an LSTM whose neighbours say best what they say, and has these say it in their place.

Structured pruning with linear reconstruction: the hidden state h of a network that reads some text is fitted by least
squares from the units that are kept, and what the others gave to the recurrent and the last layer goes on to these
(as Luo et al., 2017, do with the channels of a convolution). Units are removed one at a time, each time the one whose
fit costs those layers least.
"""

from collections.abc import Mapping

import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from model_store.manifest import Input
from training.learning import lstm
from training.learning.model import embed, zero_state

Weights = Mapping[str, NDArray[np.float32]]

_RIDGE = 1e-4  # added to the variance of each unit
_LAST_LAYER_WEIGHT = 3.0  # of an error in the last layer's inputs, beside one in the recurrent layer's
_WARM_UP = 10  # characters, after which a state that began from zeros is like any other


def prune(weights: Weights, inputs: tuple[Input, ...], rows: NDArray[np.int32], units: int) -> Weights:
    """The weights of a network that is left with so many units.

    Args:
        weights: of a network of one layer, by the model store's names.
        inputs: what the network is told beside the character.
        rows: what it reads of some texts, [B, T] or [B, T, 1 + inputs], T > 10.
    """
    recurrent, dense = (weights[name].astype(np.float64) for name in ("lstm_0/recurrent_kernel", "dense/kernel"))
    states = _hidden_states(weights, inputs, rows)
    mean = states.mean(axis=0)
    covariance = (states - mean).T @ (states - mean) / len(states) + _RIDGE * np.eye(len(mean))
    kept = _kept(covariance, np.concatenate([recurrent, _LAST_LAYER_WEIGHT * dense], axis=1), units)
    fit = np.linalg.solve(covariance[np.ix_(kept, kept)], covariance[kept])  # [units, all]: h - mean from those kept
    offset = mean - mean[kept] @ fit
    gates = np.concatenate([kept + len(mean) * gate for gate in range(4)])
    pruned = dict(weights) | {
        "lstm_0/kernel": weights["lstm_0/kernel"][:, gates],
        "lstm_0/recurrent_kernel": (fit @ recurrent)[:, gates],
        "lstm_0/bias": (weights["lstm_0/bias"] + offset @ recurrent)[gates],
        "dense/kernel": fit @ dense,
        "dense/bias": weights["dense/bias"] + offset @ dense,
    }
    return {name: np.asarray(tensor, np.float32) for name, tensor in pruned.items()}


def _hidden_states(weights: Weights, inputs: tuple[Input, ...], rows: NDArray[np.int32]) -> NDArray[np.float64]:
    """[N, units], after each character but the first few."""
    units = len(weights["lstm_0/recurrent_kernel"])
    embedded = embed(weights, tf.constant(rows), inputs)
    layer = (weights[f"lstm_0/{name}"] for name in ("kernel", "recurrent_kernel", "bias"))
    outputs, _ = lstm.for_cpu(embedded, zero_state(len(rows), units), *layer)
    return np.asarray(outputs[:, _WARM_UP:], np.float64).reshape(-1, units)


def _kept(covariance: NDArray[np.float64], reads: NDArray[np.float64], units: int) -> NDArray[np.int64]:
    """The units that are left, ascending.

    Args:
        covariance: of the units, [all, all].
        reads: what the next layers make of each unit, [all, outputs].
    """
    precision, reads = np.linalg.inv(covariance), reads.copy()
    left = np.arange(len(covariance))
    while len(left) > units:
        costs = np.square(reads[left]).sum(axis=1) / precision[left, left]  # 1 / precision: what no other unit says
        unit = left[np.argmin(costs)]
        left = left[left != unit]
        reads[left] -= np.outer(precision[left, unit] / precision[unit, unit], reads[unit])
        precision = precision - np.outer(precision[:, unit], precision[unit]) / precision[unit, unit]
    return left
