"""A candidate is chosen in proportion to its odds, the same for the same seed."""

from collections import Counter
from dataclasses import replace
from math import log

import numpy as np
import pytest

from app.generation.critic import Critic, choose, score
from model_store import critic
from model_store.critic import encode_names
from model_store.errors import InvalidCheckpointError
from tests.training.made_up_tunes import AABB


def trees(*names: str) -> critic.Critic:
    """One tree: at most half of the first feature is worth -1, more is worth 1."""
    return critic.Critic(
        names=encode_names(names),
        baseline=np.zeros(1),
        roots=np.zeros(1, np.int32),
        features=np.array([0, -1, -1], np.int32),
        thresholds=np.array([0.5, 0, 0]),
        lefts=np.array([1, 1, 2], np.int32),
        rights=np.array([2, 1, 2], np.int32),
        missing_left=np.zeros(3, np.uint8),
        values=np.array([0.0, -1, 1]),
    )


def test_candidates_are_chosen_in_proportion_to_their_odds() -> None:
    chosen = Counter(choose([log(1), log(3), log(6), -np.inf], seed) for seed in range(3000))
    assert chosen.keys() == {0, 1, 2}
    assert [chosen[number] / 3000 for number in range(3)] == pytest.approx([0.1, 0.3, 0.6], abs=0.03)


def test_the_same_seed_chooses_the_same() -> None:
    log_odds = [0.1, 0.2, 0.3, 0.4]
    assert [choose(log_odds, seed) for seed in range(50)] == [choose(log_odds, seed) for seed in range(50)]
    assert choose([-1e4, 1e4], 7) == 1
    assert choose([-np.inf, -np.inf], 7) == 0


def test_a_score_is_a_probability() -> None:
    assert [score(0.0), score(log(3)), score(-np.inf)] == pytest.approx([0.5, 0.75, 0.0])


def test_a_critic_is_told_the_features_that_it_names() -> None:
    found = Critic(trees("a7_as_b7", "again"), "critic").log_odds([AABB, "X:1\nK:G\n", AABB.replace("f2ed", "f2dd", 1)])
    assert found.tolist() == [1, -np.inf, -1]


@pytest.mark.parametrize("name", [critic.NGRAMS, critic.LOG_NGRAMS])
def test_a_critic_is_told_what_its_regression_says(name: str) -> None:
    """Of eight buckets with the same weight, whose sum is larger the more different n-grams there are."""
    weights = np.full(8, 1, np.float32)
    regression = {"ngram_bias": np.array([-2.0]), "ngram_weights": weights}
    found = Critic(replace(trees(name), **regression), "critic").log_odds([AABB, "X:1\nK:G\nC|"])
    assert found.tolist() == [1, -1]


def test_a_critic_of_other_features_is_refused() -> None:
    with pytest.raises(
        InvalidCheckpointError, match=r"^irish/9: goes by features that this Lilt does not have: swing$"
    ):
        Critic(trees("again", "swing"), "irish/9")
