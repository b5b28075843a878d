"""A tunebook of ten tunes and a run that learnt from it, which several tests look at."""

from pathlib import Path

import pytest

from training import corpus
from training.config import TrainingConfig
from training.corpus import Corpus
from training.run_folder import RunFolder

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
        notes, key = SCALES[number % 5], "DGAEC"[number % 5]
        bars = [notes[shift:] + notes[:shift] for shift in range(number % 3, number % 3 + 4)]
        music = "|".join(bars) + "|"
        tunes.append(f"X:{number}\nT:Number {number}\nM:4/4\nL:1/8\nK:{key} Major\n{music}\n{music[::-1]}{bars[0]}|]")
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
    from training.train import train

    noise = {"embedding_dropout": "0.1", "transpose": "0.5", "average_decay": "0.5"}
    config = TrainingConfig.from_recipe("small", TINY | noise)
    run = RunFolder.create(tmp_path_factory.mktemp("runs") / "tiny", config, ten)
    train(run)
    return run
