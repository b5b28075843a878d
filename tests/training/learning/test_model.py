"""The network is the notebook's, and the fast scan computes what Keras' LSTM does."""

import math

import keras
import numpy as np
import pytest
import tensorflow as tf

from app.inference.keras_network import build_network as build_model
from app.inference.keras_network import variables
from model_store.manifest import ModelConfig
from training.corpora.corpus import Corpus
from training.evaluation.heldout_loss import Scorer
from training.learning import lstm
from training.learning.config import TrainingConfig
from training.learning.learner import Learner
from training.learning.model import forward, set_weights, zero_state

SMALL = ModelConfig(vocab_size=11, embedding_dim=6, lstm_units=8)


def test_the_lab_recipe_has_5353299_parameters_and_knows_nothing_at_first(ten: Corpus) -> None:
    learner = Learner(TrainingConfig.from_recipe("lab"), 83)
    assert learner.parameters == 5_353_299
    vocabulary = ten.vocabulary
    characters = vocabulary.characters + "".join(chr(0x100 + i) for i in range(83 - len(vocabulary)))
    loss = Scorer(ten.tunes, type(vocabulary)(characters)).score(learner.weights()).nats_per_character
    assert loss == pytest.approx(math.log(83), abs=0.02)


def test_the_lstm_is_built_as_in_the_notebook() -> None:
    model = build_model(SMALL, 4, stateful=True)
    layer = model.layers[1]
    assert layer.stateful
    assert layer.cell.recurrent_activation is keras.activations.sigmoid
    assert isinstance(layer.cell.recurrent_initializer, keras.initializers.GlorotUniform)
    assert model(np.zeros((4, 5), np.int32)).shape == (4, 5, 11)


def test_weights_have_the_names_and_shapes_of_the_model_store() -> None:
    model = build_model(SMALL, None, stateful=False)
    assert {name: tuple(v.shape) for name, v in variables(model, SMALL).items()} == SMALL.weight_shapes()
    ones = {name: np.ones(shape, np.float32) for name, shape in SMALL.weight_shapes().items()}
    set_weights(model, SMALL, ones)
    assert all((array == 1).all() for array in model.get_weights())


def test_the_scan_gives_keras_logits_and_gradients() -> None:
    model = build_model(SMALL, 3, stateful=False)
    weights = variables(model, SMALL)
    ids = tf.constant(np.random.default_rng(0).integers(0, 11, (3, 17)), tf.int32)
    with tf.GradientTape() as tape:
        ours, _ = forward(weights, lstm.for_cpu, ids, zero_state(3, 8))
        loss = tf.reduce_sum(tf.sin(ours))
    our_gradients = tape.gradient(loss, list(weights.values()))
    with tf.GradientTape() as tape:
        theirs = model(ids)
        loss = tf.reduce_sum(tf.sin(theirs))
    their_gradients = tape.gradient(loss, list(weights.values()))
    np.testing.assert_allclose(ours, theirs, atol=1e-5)
    for mine, keras_own in zip(our_gradients, their_gradients, strict=True):
        np.testing.assert_allclose(tf.convert_to_tensor(mine), tf.convert_to_tensor(keras_own), atol=1e-4)


def test_both_layers_carry_the_state() -> None:
    weights = variables(build_model(SMALL, 3, stateful=False), SMALL)
    ids = tf.constant(np.random.default_rng(0).integers(0, 11, (3, 8)), tf.int32)
    for layer in (lstm.for_cpu, lstm.for_gpu(6, 8, "float32")):
        whole, _ = forward(weights, layer, ids, zero_state(3, 8))
        first, state = forward(weights, layer, ids[:, :5], zero_state(3, 8))
        rest, _ = forward(weights, layer, ids[:, 5:], state)
        np.testing.assert_allclose(tf.concat([first, rest], 1), whole, atol=1e-5)


@pytest.mark.parametrize(("dtype", "tolerance"), [("float32", 1e-4), ("float16", 2e-2)])
def test_the_gpus_layer_gives_the_scans_gradients_in_a_compiled_step(dtype: str, tolerance: float) -> None:
    weights = variables(build_model(SMALL, 3, stateful=False), SMALL)
    ids = tf.constant(np.random.default_rng(0).integers(0, 11, (3, 8)), tf.int32)

    def gradients(layer: lstm.Layer, dtype: str) -> list[tf.Tensor]:
        def compute() -> list[tf.Tensor]:
            with tf.GradientTape() as tape:
                logits, _ = forward(weights, layer, ids, zero_state(3, 8), dtype=dtype)
                loss = tf.reduce_mean(tf.sin(logits))
            return [tf.convert_to_tensor(each) for each in tape.gradient(loss, list(weights.values()))]

        computed: list[tf.Tensor] = tf.function(compute)()
        return computed

    theirs = gradients(lstm.for_gpu(6, 8, dtype), dtype)
    for scan, keras_own in zip(gradients(lstm.for_cpu, "float32"), theirs, strict=True):
        np.testing.assert_allclose(scan, keras_own, atol=tolerance)
