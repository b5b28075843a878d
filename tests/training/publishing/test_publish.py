"""What a run has learnt is judged, published, loaded again and sampled."""

import json
import shutil
from pathlib import Path

import numpy as np
import pytest

from app.generation.originality import Judgement, originality
from model_store.manifest import CRITIC_FILE
from model_store.store import Checkpoint, Store
from training.__main__ import main
from training.dialect.dialect import translate
from training.errors import ConfigError, RunError
from training.evaluation.abc2midi_check import judge
from training.evaluation.evaluate import evaluate, evaluation_of
from training.evaluation.sample import sample
from training.evaluation.weights_source import from_run, open_trained
from training.learning.run_folder import RunFolder
from training.publishing.publish import publish

CLEAN = "X:1\nT:Scale\nM:4/4\nL:1/8\nK:C\n|:CDEFGABc|cBAGFEDC:|"
NO_REPEAT_SIGN = CLEAN + "\nCDEFGABc|cBAGFEDC:|"
SHORT_BAR = CLEAN.replace("cBAG", "cBA")


def test_what_is_published_is_the_run(tiny_run: RunFolder, tmp_path: Path) -> None:
    checkpoint = publish(tiny_run, "tiny", tmp_path, tunes=0, note="Trained in a test.")
    loaded = Store(tmp_path).load("tiny")
    trained = from_run(tiny_run)
    assert loaded.manifest == checkpoint.manifest
    assert loaded.vocabulary == trained.vocabulary
    for name, tensor in trained.weights.items():
        np.testing.assert_array_equal(loaded.weights()[name], tensor)
    evaluation = evaluation_of(tiny_run, 0)
    assert loaded.manifest.metrics["test_nats_per_character"] == evaluation.test.nats
    assert loaded.manifest.training["recipe"] == "small"
    card = loaded.path("README.md").read_text("utf-8")
    assert f"| {evaluation.test.nats:.4f} |" in card
    assert all(
        word in card
        for word in ("# tiny", "ten.abc", "not stated", "## Limits", "python -m training train", "Trained in a test.")
    )
    assert sample(open_trained(tmp_path / "tiny" / "1"), "X:1\n", range(1), 1.0, 5) == sample(
        trained, "X:1\n", range(1), 1.0, 5
    )


def test_a_run_of_few_tunes_is_published_without_a_critic(
    tiny_run: RunFolder, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["publish", str(tiny_run.path), "--name", "tiny", "--store", str(tmp_path), "--tunes", "0"]) == 0
    assert CRITIC_FILE not in Store(tmp_path).load("tiny").manifest.files
    assert "note: without a critic, which needs 20 tunes" in capsys.readouterr().out


def test_the_logits_of_a_run_are_divided_by_its_recipes_temperature(tiny_run: RunFolder, tmp_path: Path) -> None:
    cooler = Path(shutil.copytree(tiny_run.path, tmp_path / "cooler"))
    said = json.loads((cooler / "run.json").read_text())
    said["config"]["temperature"] = 0.5
    (cooler / "run.json").write_text(json.dumps(said))
    once, twice = from_run(tiny_run).weights, from_run(RunFolder.open(cooler)).weights
    for name, tensor in once.items():
        np.testing.assert_allclose(twice[name], tensor * (2 if name.startswith("dense/") else 1), rtol=1e-6)


def test_a_name_that_no_store_takes_is_refused(tiny_run: RunFolder, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="--name My Model"):
        publish(tiny_run, "My Model", tmp_path, tunes=0)


def test_evaluation_is_written_down(tiny_run: RunFolder) -> None:
    evaluation = evaluate(tiny_run, tunes=4, sample_size=2)
    written = json.loads(tiny_run.evaluation.read_text())
    assert written["test"]["nats"] == evaluation.test.nats
    assert evaluation.test.bits == pytest.approx(evaluation.test.nats / np.log(2))
    assert evaluation.test_int8.nats == pytest.approx(evaluation.test.nats, abs=0.05)
    assert evaluation.free_tunes is not None
    assert evaluation.free_tunes.tunes == 4
    assert evaluation.beside_real is not None
    assert evaluation.beside_real.drawn == 2
    assert evaluation_of(tiny_run, 0) == evaluation


def test_the_same_seeds_draw_the_same_tunes_alone_and_together(tiny_run: RunFolder) -> None:
    trained = from_run(tiny_run)
    together = sample(trained, "X:1\n", range(1, 4), 0.7, 200)
    assert sample(trained, "X:1\n", range(2, 3), 0.7, 200) == together[1:2]


def test_a_start_outside_the_vocabulary_is_told(tiny_run: RunFolder) -> None:
    with pytest.raises(ConfigError, match="start: character '#'"):
        sample(from_run(tiny_run), "X:1\nK:F#\n", range(1), 1.0, 10)


def test_a_path_that_is_neither_run_nor_version_is_told(tmp_path: Path) -> None:
    with pytest.raises(RunError, match="neither a run folder"):
        open_trained(tmp_path)


def test_abc2midi_judges() -> None:
    assert judge([CLEAN]).share_clean == 1
    verdicts = judge([CLEAN, NO_REPEAT_SIGN, SHORT_BAR, None])
    assert (verdicts.tunes, verdicts.without_complaint, verdicts.about_repeats_alone) == (4, 1, 1)
    assert verdicts.share_clean_but_for_repeats == 0.5


def test_the_index_holds_the_training_tunes_and_no_held_out_one(tiny_run: RunFolder, tiny_version: Checkpoint) -> None:
    index, sides = tiny_version.tune_index(), tiny_run.corpus().sides
    assert index
    assert len(index) == len(sides.train) < 10
    for number, tune in enumerate(sides.train):
        plain = index.abc(number)
        assert plain == translate(tune)
        assert plain.split("\n")[0] == "X:1"
        assert index.book(number) == "ten"
        found = originality(tune, index)
        assert found
        assert (found.judgement, found.nearest and found.nearest.abc) == (Judgement.COPIES, plain)
    for tune in (*sides.validation, *sides.test):
        found = originality(tune, index)
        assert found
        assert found.judgement is Judgement.ORIGINAL


def test_a_version_without_an_index_still_loads(checkpoint: Checkpoint) -> None:
    """As those did that were published before there was one."""
    old = Store(checkpoint.folder.parent.parent).load(checkpoint.manifest.name, 2)
    assert "tunes.safetensors" not in old.manifest.files
    assert old.tune_index() is None
