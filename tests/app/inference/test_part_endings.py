"""The last bar of a planned part is drawn again where it ends otherwise than planned, or its part goes on."""

import pytest

from app.abc.lookback.alphabet import Alphabet
from app.abc.lookback.plan import UNSAID, Part, Plan
from app.abc.lookback.tracker import Tracker
from app.inference.part_endings import PartEndings, Verdict
from app.inference.sampler import SamplingParams
from tests.random_tunes import VOCABULARY

HEADER = "X:1\nM:4/4\nL:1/8\nK:D\n"
TWO_BARS = Plan((Part((UNSAID,) * 2, at_home=True), Part((UNSAID,) * 2, at_home=False)), is_held=True, redraws=2)


class Text:
    """A tune as it is written, and what is said of each of its characters."""

    def __init__(self, plan: Plan, *, may_redraw: bool = True) -> None:
        alphabet = Alphabet(VOCABULARY.characters, is_planned=True)
        self.tracker, self.endings, self._may_redraw = Tracker(alphabet, lambda _: plan), PartEndings(), may_redraw

    def write(self, text: str) -> list[tuple[int, Verdict]]:
        """The verdicts, but for those of nothing to be done, each with its place in the text."""
        found = []
        for place, id_ in enumerate(VOCABULARY.encode(text).tolist()):
            self.tracker.advance(id_)
            found.append((place, self.endings.follow(self.tracker, may_redraw=self._may_redraw)))
        return [each for each in found if each[1] is not Verdict.NONE]


@pytest.mark.parametrize(
    ("bars", "verdicts"),
    [
        ("A8|F4D4:|", [(2, Verdict.MARK), (7, Verdict.KEEP)]),
        ("A8|F4D4||", [(2, Verdict.MARK), (8, Verdict.KEEP)]),
        ("A8|F4D4|\n", [(2, Verdict.MARK)]),
        ("A8|F4E4:", [(2, Verdict.MARK), (7, Verdict.AGAIN)]),
        ("A8|F4E4|", [(2, Verdict.MARK), (7, Verdict.AGAIN)]),
        ("A8|F4D4|A", [(2, Verdict.MARK), (8, Verdict.AGAIN)]),
        ("A8|F4D4|\n\n", [(2, Verdict.MARK), (9, Verdict.KEEP)]),
        ("A2|A8|F4D2:|", [(5, Verdict.MARK), (10, Verdict.KEEP)]),
        ("A8|1F4D4:|2F4d4||", [(2, Verdict.MARK), (8, Verdict.KEEP), (10, Verdict.MARK), (16, Verdict.KEEP)]),
        ("A8:|", []),
    ],
)
def test_each_last_bar_is_marked_and_kept_or_drawn_again(bars: str, verdicts: list[tuple[int, Verdict]]) -> None:
    text = Text(TWO_BARS)
    assert text.write(HEADER) == []
    assert text.write(bars) == verdicts


def test_a_part_that_is_to_end_away_from_home_is_held_to_it_too() -> None:
    assert Text(TWO_BARS).write(HEADER + "A8|D8||A8|D8|")[-1][1] is Verdict.AGAIN
    assert Text(TWO_BARS).write(HEADER + "A8|D8||A8|E8||")[-1][1] is Verdict.KEEP


def test_after_as_many_draws_as_the_plan_allows_the_bar_is_left_to_the_mask() -> None:
    text = Text(TWO_BARS)
    text.write(HEADER + "A8|")
    at_bar = text.tracker.copy()
    for left in (1, 0):
        assert text.write("E8|") == [(2, Verdict.AGAIN)]
        assert text.endings.redraws_left == left
        text.tracker = at_bar.copy()
    assert text.write("E8:|") == [(2, Verdict.KEEP)]
    assert text.write("A8|")[-1][1] is Verdict.MARK
    assert text.endings.redraws_left == 2


def test_a_part_that_cannot_be_drawn_again_is_due_to_end_behind_its_last_bar() -> None:
    text = Text(TWO_BARS, may_redraw=False)
    for written, is_due in [(HEADER + "A8|E", False), ("7|", True), ("|", False), ("A8|E8:", False)]:
        text.write(written)
        assert text.endings.is_due is is_due, written


def test_behind_the_last_planned_part_the_tune_is_over_until_a_second_ending_or_another_tune_begins() -> None:
    text = Text(TWO_BARS)
    for written, is_over in [
        (HEADER + "A8|D8||", False),
        ("A8|1E8:", True),
        ("|", True),
        ("2", False),
        ("E8|", False),
        ("|", True),
        ("\n\n", False),
        (HEADER, False),
    ]:
        text.write(written)
        assert text.endings.is_over is is_over, written


@pytest.mark.parametrize(
    ("params", "leaves_one"),
    [
        (SamplingParams(), False),
        (SamplingParams(temperature=0.0), True),
        (SamplingParams(top_k=1), True),
        (SamplingParams(top_k=2, top_p=0.5), False),
        (SamplingParams(top_p=0.01), True),
        (SamplingParams(top_p=0.02), False),
    ],
)
def test_a_character_that_is_drawn_alone_is_told(params: SamplingParams, leaves_one: bool) -> None:
    assert params.leaves_one(vocab_size=100) is leaves_one


def test_what_could_not_be_drawn_otherwise_is_not_drawn_again() -> None:
    text = Text(TWO_BARS, may_redraw=False)
    assert {verdict for _, verdict in text.write(HEADER + "A8|E8||")} == {Verdict.KEEP}
