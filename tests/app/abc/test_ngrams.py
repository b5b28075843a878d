"""The n-grams of a tune are those that can be counted by hand, and the same in any key."""

import numpy as np

from app.abc import features
from app.abc.ngrams import bucket_counts

MANY = 2**20


def counts(abc: str, buckets: int = MANY) -> dict[int, int]:
    melody = features.read(abc)
    assert melody is not None
    return dict(zip(*(each.tolist() for each in bucket_counts(melody, buckets)), strict=True))


def test_runs_of_one_to_four_notes_are_counted() -> None:
    # five notes: first, +2, +2, +2, +2; so of the step up there are four of one note, three of two, two of three
    found = counts("X:1\nL:1/8\nM:5/8\nK:C\nFGABc|".replace("c", "^c"))
    assert sorted(found.values()) == [1, 1, 1, 1, 1, 2, 3, 4]
    assert sum(found.values()) == 5 + 4 + 3 + 2


def test_key_and_bar_lines_make_no_difference_and_lengths_and_rests_do() -> None:
    tune = "X:1\nL:1/8\nM:4/4\nK:C\nCDEF|GABc|"
    assert counts(tune) == counts("X:1\nL:1/8\nM:4/4\nK:D\nDEFG|ABcd|")
    assert counts(tune) == counts("X:1\nL:1/8\nM:4/4\nK:C\nCDE|FGABc|")
    assert counts(tune) != counts("X:1\nL:1/8\nM:4/4\nK:C\nCDEF|GAB2c|")
    assert counts(tune) != counts("X:1\nL:1/8\nM:4/4\nK:C\nCDEF|GABz|")


def test_a_short_tune_has_short_runs_alone() -> None:
    assert sum(counts("X:1\nL:1/8\nK:C\nCD|").values()) == 3
    assert sum(counts("X:1\nL:1/8\nK:C\nC|").values()) == 1


def test_the_hash_is_the_same_everywhere() -> None:
    """A critic's weights belong to these buckets."""
    melody = features.read("X:1\nL:1/8\nK:C\nCDz|")
    assert melody is not None
    buckets, numbers = bucket_counts(melody, 2**14)
    assert buckets.tolist() == HASHED
    assert numbers.tolist() == [1] * 6
    assert bucket_counts(melody, 1)[1].tolist() == [6]
    assert (np.diff(buckets) > 0).all()


HASHED = [3319, 6526, 6735, 12241, 14961, 16057]
