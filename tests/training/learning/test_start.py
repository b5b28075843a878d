"""A run goes on from a published version: its vocabulary and weights, and what is new says nothing yet."""

from pathlib import Path

import numpy as np
import pytest

from app.abc.lookback.columns import columns
from model_store.manifest import CARD_FILE, DECODER_FILE, Draft
from model_store.store import Checkpoint, Store
from model_store.vocabulary import Vocabulary
from tests.training.conftest import TINY
from training.cli.main import main
from training.corpora.corpus import Corpus
from training.errors import ConfigError, CorpusError
from training.evaluation.heldout_loss import Scorer
from training.evaluation.weights_source import from_run
from training.learning.config import TrainingConfig
from training.learning.learner import Learner
from training.learning.run_folder import RunFolder
from training.learning.start import Start, shaped_like, start_of, widen
from training.learning.tempering import tempered
from training.learning.train import train


@pytest.fixture(scope="module")
def told(ten: Corpus, tmp_path_factory: pytest.TempPathFactory) -> Checkpoint:
    """A tiny network that is told where it stands, and no plan; published as it began."""
    config = TrainingConfig.from_recipe("lookback", TINY)
    learner = Learner(config, len(ten.vocabulary))
    draft = Draft(
        name="tiny",
        model=learner.network,
        vocabulary=ten.vocabulary.characters,
        corpora=ten.records,
        training=config.to_json(),
        metrics={},
        libraries={},
    )
    store = Store(tmp_path_factory.mktemp("told"))
    return store.publish(draft, learner.weights(), {DECODER_FILE: b"not read here", CARD_FILE: b""})


@pytest.mark.parametrize(("recipe", "more"), [("planned", 2), ("matched", 3)])
def test_a_network_that_is_told_more_begins_as_the_one_that_was_not(
    told: Checkpoint, ten: Corpus, recipe: str, more: int
) -> None:
    config = shaped_like(TrainingConfig.from_recipe(recipe, {"steps": "10"}), told)
    learner = Learner(config, len(told.vocabulary))
    learner.begin_from(told.weights())
    assert len(learner.network.inputs) == len(told.manifest.model.inputs) + more
    before = Scorer(ten.tunes, told.vocabulary, told.manifest.model.inputs).score(told.weights())
    for with_plans in (False, True):
        scorer = Scorer(ten.tunes, told.vocabulary, learner.network.inputs, with_plans=with_plans)
        assert scorer.score(learner.weights()).nats == pytest.approx(before.nats, rel=1e-5)


def test_the_run_has_the_versions_vocabulary_and_shape(told: Checkpoint, ten: Corpus, tmp_path: Path) -> None:
    few = Corpus(ten.tunes[:4], "\n\n".join(ten.tunes[:4]), ten.records, places=ten.places[:4])
    config = shaped_like(TrainingConfig.from_recipe("finetune", {"lstm_units": "99"}), told)
    RunFolder.create(tmp_path / "run", config, few, start_of(told))
    run = RunFolder.open(tmp_path / "run")
    assert run.vocabulary() == told.vocabulary != run.corpus().vocabulary
    start = run.start()
    assert start is not None
    assert start.model == "tiny/1"
    assert {name: tensor.shape for name, tensor in start.weights.items()} == told.manifest.model.weight_shapes()
    learner = Learner(run.config(), len(run.vocabulary()))
    assert learner.network.lstm_units == told.manifest.model.lstm_units
    run.save_best(learner.weights())
    assert [each.name for each in from_run(run).network.inputs] == [
        each.name for each in columns(len(told.vocabulary), is_matched=False)
    ]


def test_tunes_that_the_model_cannot_write_are_told_one_by_one(ten: Corpus) -> None:
    mine = (*ten.tunes[:3], ten.tunes[3].replace("T:Number 3", "T:Número 3 @"), *ten.tunes[4:])
    corpus = Corpus(mine, "\n\n".join(mine), ten.records, places=ten.places).within(ten.vocabulary)
    assert [str(drop) for drop in corpus.drops] == ["ten, X:3, Número 3 @: the model cannot write '@', 'ú'"]
    assert corpus.tunes == (*ten.tunes[:3], *ten.tunes[4:])
    assert (corpus.records[0].tunes, len(corpus.places)) == (9, 9)


def test_where_it_can_write_none_that_is_said(ten: Corpus) -> None:
    with pytest.raises(CorpusError, match="no tune that the model can write"):
        ten.within(Vocabulary("abc"))
    assert ten.within(ten.vocabulary) == ten


@pytest.mark.parametrize("name", ["tiny/x", "none", "tiny/9"])
def test_a_version_that_is_not_there_is_told(told: Checkpoint, name: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["train", "--from", name, "--store", str(told.folder.parents[1]), "--run", "nowhere"]) == 2
    assert name.split("/")[0] in capsys.readouterr().err


def test_a_run_begins_with_the_weights_before_they_were_divided_for_it_is_divided_itself(
    told: Checkpoint, ten: Corpus, tmp_path: Path
) -> None:
    cooled = tempered(told.weights(), 0.8)
    config = TrainingConfig.from_recipe("finetune", TINY | {"steps": "1", "learning_rate": "1e-9", "plan": "false"})
    run = RunFolder.create(tmp_path / "run", config, ten, Start("tiny/2", told.vocabulary, cooled, temperature=0.8))
    train(run)
    for name, tensor in run.best_weights().items():
        np.testing.assert_allclose(tensor, told.weights()[name], atol=1e-5)


def test_weights_of_another_shape_are_refused() -> None:
    shapes = {"lstm_0/kernel": (3, 4), "embedding": (2, 3), "dense/kernel": (1, 3), "dense/bias": (3,)}
    initial = {name: np.zeros(shape, np.float32) for name, shape in shapes.items()}
    assert widen(initial | {"dense/bias": np.ones(2, np.float32)}, initial)["dense/bias"].tolist() == [1, 1, 0]
    for name, shape in (("embedding", (5, 3)), ("lstm_0/kernel", (4, 4)), ("dense/kernel", (2, 3))):
        with pytest.raises(ConfigError, match="another shape"):
            widen(initial | {name: np.zeros(shape, np.float32)}, initial)
