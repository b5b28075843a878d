"""Plans are drawn as they are known, by rhythm and metre, the same for a seed, and as a form asks."""

from collections import Counter
from dataclasses import replace

import pytest

from app.abc.lookback.header_numbers import form_number
from app.abc.lookback.plan import UNSAID, Plan
from app.generation.jobs import seed_of_draw
from app.generation.planning import MIN_PLANS, Planning
from app.grammar.request import Form
from model_store.errors import InvalidCheckpointError
from model_store.plans import KnownHeader, KnownPlan, Plans

EIGHTS = ((True, (1,) * 8), (False, (1,) * 8))
FOURS = ((True, (1,) * 4),)
REEL, JIG = form_number("reel", "4/4"), form_number("jig", "6/8")


def planning(*plans: KnownPlan) -> Planning:
    return Planning(Plans(plans), "irish/5/plans.json")


MANY = planning(
    KnownPlan("reel", "4/4", 3 * MIN_PLANS, EIGHTS),
    KnownPlan("reel", "4/4", MIN_PLANS, FOURS),
    KnownPlan("air", "6/8", MIN_PLANS, FOURS),
    KnownPlan("jig", "6/8", 1, EIGHTS),
)


def lengths(plan: Plan | None) -> list[int]:
    return [len(part.bars) for part in plan.parts] if plan else []


def test_a_seed_gives_the_same_plans_in_the_same_order() -> None:
    one, other = MANY.planner(7), MANY.planner(7)
    drawn = [lengths(one(REEL)) for _ in range(20)]
    assert drawn == [lengths(other(REEL)) for _ in range(20)]
    assert drawn != [lengths(MANY.planner(8)(REEL)) for _ in range(20)]


def test_the_candidates_of_a_request_have_one_plan_where_headers_are_drawn() -> None:
    plans = tuple(KnownPlan("reel", "4/4", MIN_PLANS, (*EIGHTS, *FOURS * count)) for count in range(8))
    seeds = [seed_of_draw(7, number) for number in range(16)]
    header = KnownHeader(20, "", "reel", "4/4", "1/8", "D")
    alone, with_headers = (Planning(Plans(plans, headers=known), "here") for known in ((), (header,)))
    assert len({alone.planner(seed)(REEL) for seed in seeds}) > 1
    assert {with_headers.planner(seed)(REEL) for seed in seeds} == {alone.planner(7)(REEL)}


def test_plans_are_drawn_as_often_as_they_are_known() -> None:
    drawn = Counter(tuple(lengths(MANY.planner(seed)(REEL))) for seed in range(400))
    assert drawn[8, 8] + drawn[4,] == 400
    assert 260 < drawn[8, 8] < 340


def test_where_a_rhythm_has_too_few_those_of_the_metre_are_drawn_from() -> None:
    assert {tuple(lengths(MANY.planner(seed)(JIG))) for seed in range(200)} == {(8, 8), (4,)}
    assert MANY.planner(1)(form_number("waltz", "3/4")) is None


def test_a_form_that_is_asked_for_is_drawn_or_made() -> None:
    assert {tuple(lengths(MANY.planner(seed, Form(8, 2))(REEL))) for seed in range(50)} == {(8, 8)}
    made = MANY.planner(1, Form(16, 3))(REEL)
    assert made is not None
    assert lengths(made) == [16] * 3
    assert {bar for part in made.parts for bar in part.bars} == {UNSAID}
    assert lengths(MANY.planner(1, Form(16, 3))(form_number("", ""))) == [16] * 3


def test_parts_have_to_end_as_planned_where_the_file_says_so() -> None:
    plans = Plans((KnownPlan("reel", "4/4", MIN_PLANS, EIGHTS),))
    free, held = (Planning(each, "here").planner(1)(REEL) for each in (plans, replace(plans, are_held=True)))
    assert free
    assert held
    assert {free.ending(part, bar) for part in range(3) for bar in range(9)} == {None}
    ends = {(part, bar): held.ending(part, bar) for part in range(3) for bar in range(9)}
    assert {at: end for at, end in ends.items() if end is not None} == {(0, 7): True, (1, 7): False}
    redrawn = Planning(replace(plans, are_held=True, redraws=5), "here").planner(1)(REEL)
    assert redrawn
    assert (held.redraws, redrawn.redraws) == (0, 5)


def test_what_a_later_lilt_says_of_bars_is_refused_by_name() -> None:
    with pytest.raises(InvalidCheckpointError, match=r"irish/5/plans\.json: plans that say"):
        planning(KnownPlan("reel", "4/4", 1, ((True, (999,)),)))
