"""A critic's file is read back as it was written, answers as its trees say, and is refused where it is no critic."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from safetensors import safe_open
from safetensors.numpy import load, save

from model_store.critic import LOG_NGRAMS, NGRAMS, Critic, encode_names
from model_store.errors import InvalidCheckpointError, NewerFormatError
from model_store.manifest import CRITIC_FILE
from model_store.store import Store
from tests.model_store.test_store import FILES, draft, weights


def critic() -> Critic:
    """Two trees: `a` at most 0.5 (or not known) takes 1 off, else adds 2; and `b` at most 3 adds 10, else nothing."""
    return Critic(
        names=encode_names(("a", "b")),
        baseline=np.array([0.5]),
        roots=np.array([0, 3], np.int32),
        features=np.array([0, -1, -1, 1, -1, -1], np.int32),
        thresholds=np.array([0.5, 0, 0, 3, 0, 0], np.float64),
        lefts=np.array([1, 1, 2, 4, 4, 5], np.int32),
        rights=np.array([2, 1, 2, 5, 4, 5], np.int32),
        missing_left=np.array([1, 0, 0, 0, 0, 0], np.uint8),
        values=np.array([0, -1, 2, 0, 10, 0], np.float64),
    )


def with_ngrams(name: str = NGRAMS) -> Critic:
    """The same, whose second feature is what a regression over eight buckets says."""
    return replace(
        critic(),
        names=encode_names(("a", name)),
        ngram_bias=np.array([0.5]),
        ngram_weights=np.arange(8, dtype=np.float32),
    )


def read(tmp_path: Path, content: bytes) -> Critic:
    file = tmp_path / "critic.safetensors"
    file.write_bytes(content)
    return Critic.read(file, "irish/4/critic.safetensors")


def test_the_trees_are_asked(tmp_path: Path) -> None:
    table = np.array([[0.5, 3], [0.6, 3.5], [np.nan, np.nan]], np.float32)
    for each in (critic(), read(tmp_path, critic().to_bytes())):
        assert each.feature_names == ("a", "b")
        assert each.log_odds(table).tolist() == [0.5 - 1 + 10, 0.5 + 2 + 0, 0.5 - 1 + 0]


def test_the_regression_adds_the_weights_of_a_tunes_buckets(tmp_path: Path) -> None:
    for each in (with_ngrams(), read(tmp_path, with_ngrams().to_bytes())):
        assert each.ngram_log_odds(np.array([2, 7]), np.array([3, 4])) == pytest.approx(0.5 + (2 * 3 + 7 * 4) / 5)


def test_a_regression_by_logarithms_hears_less_of_the_second_time(tmp_path: Path) -> None:
    one, other = 1 + np.log(3), 1 + np.log(4)
    for each in (with_ngrams(LOG_NGRAMS), read(tmp_path, with_ngrams(LOG_NGRAMS).to_bytes())):
        told = each.ngram_log_odds(np.array([2, 7]), np.array([3, 4]))
        assert told == pytest.approx(0.5 + (2 * one + 7 * other) / np.hypot(one, other))


def test_a_critic_without_ngrams_is_written_as_it_always_was(tmp_path: Path) -> None:
    assert load(critic().to_bytes()).keys() == load(with_ngrams().to_bytes()).keys() - {"ngram_bias", "ngram_weights"}
    assert formats(tmp_path, critic(), with_ngrams()) == ["1", "2"]
    assert not len(read(tmp_path, critic().to_bytes()).ngram_weights)


def formats(tmp_path: Path, *critics: Critic) -> list[str]:
    """What the files of critics say."""
    found = []
    for each in critics:
        file = tmp_path / "critic.safetensors"
        file.write_bytes(each.to_bytes())
        with safe_open(file, framework="numpy") as opened:
            found.append(opened.metadata()["format"])
    return found


@pytest.mark.parametrize(
    "spoilt",
    [
        {"ngram_weights": np.zeros(7, np.float32)},
        {"ngram_weights": np.full(8, np.nan, np.float32)},
        {"ngram_bias": np.zeros(2)},
        {"names": encode_names(("a", "b"))},
        {"names": encode_names((NGRAMS, LOG_NGRAMS))},
    ],
    ids=["no power of two", "not finite", "two", "told of none", "told by both"],
)
def test_a_regression_that_does_not_fit_is_refused(tmp_path: Path, spoilt: dict[str, np.ndarray]) -> None:
    with pytest.raises(InvalidCheckpointError, match="its arrays do not fit together"):
        read(tmp_path, replace(with_ngrams(), **spoilt).to_bytes())


@pytest.mark.parametrize(
    "spoilt",
    [
        {"lefts": np.array([0, 1, 2, 4, 4, 5], np.int32)},  # a node below itself: a walk without end
        {"rights": np.array([9, 1, 2, 5, 4, 5], np.int32)},
        {"roots": np.array([0, 6], np.int32)},
        {"features": np.array([2, -1, -1, 1, -1, -1], np.int32)},
        {"values": np.array([0, np.nan, 2, 0, 10, 0])},
        {"baseline": np.zeros(2)},
        {"thresholds": np.zeros(5)},
        {"names": np.array([255], np.uint8)},
    ],
    ids=lambda spoilt: next(iter(spoilt)),
)
def test_arrays_that_do_not_fit_together_are_refused(tmp_path: Path, spoilt: dict[str, np.ndarray]) -> None:
    with pytest.raises(InvalidCheckpointError, match=r"^irish/4/critic\.safetensors: its arrays do not fit together$"):
        read(tmp_path, replace(critic(), **spoilt).to_bytes())


def test_what_is_no_critic_is_refused(tmp_path: Path) -> None:
    arrays = load(critic().to_bytes())
    with pytest.raises(InvalidCheckpointError, match="not a critic"):
        read(tmp_path, save(arrays))
    with pytest.raises(InvalidCheckpointError, match="not a critic"):
        read(tmp_path, save({**arrays, "values": arrays["values"].astype(np.float32)}, {"format": "1"}))
    with pytest.raises(InvalidCheckpointError, match="unreadable"):
        read(tmp_path, critic().to_bytes()[:-1])
    with pytest.raises(InvalidCheckpointError, match="not a critic"):  # it lacks the arrays of format 2
        read(tmp_path, save(arrays, {"format": "2"}))
    with pytest.raises(NewerFormatError, match="format 3 is newer"):
        read(tmp_path, save(arrays, {"format": "3"}))


def test_a_version_has_its_critic_or_none(tmp_path: Path) -> None:
    store = Store(tmp_path)
    assert store.publish(draft(), weights(), FILES).critic() is None
    store.publish(draft(), weights(), {**FILES, CRITIC_FILE: critic().to_bytes()})
    found = store.load("tiny", 2).critic()
    assert found is not None
    assert found.to_bytes() == critic().to_bytes()


def test_an_altered_critic_is_named(tmp_path: Path) -> None:
    store = Store(tmp_path)
    file = store.publish(draft(), weights(), {**FILES, CRITIC_FILE: critic().to_bytes()}).path(CRITIC_FILE)
    content = bytearray(file.read_bytes())
    content[-1] ^= 1
    file.write_bytes(content)
    with pytest.raises(InvalidCheckpointError, match=r"tiny/1/critic\.safetensors: altered since it was published"):
        store.load("tiny")
