"""A critic learns what real tunes have and a model's have not, and is the same trees outside scikit-learn."""

from pathlib import Path

import numpy as np
import pytest

from app.abc import features
from app.abc.features import Melody
from app.abc.ngrams import bucket_counts
from app.generation.critic import Critic
from model_store.critic import LOG_NGRAMS
from model_store.store import Checkpoint, Store
from tests.training.made_up_tunes import AABB, FORGETFUL, REMEMBERING, tune
from training.cli.main import main
from training.errors import CorpusError
from training.evaluation import critic
from training.learning.run_folder import RunFolder

REAL = [*REMEMBERING, *(tune(number) for number in range(400, 500))]
DRAWN = [*FORGETFUL, *(tune(number, forgets=True) for number in range(500, 600))]


def melodies(tunes: list[str]) -> list[Melody]:
    return [melody for each in tunes if (melody := features.read(each))]


def table(tunes: list[str]) -> np.ndarray:
    return np.array(list(map(features.features, melodies(tunes))))


def test_the_trees_answer_as_those_that_were_learnt() -> None:
    rows = table([*REAL, *DRAWN])
    rows[::7, ::3] = np.nan
    labels = np.arange(len(rows)) < len(REAL)
    model = critic._fitted(rows, labels, np.ones(len(rows)))
    learnt = critic._as_critic(model, features.NAMES)
    np.testing.assert_allclose(learnt.log_odds(rows), model.decision_function(rows), atol=1e-12)


def test_the_trees_are_told_what_the_regression_says() -> None:
    learnt = critic.train(REAL, DRAWN)
    assert learnt.feature_names == (*features.NAMES, LOG_NGRAMS)
    known = [learnt.ngram_log_odds(*bucket_counts(melody, len(learnt.ngram_weights))) for melody in melodies(REAL)]
    told = said_in_training(REAL, DRAWN, spoilt=[])
    assert told[: len(REAL)].mean() < np.mean(known)  # by heart it is surer


def test_a_spoilt_tune_is_judged_by_the_regression_that_judges_its_original() -> None:
    """One that knows the original by heart would call it real for the turns that it still has."""
    told = said_in_training(REAL, DRAWN, spoilt=REAL)  # as if nothing had been spoilt
    np.testing.assert_array_equal(told[: len(REAL)], told[-len(REAL) :])


def said_in_training(real: list[str], drawn: list[str], spoilt: list[str]) -> np.ndarray:
    """What the trees are told of each tune."""
    everything = melodies([*real, *drawn, *spoilt])
    labels = np.arange(len(everything)) < len(real)
    _, told = critic._learn_ngrams(everything, labels, np.ones(len(labels)), len(real) + len(drawn), seed=1)
    return told


def test_the_same_tunes_teach_the_same_critic() -> None:
    assert critic.train(REAL, DRAWN).to_bytes() == critic.train(REAL, DRAWN).to_bytes()


def test_a_critic_prefers_what_comes_again() -> None:
    learnt = Critic(critic.train(REAL, DRAWN), "critic")
    unseen = [tune(number) for number in range(700, 720)]
    forgetful = [tune(number, forgets=True) for number in range(700, 720)]
    assert learnt.log_odds(unseen).min() > learnt.log_odds(forgetful).max()


def test_a_critic_sees_that_a_tune_was_spoilt() -> None:
    learnt = Critic(critic.train(REAL, DRAWN), "critic")
    generator = np.random.default_rng(5)
    unspoilt = melodies([tune(number) for number in range(700, 760)])
    spoilt = [critic.spoil(melody, generator) for melody in unspoilt]
    whole, broken = (learnt.log_odds_of(each) for each in (unspoilt, spoilt))
    assert (whole > broken).mean() > 0.9


def test_a_spoilt_tune_has_the_same_bars_elsewhere() -> None:
    melody = features.read(AABB)
    assert melody is not None
    generator = np.random.default_rng(1)
    for _ in range(10):
        spoilt = critic.spoil(melody, generator)
        assert spoilt.bars != melody.bars
        assert sorted(bar.pitches for bar in spoilt.bars) == sorted(bar.pitches for bar in melody.bars)
        assert [bar.ends_part for bar in spoilt.bars] == [bar.ends_part for bar in melody.bars]


def test_too_few_tunes_teach_nothing() -> None:
    with pytest.raises(CorpusError, match="3 real and 160 drawn tunes that can be read; a critic needs 20 of each"):
        critic.train(REAL[:3], DRAWN)


def test_a_run_of_few_tunes_gets_no_critic(
    tiny_run: RunFolder, tiny_version: Checkpoint, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["critic", str(tiny_run.path), "--tunes", "2", "--out", str(tmp_path / "critic.safetensors")]) == 2
    assert "a critic needs 20" in capsys.readouterr().err
    assert tiny_version.critic() is None
    assert Store(tiny_version.folder.parent.parent).load("tiny").critic() is None
