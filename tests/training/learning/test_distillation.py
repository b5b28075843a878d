"""A published version teaches a network of fewer units, which learns from tunes that it draws too."""

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import tensorflow as tf

from model_store.store import Checkpoint
from tests.training.conftest import TINY
from training.cli.main import main
from training.corpora.corpus import Corpus
from training.errors import ConfigError
from training.learning import lstm
from training.learning.config import TrainingConfig
from training.learning.input_pipeline import Streams, open_batches
from training.learning.learner import Learner, fastest_precision
from training.learning.model import forward, zero_state
from training.learning.run_folder import RunFolder
from training.learning.start import shaped_like, start_of

FEW = {"lstm_units": "6", "drawn_tunes": "6", "drawn_candidates": "1", "steps": "4", "validate_every": "2"}


def settings(teacher: Checkpoint, **changes: str) -> TrainingConfig:
    config = TrainingConfig.from_recipe("distilled", TINY | FEW | changes)
    return shaped_like(config, teacher)


def test_a_pupil_learns_from_the_command_line(
    tiny_version: Checkpoint, tunebook_file: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    wishes = [word for name, value in (TINY | FEW).items() for word in ("--set", f"{name}={value}")]
    origin = ["--from", "tiny", "--store", str(tiny_version.folder.parents[1]), "--corpus", str(tunebook_file)]
    assert main(["train", "--recipe", "distilled", "--run", str(tmp_path / "run"), *origin, *wishes]) == 0
    run = RunFolder.open(tmp_path / "run")
    assert len(run.best_weights()["lstm_0/recurrent_kernel"]) == 6
    assert 0 < len(run.drawn()) <= 6
    assert all(tune.startswith("X:") for tune in run.drawn())
    assert run.load_progress()[0].step == 4

    assert "drawing" in capsys.readouterr().err
    assert main(["train", "--recipe", "distilled", "--run", str(run.path), *origin, *wishes]) == 2
    told = capsys.readouterr().err
    assert "exists already" in told
    assert "drawing" not in told


def test_a_pupil_needs_a_teacher(tunebook_file: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    origin = ["--corpus", str(tunebook_file), "--run", str(tmp_path / "run")]
    assert main(["train", "--recipe", "distilled", *origin]) == 2
    assert "recipe distilled: say by --from which version teaches it" in capsys.readouterr().err


def test_a_resumed_pupil_learns_what_it_would_have(tiny_version: Checkpoint, ten: Corpus) -> None:
    config, teacher = settings(tiny_version), start_of(tiny_version).as_learnt()
    batches = open_batches(ten.tunes, ten.text, ten.vocabulary, config)
    first = Learner(config, len(ten.vocabulary), teacher=teacher)
    for step in range(2):
        first.learn(batches.batch(step), step)
    second = Learner(config, len(ten.vocabulary), teacher=teacher)
    second.restore(first.tensors())
    assert np.abs(first.tensors()["state/teacher_h"]).sum() > 0
    for step in range(2, 4):
        assert first.learn(batches.batch(step), step) == pytest.approx(second.learn(batches.batch(step), step))


def test_precision_is_chosen_with_the_teacher_there(
    tiny_version: Checkpoint, ten: Corpus, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As on a machine with a GPU, whose layers compute anywhere."""
    monkeypatch.setattr(tf.config, "list_physical_devices", lambda _: ["a GPU"])
    config, teacher = settings(tiny_version), start_of(tiny_version).as_learnt()
    assert config.precision == "auto"
    chosen = fastest_precision(config, len(ten.vocabulary), teacher)
    assert chosen.precision in ("float32", "mixed_float16")
    mixed = Learner(replace(config, precision="mixed_float16"), len(ten.vocabulary), teacher=teacher)
    batch = open_batches(ten.tunes, ten.text, ten.vocabulary, config).batch(0)
    assert np.isfinite([mixed.learn(batch, step) for step in range(3)]).all()


def test_no_more_units_than_the_teachers_are_taught(tiny_version: Checkpoint) -> None:
    with pytest.raises(ConfigError, match="lstm_units: 17 is more than tiny has, 16"):
        settings(tiny_version, lstm_units="17")


def test_where_the_teacher_is_gone_that_is_told(tiny_version: Checkpoint, ten: Corpus) -> None:
    with pytest.raises(ConfigError, match="distillation: there is no version to be taught by"):
        Learner(settings(tiny_version), len(ten.vocabulary))


def test_a_pupil_comes_to_say_what_its_teacher_says(tiny_version: Checkpoint, ten: Corpus) -> None:
    generator = np.random.default_rng(1)
    opinions = generator.normal(0, 2, len(ten.vocabulary)).astype(np.float32)
    teacher = dict(start_of(tiny_version).as_learnt()) | {"dense/bias": opinions}
    config = settings(tiny_version, distillation="0.99", learning_rate="0.02", steps="40", average_decay="0")
    batches = open_batches(ten.tunes, ten.text, ten.vocabulary, config)
    learner = Learner(config, len(ten.vocabulary), teacher=teacher)
    before = distance(learner.weights(), teacher, batches.batch(0).inputs)
    for step in range(40):
        learner.learn(batches.batch(step), step)
    assert distance(learner.weights(), teacher, batches.batch(0).inputs) < before / 2


def distance(one: Mapping[str, np.ndarray], other: Mapping[str, np.ndarray], ids: np.ndarray) -> float:
    """The mean difference of two networks' probabilities of what comes next."""
    said = [
        tf.nn.softmax(forward(each, lstm.for_cpu, ids, zero_state(len(ids), len(each["dense/kernel"])))[0])
        for each in (one, other)
    ]
    return float(np.abs(said[0] - said[1]).mean())


def test_each_epoch_has_other_drawn_tunes(ten: Corpus) -> None:
    drawn = tuple(tune.replace("T:Number", "T:Member") for tune in ten.tunes)
    config = TrainingConfig.from_recipe(
        "distilled", TINY | {"lookback": "false", "plan": "false", "drawn_share": "0.3"}
    )
    streams = open_batches(ten.tunes, ten.text, ten.vocabulary, config, drawn=drawn)
    assert isinstance(streams, Streams)
    streams.batch(150)  # within a later epoch than the fifth
    chosen = [streams._numbers(epoch).tolist() for epoch in range(5)]
    assert all(numbers[:10] == list(range(10)) and len(numbers) == 14 for numbers in chosen)
    assert len({tuple(numbers[10:]) for numbers in chosen}) > 1
    again = open_batches(ten.tunes, ten.text, ten.vocabulary, config, drawn=drawn)
    assert (streams.batch(30).inputs == again.batch(30).inputs).all()


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"drawn_share": "0"}, "drawn_tunes and drawn_share: one without the other"),
        ({"batching": "crops", "beginnings": "0"}, "drawn_tunes: crops of one text have none"),
        ({"distillation": "1"}, r"distillation: 1.0 is not in \[0, 1\)"),
    ],
)
def test_a_wrong_setting_is_told(changes: dict[str, str], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        TrainingConfig.from_recipe("distilled", changes)
