"""Batches are what the lab's own three checks ask for, and follow from the seed and the step alone."""

import dataclasses

import numpy as np
import pytest

from app.abc.lookback import track
from app.abc.lookback.alphabet import Alphabet
from training.corpora.corpus import SEPARATOR, Corpus
from training.learning.config import TrainingConfig
from training.learning.input_pipeline import Batch, Batches, Streams, get_batch, open_batches


def batches(corpus: Corpus, recipe: str, **changes: int) -> Batches:
    config = dataclasses.replace(TrainingConfig.from_recipe(recipe), **changes)  # type: ignore[arg-type]
    return open_batches(corpus.tunes, corpus.text, corpus.vocabulary, config)


@pytest.fixture(params=["get_batch", "crops", "streams"])
def batch(request: pytest.FixtureRequest, ten: Corpus) -> Batch:
    if request.param == "get_batch":
        return get_batch(ten.vocabulary.encode(ten.text), 50, 8, np.random.default_rng(0))
    recipe = "lab" if request.param == "crops" else "small"
    return batches(ten, recipe, sequence_length=50, batch_size=8).batch(3)


def test_batch_func_types(batch: Batch) -> None:
    assert len(batch) == 2
    assert type(batch.inputs) is np.ndarray
    assert type(batch.targets) is np.ndarray


def test_batch_func_shapes(batch: Batch) -> None:
    assert batch.inputs.shape == batch.targets.shape == (8, 50)


def test_batch_func_next_step(batch: Batch) -> None:
    assert (batch.inputs[:, 1:] == batch.targets[:, :-1]).all()


@pytest.mark.parametrize("recipe", ["lab", "small", "lookback"])
def test_a_batch_follows_from_seed_and_step_alone(ten: Corpus, recipe: str) -> None:
    first, second = batches(ten, recipe), batches(ten, recipe)
    for step in (5, 0, 17):
        assert (first.batch(step).inputs == second.batch(step).inputs).all()
    assert (first.batch(0).inputs != first.batch(1).inputs).any()
    assert (first.batch(0).inputs != batches(ten, recipe, seed=2).batch(0).inputs).any()


def test_streams_go_on_where_the_last_batch_ended(ten: Corpus) -> None:
    streams = batches(ten, "small", sequence_length=10, batch_size=2, transpose=0)
    assert (streams.batch(0).targets[:, -1] == streams.batch(1).inputs[:, 0]).all()


def test_a_network_that_is_told_more_learns_the_same_characters_with_what_the_whole_text_tells(ten: Corpus) -> None:
    settings = {"sequence_length": 10, "batch_size": 2, "transpose": 0, "beginnings": 0}
    plain, told = batches(ten, "small", **settings), batches(ten, "lookback", **settings)
    alphabet = Alphabet(ten.vocabulary.characters)
    for step in range(3):
        one, other = plain.batch(step), told.batch(step)
        assert (one.inputs == other.inputs[..., 0]).all()
        assert (one.targets == other.targets).all()
    assert isinstance(told, Streams)
    first_stream = np.concatenate([told.batch(step).inputs[0] for step in range(told.steps_per_epoch)])
    np.testing.assert_array_equal(first_stream, track(alphabet, first_stream[:, 0].tolist()))


def test_some_rows_are_tunes_from_their_beginnings(ten: Corpus) -> None:
    settings = {"sequence_length": 30, "batch_size": 4, "transpose": 0}
    plain, with_beginnings = batches(ten, "small", **settings), batches(ten, "small", **settings, beginnings=2)
    for step in range(3):
        rows = with_beginnings.batch(step)
        assert (rows.inputs[:2] == plain.batch(step).inputs[:2]).all()
        for row in rows.inputs[2:]:
            text = ten.vocabulary.decode(row.tolist())
            assert any((SEPARATOR + tune).startswith(text) for tune in ten.tunes)
        assert (rows.inputs[:, 1:] == rows.targets[:, :-1]).all()


