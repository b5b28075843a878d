"""A run learns, survives being killed, stops when it is asked to, and goes on as if it had not."""

import csv
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from tests.servers import ROOT
from tests.training.conftest import TINY
from training.corpora.corpus import Corpus
from training.errors import CheckpointError, RunError
from training.learning.config import TrainingConfig
from training.learning.run_folder import RunFolder, read_tensors
from training.learning.train import train

LONG = TINY | {"steps": "60", "checkpoint_every": "7", "average_decay": "0.9", "output_dropout": "0.1"}
PATIENCE_S = 120


def new_run(path: Path, corpus: Corpus, recipe: str = "small", **changes: str) -> RunFolder:
    return RunFolder.create(path, TrainingConfig.from_recipe(recipe, TINY | changes), corpus)


def start(corpus: Path, run: Path, *more: str) -> "subprocess.Popen[str]":
    """`python -m training train`, as a user starts it."""
    settings = [argument for name, value in LONG.items() for argument in ("--set", f"{name}={value}")]
    argv = [sys.executable, "-m", "training", "train", "--corpus", str(corpus), "--run", str(run), *settings, *more]
    environment = os.environ | {"CUDA_VISIBLE_DEVICES": ""}
    return subprocess.Popen(argv, cwd=ROOT, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def wait_for_checkpoint(process: "subprocess.Popen[str]", run: Path) -> None:
    deadline = time.monotonic() + PATIENCE_S
    while not (run / "checkpoint.safetensors").exists():
        assert process.poll() is None, process.communicate()
        assert time.monotonic() < deadline, "no checkpoint came"
        time.sleep(0.02)


def losses(run: Path) -> list[float]:
    with (run / "losses.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert [int(row["step"]) for row in rows] == list(range(1, len(rows) + 1))
    return [float(row["loss"]) for row in rows]


@pytest.mark.parametrize(("recipe", "portion"), [("lab", "everything"), ("plain", "train")])
def test_recipes_take_a_step(tmp_path: Path, ten: Corpus, recipe: str, portion: str) -> None:
    """Those of which no run goes on longer here."""
    outcome = train(new_run(tmp_path / "run", ten, recipe, steps="1", learn_from=portion))
    assert outcome.progress.step == 1
    assert outcome.progress.best_loss < 10


def test_a_run_learns_and_leaves_its_curves(tiny_run: RunFolder) -> None:
    curve = losses(tiny_run.path)
    assert len(curve) == 30
    assert curve[-1] < curve[0]
    assert tiny_run.png.read_bytes().startswith(b"\x89PNG")
    assert (tiny_run.path / "run.json").is_file()
    progress, _, history = tiny_run.load_progress()
    assert progress.step == 30
    assert [row.step for row in history.rows if row.validation is not None] == [10, 20, 30]


def test_the_same_seed_learns_the_same(tmp_path: Path, ten: Corpus) -> None:
    runs = [new_run(tmp_path / name, ten, steps="8", output_dropout="0.3") for name in ("a", "b")]
    for run in runs:
        train(run)
    assert losses(runs[0].path) == losses(runs[1].path)


def test_a_run_stops_when_validation_no_longer_falls(tmp_path: Path, ten: Corpus) -> None:
    run = new_run(tmp_path / "run", ten, steps="500", learning_rate="5", validate_every="2", patience="3")
    progress = train(run).progress
    assert progress.step < 500
    assert progress.step - progress.best_step >= 6


def test_killed_and_resumed_equals_uninterrupted(tmp_path: Path, ten: Corpus, tunebook_file: Path) -> None:
    """By the recipe that has most to remember: state from batch to batch, an average, noise of all kinds, pointers."""
    settings = LONG | {"translate": "false"}
    whole = RunFolder.create(tmp_path / "whole", TrainingConfig.from_recipe("lookback", settings), ten)
    train(whole)

    killed = start(tunebook_file, tmp_path / "killed", "--recipe", "lookback", "--set", "translate=false")
    wait_for_checkpoint(killed, tmp_path / "killed")
    killed.kill()
    killed.communicate()
    run = RunFolder.open(tmp_path / "killed")
    step = run.load_progress()[0].step
    assert 0 < step < 60 or run.load_progress()[0].step == 60

    outcome = train(run)
    assert outcome.progress.step == 60
    np.testing.assert_allclose(losses(run.path), losses(whole.path), rtol=1e-4)
    for name, tensor in whole.best_weights().items():
        np.testing.assert_allclose(run.best_weights()[name], tensor, atol=1e-3)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_saves_and_ends_the_run(tmp_path: Path, tunebook_file: Path, number: signal.Signals) -> None:
    process = start(tunebook_file, tmp_path / "run", "--steps", "1000000")
    wait_for_checkpoint(process, tmp_path / "run")
    process.send_signal(number)
    out, err = process.communicate(timeout=PATIENCE_S)
    assert process.returncode == 128 + number, err
    assert "interrupted and saved at step" in out
    assert "--resume" in out
    assert "Traceback" not in err
    step = RunFolder.open(tmp_path / "run").load_progress()[0].step
    assert f"saved at step {step};" in out
    assert len(losses(tmp_path / "run")) == step


def test_a_truncated_checkpoint_is_refused(tmp_path: Path, tiny_run: RunFolder) -> None:
    run = RunFolder.open(Path(shutil.copytree(tiny_run.path, tmp_path / "run")))
    content = run.checkpoint.read_bytes()
    for damaged in (content[: len(content) // 2], b"", b"not a checkpoint at all"):
        run.checkpoint.write_bytes(damaged)
        with pytest.raises(CheckpointError, match=r"checkpoint\.safetensors: truncated or damaged"):
            train(run)


def test_another_networks_checkpoint_is_refused(tmp_path: Path, ten: Corpus, tiny_run: RunFolder) -> None:
    run = new_run(tmp_path / "run", ten, lstm_units="8")
    run.checkpoint.write_bytes(tiny_run.checkpoint.read_bytes())
    run.csv.write_bytes(tiny_run.csv.read_bytes())
    with pytest.raises(CheckpointError, match="not those of this run's network"):
        train(run)


def test_a_run_folder_is_not_written_over(tiny_run: RunFolder, ten: Corpus) -> None:
    with pytest.raises(RunError, match="exists already; go on with it by --resume"):
        RunFolder.create(tiny_run.path, tiny_run.config(), ten)


def test_a_checkpoint_holds_tensors_alone(tiny_run: RunFolder) -> None:
    tensors, metadata = read_tensors(tiny_run.checkpoint)
    assert {name.split("/")[0] for name in tensors} == {"weights", "optimizer", "state"}
    assert json.loads(metadata["step"]) == 30
