"""A tunebook of ten tunes and a run that learnt from it, which several tests look at."""

from pathlib import Path
from random import Random

import pytest

from model_store.store import Checkpoint
from training.corpora import corpus
from training.corpora.corpus import Corpus
from training.learning.config import TrainingConfig
from training.learning.run_folder import RunFolder

SCALES = ("DEFGABcd", "GABcdefg", "ABcdefga", "EFGABcde", "CDEFGABc")

TINY = {
    "embedding_dim": "8",
    "lstm_units": "16",
    "sequence_length": "20",
    "batch_size": "4",
    "validate_every": "10",
    "steps": "30",
}
"""Settings that make any recipe small enough for a test."""


def ten_tunes() -> list[str]:
    """Ten tunes that differ in melody and title."""
    tunes = []
    for number in range(10):
        notes, key, generator = SCALES[number % 5], "DGAEC"[number % 5], Random(number)
        bars = ["".join(generator.choice(notes) for _ in range(8)) for _ in range(8)]
        lines = ["|".join(bars[:4]) + "|", "|".join(bars[4:]) + "|]"]
        tunes.append("\n".join([f"X:{number}", f"T:Number {number}", "M:4/4", "L:1/8", f"K:{key} Major", *lines]))
    return tunes


@pytest.fixture(scope="session")
def tunebook_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Ten tunes in a file."""
    file = tmp_path_factory.mktemp("tunebook") / "ten.abc"
    file.write_text("\n\n".join(ten_tunes()) + "\n", "utf-8")
    return file


@pytest.fixture(scope="session")
def ten(tunebook_file: Path) -> Corpus:
    """The corpus of that file."""
    return corpus.load([str(tunebook_file)])


@pytest.fixture(scope="session")
def tiny_run(ten: Corpus, tmp_path_factory: pytest.TempPathFactory) -> RunFolder:
    """A finished run on the ten tunes, with every kind of noise switched on."""
    from training.learning.train import train

    noise = {"embedding_dropout": "0.1", "transpose": "0.5", "average_decay": "0.5"}
    config = TrainingConfig.from_recipe("small", TINY | noise)
    run = RunFolder.create(tmp_path_factory.mktemp("runs") / "tiny", config, ten)
    train(run)
    return run


@pytest.fixture(scope="session")
def tiny_version(tiny_run: RunFolder, tmp_path_factory: pytest.TempPathFactory) -> Checkpoint:
    """That run as the first version of `tiny` in a store of its own, for tests that change nothing in it."""
    from training.publishing.publish import publish

    return publish(tiny_run, "tiny", tmp_path_factory.mktemp("published"), tunes=0)
