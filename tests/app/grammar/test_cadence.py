"""In the last bar of a planned part, the last note is the tonic or is not, and the bar wants what its pickup took."""

import random

import numpy as np
import pytest
from numpy.typing import NDArray

from app.grammar import Grammar
from model_store.vocabulary import Vocabulary
from tests.random_tunes import VOCABULARY

HEADER = "X:1\nM:4/4\nL:1/8\nK:D\n"
NOTES = frozenset("ABCDEFGabcdefg")
PLAIN = Vocabulary("\nXTMLK:/|123468ABCDEFGabcdefg[],'")


@pytest.fixture(scope="module")
def grammar() -> Grammar:
    return Grammar(VOCABULARY)


def may_follow(grammar: Grammar, text: str, *, at_home: bool, parts_left: int | None = None) -> set[str]:
    return finite(grammar.begin(HEADER + text).ending("D", at_home=at_home, parts_left=parts_left))


def finite(mask: NDArray[np.float32]) -> set[str]:
    return {
        character for character, weight in zip(VOCABULARY.characters, mask.tolist(), strict=True) if weight > -np.inf
    }


@pytest.mark.parametrize(
    ("text", "at_home", "may", "may_not"),
    [
        ("A8|ABcdef", True, NOTES, ""),
        ("A8|ABcdefg", True, "dD ", "ABCEFGabcefg2z^_="),
        ("A8|ABcdefg", False, "ABCEFGabcefg^z", "dD"),
        ("A8|ABcdefd", True, "2dD", "ABCEFGabcefg"),
        ("A8|ABcdefd", False, "ABc", "2dD"),
        ("A8|ABcde", True, "23", "4"),
        ("A8|ABcdef2", True, "dD", "Aa"),
        ("A8|ABcdefg>", True, "dD", "Aagz"),
        ("A8|ABcdefg>", False, "Aag", "dD"),
        ("A8|ABcdefgf/2", True, "dD", "Aa"),
        ("A8|ABcdef(3ga", True, "dD", "Aa"),
        ("A8|ABcdef(3g", True, "Aa", ""),
        ("A8|ABcdefg^", True, "dD", "Aa"),
        ("A8|ABcdefga", True, "|", "Aa"),
    ],
)
def test_the_last_note_is_the_tonic_or_is_not(
    grammar: Grammar, text: str, at_home: bool, may: str, may_not: str
) -> None:
    following = may_follow(grammar, text, at_home=at_home)
    assert set(may) <= following
    assert not set(may_not) & following


def test_a_bar_that_wants_its_pickup_is_not_overfilled(grammar: Grammar) -> None:
    begun = "A2|B8|ABcd"
    assert "4" in {
        c for c, allowed in zip(VOCABULARY.characters, grammar.begin(HEADER + begun).allowed, strict=True) if allowed
    }
    assert not {"3", "4"} & may_follow(grammar, begun, at_home=False)
    assert not NOTES & may_follow(grammar, begun + "ef", at_home=False)
    assert {"|", ":"} <= may_follow(grammar, begun + "ef", at_home=False)


@pytest.mark.parametrize(
    ("text", "may", "may_not"),
    [
        ("|:A8|ABcdefgd", ":", "|-"),
        ("A8|ABcdefgd", ":|", "-"),
        ("|:A8:|A8|ABcdefgd", "|", ":-"),
        ("|:A8|1ABcdefgd", ":", "|-"),
        ("|:A8|1ABcdefga:|2ABcdefgd", "|", ":-"),
        ("|:ABcde|A8|A2", "d", "aA4>"),  # the pickup has all but three eighths of a bar
    ],
)
@pytest.mark.parametrize("parts_left", [0, 1])
def test_a_part_can_be_held_to_end_with_its_last_bar(
    grammar: Grammar, text: str, may: str, may_not: str, parts_left: int
) -> None:
    following = may_follow(grammar, text, at_home=True, parts_left=parts_left)
    assert set(may) <= following
    assert not set(may_not) & following
    assert following


def test_behind_the_last_bar_line_the_part_ends_or_the_tune(grammar: Grammar) -> None:
    cursor = grammar.begin(HEADER + "|:A8:|A8|ABcdefgd|")
    assert finite(cursor.mask) > NOTES
    assert finite(cursor.closing(parts_left=1)) == {"|"}
    assert finite(cursor.closing(parts_left=0)) == {"|", "]"}
    ended = grammar.begin(HEADER + "|:A8:|A8|ABcdefgd||")
    assert finite(ended.mask) > NOTES
    assert finite(ended.ended()) == {"\n"}
    within = grammar.begin(HEADER + "|:A8|1ABcdefgd:|")
    assert finite(within.ended()) == finite(within.mask)


@pytest.mark.parametrize("at_home", [True, False])
def test_whatever_the_logits_every_bar_ends_so(at_home: bool) -> None:
    grammar, generator = Grammar(PLAIN), random.Random(1)
    cursor, text, ends = grammar.begin(HEADER, length=3000), "", []
    while not cursor.finished:
        mask = cursor.ending("D", at_home=at_home).tolist()
        character = generator.choice([c for c, weight in zip(PLAIN.characters, mask, strict=True) if weight > -np.inf])
        if character in "|:" and text[-1:] not in ("", "|", ":", "\n", "]"):
            ends.append(next(c for c in reversed(text) if c in NOTES))
        text += character
        cursor.advance(PLAIN.characters.index(character))
    assert len(ends) > 20
    assert {letter.upper() == "D" for letter in ends if letter} == {at_home}, text
