"""Of the candidates that a version draws for a run to learn from, one is chosen by a critic."""

from app.abc.tunebook import split_tunes
from model_store.store import Checkpoint
from tests.training.made_up_tunes import REMEMBERING
from training.evaluation.drawn_tunes import FIRST_SEED, _groups, draw_tunes

SEEDS = 30


def test_each_tune_is_one_of_its_seeds_candidates_and_not_always_the_first(checkpoint: Checkpoint) -> None:
    drawn = draw_tunes(checkpoint, REMEMBERING, SEEDS, 2)
    groups = [group for group in _groups(checkpoint, range(FIRST_SEED, FIRST_SEED + SEEDS), 2) if group]
    assert len(drawn) == len(groups) > SEEDS / 2
    assert all(tune in group for tune, group in zip(drawn, groups, strict=True))
    firsts = sum(tune == group[0] for tune, group in zip(drawn, groups, strict=True) if len(group) == 2)
    assert SEEDS / 5 < firsts < SEEDS * 4 / 5
    assert all(len(split_tunes(tune)) == 1 for tune in drawn)
