"""The numbers that a critic goes by are those that can be counted by hand."""

import numpy as np
import pytest

from app.abc import features
from tests.training.made_up_tunes import AABB


def numbers(abc: str) -> dict[str, float]:
    melody = features.read(abc)
    assert melody is not None
    return dict(zip(features.NAMES, features.features(melody).tolist(), strict=True))


def test_a_tune_whose_numbers_are_known() -> None:
    known = {
        "again": 4 / 16,
        "different": 12 / 16,
        "as_1_back": 0,
        "as_4_back": 3 / 12,
        "as_8_back": 1 / 8,
        "bars": 16,
        "parts": 2,
        "parts_of_8": 1,
        "longest_part": 8,
        "5_as_1": 1,
        "6_as_2": 1 / 2,
        "7_as_3": 0,
        "a7_as_b7": 1,
        "a8_as_b8": 0,
        "parts_end_on_tonic": 1,
        "odd_bars": 0,
        "range": 19,  # D to a
        "off_scale": 0,
        "begins_on": 0,
        "ends_on": 0,
        "before_last": 4,
        "meter": 1,
        "reel": 1,
        "jig": 0,
    }
    found = numbers(AABB)
    assert {name: found[name] for name in known} == pytest.approx(known)


def test_key_and_layout_make_no_difference() -> None:
    in_g = AABB.replace("K:D", "K:Dmix").replace("c", "^c").replace("C", "^C")
    apart = {"off_scale", *(f"degree_{number}" for number in range(1, 8))}
    one, other = numbers(AABB), numbers(in_g)
    assert {name: one[name] for name in one if name not in apart} == {n: other[n] for n in other if n not in apart}
    assert numbers(AABB.replace("|GABG", "|\nGABG").replace(" ", "")) == one


def test_a_pickup_is_of_no_part_and_what_has_no_meaning_is_no_number() -> None:
    found = numbers("X:1\nR:jig\nM:6/8\nL:1/8\nK:G\nd|gfe dcB|AGF G2:|")
    assert (found["bars"], found["parts"], found["longest_part"], found["jig"]) == (3, 1, 2, 1)
    assert np.isnan(found["5_as_1"])
    assert np.isnan(found["as_4_back"])
    assert found["ends_on"] == 0


def test_a_text_without_a_note_has_no_numbers() -> None:
    for abc in ("", "X:1\nK:G\n", "X:1\nK:G\nz8|z8|]"):
        assert features.read(abc) is None
    assert len(numbers("K:C\nC|")) == len(features.NAMES) == len(set(features.NAMES))