def test_an_epoch_of_streams_is_every_tune_once(ten: Corpus) -> None:
    streams = batches(ten, "small", sequence_length=10, batch_size=1, transpose=0)
    assert isinstance(streams, Streams)
    ids = np.concatenate([streams.batch(step).inputs[0] for step in range(streams.steps_per_epoch)])
    text = ten.vocabulary.decode(ids.tolist())
    whole = [tune for tune in ten.tunes if tune + SEPARATOR in text + "\n"]
    assert len(whole) >= len(ten.tunes) - 1  # the last one may be cut by less than a batch


def test_a_text_shorter_than_a_crop_goes_round(ten: Corpus) -> None:
    one = Corpus(ten.tunes[:1], ten.tunes[0], ten.records)
    assert batches(one, "lab", sequence_length=500, batch_size=3).batch(0).inputs.shape == (3, 500)


def test_a_tune_is_read_with_its_plan_and_some_without(ten: Corpus) -> None:
    settings = {"sequence_length": 10, "batch_size": 2, "transpose": 0, "beginnings": 0}
    without = batches(ten, "lookback", **settings).batch(0).inputs
    for share, is_told in ((0.0, True), (0.999, False)):
        config = dataclasses.replace(TrainingConfig.from_recipe("planned"), plan_dropout=share, **settings)  # type: ignore[arg-type]
        streams = open_batches(ten.tunes, ten.text, ten.vocabulary, config)
        assert isinstance(streams, Streams)
        plans = np.concatenate([streams.batch(step).inputs[..., -2].ravel() for step in range(streams.steps_per_epoch)])
        assert bool(plans.any()) == is_told
        assert streams.batch(0).inputs.shape == (*without.shape[:2], without.shape[2] + 2)


@pytest.mark.parametrize("drawn_share", [0.0, 0.5])
def test_extra_tunes_are_left_after_their_share_of_the_steps(ten: Corpus, drawn_share: float) -> None:
    """However long drawn tunes make an epoch."""
    extras = frozenset(ten.tunes[:5])
    drawn = tuple(tune.replace("T:Number", "T:Member") for tune in ten.tunes) if drawn_share else ()
    settings = {"sequence_length": 10, "batch_size": 1, "transpose": 0.0, "extra_until": 0.5, "steps": 800}
    shares = {"drawn_share": drawn_share, "drawn_tunes": len(drawn)}
    config = dataclasses.replace(TrainingConfig.from_recipe("small"), **settings, **shares)  # type: ignore[arg-type]
    streams = open_batches(ten.tunes, ten.text, ten.vocabulary, config, extras, drawn)
    text = ten.vocabulary.decode(np.concatenate([streams.batch(step).inputs[0] for step in range(800)]).tolist())
    read = [(text.index(tune), text.rindex(tune)) for tune in ten.tunes]
    assert max(last for _, last in read[:5]) < len(text) * 0.75
    assert min(last for _, last in read[5:]) > len(text) * 0.75
    assert max(first for first, _ in read) < len(text) * 0.5


def test_after_a_share_of_the_steps_tunes_stay_in_their_keys(ten: Corpus) -> None:
    settings = {"sequence_length": 10, "batch_size": 1, "transpose": 0.9, "transpose_until": 0.5, "steps": 800}
    config = dataclasses.replace(TrainingConfig.from_recipe("small"), **settings)  # type: ignore[arg-type]
    streams = open_batches(ten.tunes, ten.text, ten.vocabulary, config)
    text = ten.vocabulary.decode(np.concatenate([streams.batch(step).inputs[0] for step in range(800)]).tolist())
    early, late = text[: len(text) // 2], text[len(text) * 3 // 4 :]
    moved = [tune for tune in early.split("\n\n")[1:-1] if tune not in ten.tunes]
    assert len(moved) > 10
    assert [tune for tune in late.split("\n\n")[1:-1] if tune not in ten.tunes] == []
