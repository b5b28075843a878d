"""What the sampling parameters mean."""

import numpy as np
import pytest
from numpy.typing import NDArray

from app.inference.sampler import GumbelNoise, Sampler, SamplingParams

LOGITS = np.log(np.array([0.1, 0.4, 0.3, 0.2], np.float32))
DRAWS = 8000
WITHIN = 0.02  # three and a half standard deviations of a share of one half in 8,000 draws


def share_of_each(**params: float) -> list[float]:
    """How often each of four ids is drawn, over many seeds."""
    sampler = Sampler(DRAWS, vocab_size=4)
    for row in range(DRAWS):
        sampler.put(row, SamplingParams(seed=row, **params), draw=0)  # type: ignore[arg-type]
    ids = sampler.sample(np.tile(LOGITS, (DRAWS, 1)))
    return [ids.count(id_) / DRAWS for id_ in range(4)]


def test_temperature_one_draws_from_the_softmax() -> None:
    assert share_of_each() == pytest.approx([0.1, 0.4, 0.3, 0.2], abs=WITHIN)


def test_temperature_scales_the_logits() -> None:
    squared = np.array([0.1, 0.4, 0.3, 0.2]) ** 2
    assert share_of_each(temperature=0.5) == pytest.approx((squared / squared.sum()).tolist(), abs=WITHIN)


@pytest.mark.parametrize("temperature", [0.0, 1e-300, 1e-6])
def test_no_temperature_and_next_to_none_take_the_likeliest(temperature: float) -> None:
    assert share_of_each(temperature=temperature) == [0, 1, 0, 0]


def test_top_k_keeps_the_k_likeliest() -> None:
    assert share_of_each(top_k=2) == pytest.approx([0, 4 / 7, 3 / 7, 0], abs=WITHIN)


def test_top_p_keeps_the_likeliest_that_make_up_the_share() -> None:
    assert share_of_each(top_p=0.5) == pytest.approx([0, 4 / 7, 3 / 7, 0], abs=WITHIN)


@pytest.mark.parametrize("params", [{"top_k": 1}, {"top_p": 1e-9}])
def test_the_likeliest_always_stays(params: dict[str, float]) -> None:
    assert share_of_each(**params) == [0, 1, 0, 0]


def test_cuts_that_cut_nothing_change_nothing() -> None:
    assert share_of_each(top_k=4) == share_of_each()


def test_successive_draws_of_one_sequence_follow_the_softmax_too() -> None:
    sampler = Sampler(1, vocab_size=4)
    sampler.put(0, SamplingParams(seed=3), draw=0)
    ids = [sampler.sample(LOGITS[None])[0] for _ in range(DRAWS)]
    assert (np.bincount(ids) / DRAWS).tolist() == pytest.approx([0.1, 0.4, 0.3, 0.2], abs=WITHIN)


def test_a_character_of_no_probability_is_never_drawn() -> None:
    sampler = Sampler(DRAWS, vocab_size=3)
    for row in range(DRAWS):
        sampler.put(row, SamplingParams(temperature=10.0, seed=row), draw=0)
    logits = np.tile(np.array([-np.inf, 0.0, -np.inf], np.float32), (DRAWS, 1))
    assert set(sampler.sample(logits)) == {1}


def test_what_is_masked_is_never_drawn_and_the_rest_keeps_its_proportions() -> None:
    sampler = Sampler(DRAWS, vocab_size=4)
    for row in range(DRAWS):
        sampler.put(row, SamplingParams(seed=row), draw=0)
    mask = np.tile(np.array([0, -np.inf, 0, 0], np.float32), (DRAWS, 1))
    ids = sampler.sample(np.tile(LOGITS, (DRAWS, 1)), mask)
    assert [ids.count(id_) / DRAWS for id_ in range(4)] == pytest.approx([1 / 6, 0, 3 / 6, 2 / 6], abs=WITHIN)


def test_the_only_character_that_is_allowed_is_drawn_whatever_its_noise() -> None:
    """Of this seed's draws the 25th has a uniform of 0 there, as one in 17 million has."""
    seed, draw, vocab_size, only = 309_879, 25, 87, 20
    noise = GumbelNoise(seed, draw, vocab_size).next(1)
    assert noise[0, only] == noise.min()
    assert np.isfinite(noise).all()
    sampler = Sampler(1, vocab_size)
    sampler.put(0, SamplingParams(seed=seed), draw)
    mask = np.full((1, vocab_size), -np.inf, np.float32)
    mask[0, only] = 0.0
    assert sampler.sample(np.zeros((1, vocab_size), np.float32), mask) == [only]


def test_draw_n_is_the_same_however_it_is_reached() -> None:
    whole = GumbelNoise(seed=7, first=0, vocab_size=83).next(100)
    for first in (0, 1, 31, 64):
        assert (GumbelNoise(7, first, 83).next(100 - first) == whole[first:]).all()
    assert (GumbelNoise(8, 0, 83).next(100) != whole).any()


CHOICES = (
    SamplingParams(0.7, seed=1),
    SamplingParams(1.3, top_k=5, seed=2),
    SamplingParams(0.0, seed=3),
    SamplingParams(1.0, top_p=0.8, seed=4),
)


def drawn_alone(params: SamplingParams, logits: NDArray[np.float32], mask: NDArray[np.float32]) -> list[int]:
    sampler = Sampler(1, logits.shape[1])
    sampler.put(0, params, draw=0)
    return [sampler.sample(row[None], mask[None])[0] for row in logits]


def test_a_row_does_not_depend_on_its_neighbours_nor_on_when_it_came() -> None:
    rng = np.random.default_rng(3)
    steps, vocab_size = 100, 83
    logits = rng.normal(size=(4, steps, vocab_size)).astype(np.float32) * 3
    masks = rng.choice(np.array([0, -np.inf, 1.5, -1.5], np.float32), (4, vocab_size))
    alone = [drawn_alone(params, logits[i], masks[i]) for i, params in enumerate(CHOICES)]
    arrivals = (0, 5, 31, 40)
    sampler = Sampler(4, vocab_size)
    drawn: list[list[int]] = [[], [], [], []]
    for step in range(steps + max(arrivals)):
        for row, arrival in enumerate(arrivals):
            if step == arrival:
                sampler.put(row, CHOICES[row], draw=0)
        at = [min(max(0, step - arrival), steps - 1) for arrival in arrivals]
        ids = sampler.sample(np.stack([logits[row, at[row]] for row in range(4)]), masks)
        for row, arrival in enumerate(arrivals):
            if 0 <= step - arrival < steps:
                drawn[row].append(ids[row])
    assert drawn == alone


def test_steps_whose_result_nobody_uses_spend_no_draw() -> None:
    logits = np.zeros((1, 83), np.float32)
    late = Sampler(1, 83)
    late.put(0, SamplingParams(seed=5), draw=-40)
    for _ in range(40):
        late.sample(logits)
    prompt_first = [late.sample(logits)[0] for _ in range(50)]
    assert prompt_first == drawn_alone(SamplingParams(seed=5), np.zeros((50, 83), np.float32), np.zeros(83, np.float32))


def test_a_greedy_row_is_greedy_whoever_had_it_before() -> None:
    sampler = Sampler(1, vocab_size=4)
    sampler.put(0, SamplingParams(seed=1), draw=0)
    before = {sampler.sample(LOGITS[None])[0] for _ in range(40)}
    sampler.put(0, SamplingParams(0.0), draw=0)
    assert len(before) > 1
    assert {sampler.sample(LOGITS[None])[0] for _ in range(80)} == {int(LOGITS.argmax())}
