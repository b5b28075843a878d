"""A plan is read from a tune and told back bar by bar; without one a network is told that there is none."""

from itertools import pairwise

import pytest

from app.abc.lookback import Tracker, track
from app.abc.lookback.alphabet import Alphabet
from app.abc.lookback.columns import PICKUPS, columns
from app.abc.lookback.plan import ELSEWHERE, ENDS, MAX_LEFT, NOTHING, PARTS_LEFT, UNSAID, Part, Plan, relation
from app.abc.lookback.plan_reader import read_plan

HEADER = "X:1\nR:reel\nM:4/4\nL:1/8\nK:D\n"
A = "|:d2|ABcd efga|bagf edcB|ABcd efga|d2d2 d4|\nABcd efga|bagf edcB|ABcd gfed|d2d2 d2:|\n"
B = "|:e2|c2c2 c4|c2c2 c4|bagf edcB|e2e2 e2:|"
TUNE = HEADER + A + B
CHARACTERS = "".join(sorted({*TUNE, *"[]12"}))
ALPHABET = Alphabet(CHARACTERS, is_planned=True)


def ids(text: str) -> list[int]:
    return [CHARACTERS.index(character) for character in text]


def told(text: str, plan: Plan | None) -> list[tuple[int, int, int, int, int]]:
    """Bars left, end, parts left, likeness and pickup after each character."""
    names = [column.name for column in columns(len(CHARACTERS))]
    rows = track(ALPHABET, ids(text), lambda _: plan)
    found = []
    for row in rows.tolist():
        plan_value, again = row[1 + names.index("plan")], row[1 + names.index("again")]
        left, rest = divmod(plan_value, PARTS_LEFT * ENDS)
        found.append((left, *divmod(rest, PARTS_LEFT), *divmod(again, PICKUPS)))
    return found


def test_a_tune_has_the_plan_of_its_parts() -> None:
    plan = read_plan(ALPHABET, ids(TUNE))
    assert plan is not None
    a, b = plan.parts
    assert (len(a.bars), len(b.bars)) == (8, 4)
    assert (a.at_home, b.at_home) == (True, False)
    new, as_4_back = relation(["a"], [None], 0), relation([*"abcda"], [None] * 5, 4)
    assert a.bars[:2] == (new, new)
    assert a.bars[4:6] == (relation([*"abaca"], [None] * 5, 4), as_4_back)
    assert b.bars[1] == relation(["a", "a"], [None] * 2, 1)
    assert b.bars[2] == ELSEWHERE, "it stood five bars back and nine"


def test_a_bar_that_only_begins_as_an_earlier_one_is_told_from_both_others() -> None:
    kinds = {relation([*"abcd", last], ["x", None, None, None, begin], 4) for last, begin in (("a", "x"), ("e", "x"))}
    assert len(kinds | {relation([*"abcde"], ["x", None, None, None, "y"], 4)}) == 3


def test_a_second_ending_is_no_bar_more_and_says_where_the_part_ends() -> None:
    text = f"{HEADER}|:ABcd efga|bagf edcB|ABcd efga|1 c2c2 c4:|2 d2d2 d4|]"
    plan = read_plan(ALPHABET, ids(text))
    assert plan is not None
    assert [(len(part.bars), part.at_home) for part in plan.parts] == [(4, True)]


def test_the_plan_is_told_from_the_end_of_the_header_bar_by_bar() -> None:
    plan = read_plan(ALPHABET, ids(TUNE))
    found = told(TUNE, plan)
    assert {row[0] for row in found[: len(HEADER) - 1]} == {0}
    in_a, in_b = found[len(HEADER) - 1 : len(HEADER + A) - 4], found[TUNE.index("|:e2") + 2 :]
    assert [row[0] for row in in_a][:: len(A) - 6] == [8, 1]
    assert all(one[0] - other[0] in (0, 1) for one, other in pairwise(in_a))
    assert {row[1:3] for row in in_a} == {(1, 1)}
    assert {row[1:3] for row in in_b[:-2]} == {(0, 0)}
    assert [row[4] for row in in_a][5:] == [4] * (len(in_a) - 5), "a quarter note was the pickup"


@pytest.mark.parametrize("text", [TUNE, HEADER + "ABcd efga|", "d2d2|"])
def test_without_a_plan_all_but_the_pickup_is_unsaid(text: str) -> None:
    assert {row[:4] for row in told(text, None)} == {(*NOTHING[:1], 0, 0, UNSAID)}


def test_past_its_end_a_plan_says_so() -> None:
    plan = Plan((Part((1,) * (MAX_LEFT + 4), at_home=True),))
    left = [plan.told(0, bar)[0] // (PARTS_LEFT * ENDS) for bar in (0, 3, 4, MAX_LEFT + 3, MAX_LEFT + 4, 99)]
    assert left == [MAX_LEFT + 1, MAX_LEFT + 1, MAX_LEFT, 1, MAX_LEFT + 2, MAX_LEFT + 2]
    assert plan.told(1, 0)[0] // (PARTS_LEFT * ENDS) == MAX_LEFT + 2


def test_a_network_that_is_told_no_plan_reads_what_it_always_did() -> None:
    plain = Alphabet(CHARACTERS)
    assert (track(plain, ids(TUNE)) == track(ALPHABET, ids(TUNE))[:, : 1 + plain.width]).all()


def test_each_tune_of_a_text_asks_for_its_own_plan_and_a_copy_keeps_its() -> None:
    plans = iter([Plan((Part((1,) * 8, at_home=True),)), Plan((Part((1,) * 4, at_home=True),))])
    tracker = Tracker(ALPHABET, lambda _: next(plans))
    seen = []
    for id_ in ids(f"{HEADER}ABcd efga|]\n\n{HEADER}A"):
        tracker.advance(id_)
        seen.append(tracker.row[-2] // (PARTS_LEFT * ENDS))
    assert seen[len(HEADER)] == 8
    assert seen[-1] == 4
    other = tracker.copy()
    for each in (tracker, other):
        for id_ in ids("Bcd efga|"):
            each.advance(id_)
    assert tracker.row == other.row


def test_the_width_says_which_alphabet() -> None:
    assert Alphabet.of_width(CHARACTERS, ALPHABET.width).is_planned
    assert not Alphabet.of_width(CHARACTERS, ALPHABET.width - 2).is_planned
    with pytest.raises(ValueError, match="no 9 columns"):
        Alphabet.of_width(CHARACTERS, 9)
