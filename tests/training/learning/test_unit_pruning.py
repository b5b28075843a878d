"""A network that is left with fewer units says what it said, as far as these can say it."""

import numpy as np
import pytest
import tensorflow as tf

from training.learning import lstm
from training.learning.model import forward, zero_state
from training.learning.unit_pruning import Weights, prune

UNITS, CHARACTERS, DIM = 6, 9, 4
IDS = np.random.default_rng(2).integers(0, CHARACTERS, (8, 60)).astype(np.int32)


def network(units: int = UNITS) -> dict[str, np.ndarray]:
    generator = np.random.default_rng(1)
    shapes = {
        "embedding": (CHARACTERS, DIM),
        "lstm_0/kernel": (DIM, 4 * units),
        "lstm_0/recurrent_kernel": (units, 4 * units),
        "lstm_0/bias": (4 * units,),
        "dense/kernel": (units, CHARACTERS),
        "dense/bias": (CHARACTERS,),
    }
    return {name: generator.normal(0, 0.7, shape).astype(np.float32) for name, shape in shapes.items()}


def with_twins(weights: Weights) -> Weights:
    """The same network with a twin of each unit, which takes half of what the unit gave to others."""
    twice = np.concatenate([np.repeat(np.arange(UNITS), 2) + UNITS * gate for gate in range(4)])
    units = twice[: 2 * UNITS]
    return dict(weights) | {
        "lstm_0/kernel": weights["lstm_0/kernel"][:, twice],
        "lstm_0/recurrent_kernel": weights["lstm_0/recurrent_kernel"][units][:, twice] / 2,
        "lstm_0/bias": weights["lstm_0/bias"][twice],
        "dense/kernel": weights["dense/kernel"][units] / 2,
    }


def logits(weights: Weights) -> np.ndarray:
    state = zero_state(len(IDS), len(weights["lstm_0/recurrent_kernel"]))
    return np.asarray(forward(weights, lstm.for_cpu, tf.constant(IDS), state)[0])


def test_units_that_others_say_are_not_missed() -> None:
    whole = network()
    twins = with_twins(whole)
    np.testing.assert_allclose(logits(twins), logits(whole), atol=1e-4)
    pruned = prune(twins, (), IDS, UNITS)
    assert {name: tensor.shape for name, tensor in pruned.items()} == {n: t.shape for n, t in whole.items()}
    np.testing.assert_allclose(logits(pruned), logits(whole), atol=0.05)


def test_what_is_left_says_more_than_the_first_units_alone() -> None:
    whole, left = network(24), 18
    gates = np.concatenate([np.arange(left) + 24 * gate for gate in range(4)])
    cut = dict(whole) | {
        "lstm_0/kernel": whole["lstm_0/kernel"][:, gates],
        "lstm_0/recurrent_kernel": whole["lstm_0/recurrent_kernel"][:left, gates],
        "lstm_0/bias": whole["lstm_0/bias"][gates],
        "dense/kernel": whole["dense/kernel"][:left],
    }
    error, of_cut = (np.abs(logits(each) - logits(whole)).mean() for each in (prune(whole, (), IDS, left), cut))
    assert error < of_cut / 2


@pytest.mark.parametrize("units", [UNITS, 2 * UNITS])
def test_nothing_is_lost_where_all_stay(units: int) -> None:
    whole = network(units)
    np.testing.assert_allclose(logits(prune(whole, (), IDS, units)), logits(whole), atol=1e-4)
