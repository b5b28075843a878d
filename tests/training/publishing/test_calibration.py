"""A network is made to write each character as often as the books do, and nothing else of it changes."""

import json
import shutil
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from model_store.vocabulary import Vocabulary
from training.__main__ import main
from training.errors import CheckpointError
from training.evaluation.weights_source import from_run
from training.learning.run_folder import RunFolder
from training.publishing.calibration import MAX_BIAS, MIN_COUNT, character_bias

VOCABULARY = Vocabulary("\n:K|ABCDEz")
HEADER = "K:D\n"
BOOK = HEADER + "A" * 600 + "B" * 300 + "C" * 100 + "D" * (MIN_COUNT // 2) + "|" * 50 + "\n"
LOGITS = {"A": 2.0, "B": 2.0, "C": 0.0, "D": 1.0, "|": 0.0, "E": 0.0}


def shares(bias: NDArray[np.float32]) -> dict[str, float]:
    """What a network without memory draws of each character."""
    weights = {c: np.exp(logit + bias[VOCABULARY.characters.index(c)]) for c, logit in LOGITS.items()}
    return {c: float(weight / sum(weights.values())) for c, weight in weights.items()}


def draw(bias: NDArray[np.float32]) -> list[str]:
    return [HEADER + "".join(c * round(5000 * share) for c, share in shares(bias).items()) + "\n"]


def test_characters_come_as_often_as_in_the_books() -> None:
    bias = character_bias(draw, [BOOK], VOCABULARY, rounds=8)
    drawn = shares(bias)
    assert drawn["A"] / drawn["B"] == pytest.approx(2, rel=0.05)
    assert drawn["A"] / drawn["C"] == pytest.approx(6, rel=0.05)
    changed = {c for c, by in zip(VOCABULARY.characters, bias, strict=True) if by}
    assert changed == {"A", "B", "C"}  # D is too rare to be counted, E not in the book, and the bar line is form


def test_nothing_is_added_without_bounds() -> None:
    bias = character_bias(lambda _: ["A" * 10000], [BOOK], VOCABULARY, rounds=30)
    assert np.abs(bias).max() == MAX_BIAS
    assert np.isfinite(character_bias(lambda _: [], [BOOK], VOCABULARY, rounds=2)).all()


def test_a_run_is_calibrated_once_it_has_learnt(tiny_run: RunFolder, tmp_path: Path) -> None:
    path = Path(shutil.copytree(tiny_run.path, tmp_path / "calibrated"))
    said = json.loads((path / "run.json").read_text())
    said["config"] |= {"calibration_rounds": 1, "calibration_tunes": 8}
    (path / "run.json").write_text(json.dumps(said))
    assert main(["train", "--run", str(path), "--resume"]) == 0
    run = RunFolder.open(path)
    bias = run.character_bias()
    assert bias is not None
    before, after = from_run(tiny_run).weights, from_run(run).weights
    expected = dict(before) | {"dense/bias": before["dense/bias"] + bias}
    for name, tensor in expected.items():
        np.testing.assert_array_equal(after[name], tensor)
    (path / "character_bias.safetensors").write_bytes(b"")
    with pytest.raises(CheckpointError, match=r"character_bias\.safetensors"):
        from_run(run)
    run.save_best(run.best_weights())
    assert run.character_bias() is None
