"""Several devices learn what one does, and lower precision learns too."""

import dataclasses
import subprocess
import sys

import numpy as np
import tensorflow as tf

from tests.servers import ROOT
from tests.training.conftest import TINY
from training.corpora.corpus import Corpus
from training.learning.config import TrainingConfig
from training.learning.input_pipeline import open_batches
from training.learning.learner import Learner, fastest_precision

TWO_DEVICES = """
import dataclasses

import numpy as np
import tensorflow as tf

(cpu,) = tf.config.list_physical_devices("CPU")
tf.config.set_logical_device_configuration(cpu, [tf.config.LogicalDeviceConfiguration()] * 2)

from training.learning.config import TrainingConfig
from training.learning.input_pipeline import Batch
from training.learning.learner import Learner

config = TrainingConfig.from_recipe("lab", {settings})
generator = np.random.default_rng(0)
batches = [Batch(*generator.integers(0, 11, (2, 4, 20)).astype(np.int32)) for _ in range(4)]
teacher = Learner(dataclasses.replace(config, lstm_units=24), 11, []).weights()
config = dataclasses.replace(config, distillation=0.5)
one, two = Learner(config, 11, [], teacher), Learner(config, 11, ["CPU:0", "CPU:1"], teacher)
for step, batch in enumerate(batches):
    np.testing.assert_allclose(one.learn(batch, step), two.learn(batch, step), rtol=1e-4)
again = Learner(config, 11, ["CPU:0", "CPU:1"], teacher)
again.restore(two.tensors())
np.testing.assert_allclose(again.learn(batches[0], 4), two.learn(batches[0], 4), rtol=1e-5)
print("both learnt the same")
"""


def test_two_devices_learn_what_one_does() -> None:
    """From a teacher too, whose state is carried beside the network's own."""
    script = TWO_DEVICES.replace("{settings}", repr(TINY))
    argv = [sys.executable, "-c", script]
    done = subprocess.run(argv, cwd=ROOT, capture_output=True, text=True, check=False)
    assert "both learnt the same" in done.stdout, done.stderr


def test_mixed_precision_learns(ten: Corpus) -> None:
    config = TrainingConfig.from_recipe("lab", TINY | {"precision": "mixed_float16"})
    learner = Learner(config, len(ten.vocabulary))
    batches = open_batches(ten.tunes, ten.text, ten.vocabulary, config)
    losses = [learner.learn(batches.batch(step), step) for step in range(20)]
    assert np.isfinite(losses).all()
    assert losses[-1] < losses[0]


def test_beginnings_are_read_from_zeros_and_the_other_rows_go_on(ten: Corpus) -> None:
    config = TrainingConfig.from_recipe("small", TINY | {"beginnings": "1", "steps": "1"})
    learner = Learner(config, len(ten.vocabulary))
    state = tuple(tf.ones((4, 16)) for _ in "hc")
    for part in learner._forget_beginnings(state, 0):
        assert part.numpy()[:, 0].tolist() == [1, 1, 1, 0]


def test_a_cpu_learns_in_float32() -> None:
    config = TrainingConfig.from_recipe("lab", TINY)
    chosen = fastest_precision(config, 11)
    assert chosen == dataclasses.replace(config, precision="float32")
