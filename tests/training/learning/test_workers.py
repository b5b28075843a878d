"""Processes that train one network together learn what one alone does, and go on after one of them was lost."""

import csv
import json
import os
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest

from tests.servers import ROOT
from tests.training.conftest import TINY
from training.corpora.corpus import Corpus
from training.errors import ConfigError
from training.learning.config import TrainingConfig
from training.learning.run_folder import RunFolder
from training.learning.train import train
from training.learning.workers import Workers

PATIENCE_S = 180
STEPS = 200
SETTINGS = TINY | {"steps": str(STEPS), "checkpoint_every": "10", "validate_every": "50"}

Process = subprocess.Popen[str]


def free_ports() -> list[int]:
    sockets = [socket.create_server(("127.0.0.1", 0)) for _ in range(2)]
    ports = [each.getsockname()[1] for each in sockets]
    for each in sockets:
        each.close()
    return ports


@pytest.fixture
def start_both(tmp_path: Path) -> Iterator[Callable[..., list[Process]]]:
    """Starts two workers of one run on this machine, the chief first; none outlives the test."""
    started: list[Process] = []

    def start(*arguments: str) -> list[Process]:
        addresses = [f"127.0.0.1:{port}" for port in free_ports()]
        argv = [sys.executable, "-m", "training", "train", "--run", str(tmp_path / "together"), *arguments]
        both = [
            subprocess.Popen(
                argv,
                cwd=ROOT,
                env=os.environ | {"CUDA_VISIBLE_DEVICES": "", "TF_CONFIG": config(addresses, index)},
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                text=True,
            )
            for index in range(2)
        ]
        started.extend(both)
        return both

    yield start
    for process in started:
        process.kill()
        process.communicate()


def config(addresses: list[str], index: int) -> str:
    return json.dumps({"cluster": {"worker": addresses}, "task": {"type": "worker", "index": index}})


def losses(run: Path) -> list[float]:
    with (run / "losses.csv").open() as file:
        return [float(row["loss"]) for row in csv.DictReader(file)]


def test_two_workers_learn_what_one_does_though_one_is_lost_on_the_way(
    tmp_path: Path, ten: Corpus, tunebook_file: Path, start_both: Callable[..., list[Process]]
) -> None:
    alone = RunFolder.create(tmp_path / "alone", TrainingConfig.from_recipe("lab", SETTINGS), ten)
    train(alone)

    together = tmp_path / "together"
    settings = [argument for name, value in SETTINGS.items() for argument in ("--set", f"{name}={value}")]
    chief, other = start_both("--recipe", "lab", "--corpus", str(tunebook_file), *settings)
    deadline = time.monotonic() + PATIENCE_S
    while not (together / "checkpoint.safetensors").exists():
        assert chief.poll() is None, chief.communicate()
        assert time.monotonic() < deadline
        time.sleep(0.02)
    other.kill()
    said, _ = chief.communicate(timeout=PATIENCE_S)
    assert chief.returncode == 2, said
    assert "error: another worker was lost" in said
    assert "start all again with --resume" in said
    assert "Traceback" not in said
    assert 0 < RunFolder.open(together).load_progress()[0].step < STEPS

    both = start_both("--resume")
    for process in both:
        said, _ = process.communicate(timeout=PATIENCE_S)
        assert process.returncode == 0, said
        assert f"finished at step {STEPS}" in said
    np.testing.assert_allclose(losses(together), losses(alone.path), rtol=1e-2)
    np.testing.assert_allclose(losses(together)[:20], losses(alone.path)[:20], rtol=1e-4)


def test_a_list_of_workers_that_cannot_be_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("TF_CONFIG", raising=False)
    assert Workers.from_environment() == Workers(1, 0)
    monkeypatch.setenv("TF_CONFIG", config(["a:1", "b:1"], 1))
    assert Workers.from_environment() == Workers(2, 1)
    for text in ("{", "{}", config(["a:1"], 1), config([], 0), json.dumps({"cluster": {"ps": ["a:1"]}, "task": {}})):
        monkeypatch.setenv("TF_CONFIG", text)
        with pytest.raises(ConfigError, match="TF_CONFIG: "):
            Workers.from_environment()
