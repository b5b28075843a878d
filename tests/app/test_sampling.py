"""What the sampling parameters mean."""

import numpy as np
import pytest

from app.sampling import Sampler, SamplingParams, UniformStream

LOGITS = np.log(np.array([[0.1, 0.4, 0.3, 0.2]], np.float32))


def share_of_each(params: SamplingParams, draws: int = 4000) -> list[float]:
    """How often each of four ids is drawn, with uniforms spread evenly over [0, 1)."""
    sampler = Sampler([params] * draws, vocab_size=4)
    ids = sampler.sample(np.repeat(LOGITS, draws, axis=0), np.arange(draws) / draws)
    return [round(float(np.mean(ids == id_)), 3) for id_ in range(4)]


def test_temperature_one_draws_from_the_softmax() -> None:
    assert share_of_each(SamplingParams()) == pytest.approx([0.1, 0.4, 0.3, 0.2], abs=0.001)


def test_temperature_scales_the_logits() -> None:
    squared = np.array([0.1, 0.4, 0.3, 0.2]) ** 2
    assert share_of_each(SamplingParams(temperature=0.5)) == pytest.approx(
        (squared / squared.sum()).tolist(), abs=0.001
    )


@pytest.mark.parametrize("temperature", [0.0, 1e-300, 1e-6])
def test_no_temperature_and_next_to_none_take_the_likeliest(temperature: float) -> None:
    assert share_of_each(SamplingParams(temperature=temperature)) == [0, 1, 0, 0]


def test_top_k_keeps_the_k_likeliest() -> None:
    assert share_of_each(SamplingParams(top_k=2)) == pytest.approx([0, 4 / 7, 3 / 7, 0], abs=0.001)


def test_top_p_keeps_the_likeliest_that_make_up_the_share() -> None:
    assert share_of_each(SamplingParams(top_p=0.5)) == pytest.approx([0, 4 / 7, 3 / 7, 0], abs=0.001)


@pytest.mark.parametrize("params", [SamplingParams(top_k=1), SamplingParams(top_p=1e-9)])
def test_the_likeliest_always_stays(params: SamplingParams) -> None:
    assert share_of_each(params) == [0, 1, 0, 0]


def test_cuts_that_cut_nothing_change_nothing() -> None:
    assert share_of_each(SamplingParams(top_k=4)) == share_of_each(SamplingParams())


def test_a_row_does_not_depend_on_its_neighbours() -> None:
    rng = np.random.default_rng(3)
    choices = [SamplingParams(0.7), SamplingParams(1.3, top_k=5), SamplingParams(0.0), SamplingParams(1.0, top_p=0.8)]
    params = [choices[i] for i in rng.integers(0, 4, 64)]
    logits = rng.normal(size=(64, 83)).astype(np.float32) * 3
    uniforms = rng.random(64)
    together = Sampler(params, 83).sample(logits, uniforms)
    alone = [Sampler([params[b]], 83).sample(logits[b : b + 1], uniforms[b : b + 1])[0] for b in range(64)]
    assert together.tolist() == alone


def test_an_impossible_character_is_never_drawn() -> None:
    logits = np.array([[-np.inf, 0.0, -np.inf, 0.0]], np.float32).repeat(2, axis=0)
    sampler = Sampler([SamplingParams()] * 2, 4)
    assert sampler.sample(logits, np.array([0.0, np.nextafter(1.0, 0.0)])).tolist() == [1, 3]


def test_the_stream_of_a_seed_is_fixed() -> None:
    first, again, other = UniformStream(7), UniformStream(7), UniformStream(8)
    draws = [first.next() for _ in range(1000)]
    assert draws == [again.next() for _ in range(1000)]
    assert draws != [other.next() for _ in range(1000)]
    assert all(0 <= draw < 1 for draw in draws)
