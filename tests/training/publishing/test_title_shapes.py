"""Titles are joined in the shapes of known ones, and each beginning becomes one that is not known."""

import random
from itertools import pairwise

import numpy as np
import pytest

from app.abc.rhythms import rhythm_in_title
from app.grammar import Grammar, Request
from app.grammar.title import comparable, is_plain
from model_store.lexicon import Lexicon, TitleShapes
from model_store.store import Checkpoint
from tests.random_tunes import VOCABULARY
from training.publishing.title_shapes import shapes_of

SMALL = {"of", "the", "to", "in", "on", "and", "for", "with", "from", "my"}
START = "X:1\nT:"


@pytest.fixture(scope="module")
def known(checkpoint: Checkpoint) -> tuple[str, ...]:
    """The titles that the default model learnt."""
    lexicon = checkpoint.lexicon()
    assert lexicon
    return lexicon.titles


@pytest.fixture(scope="module")
def shapes(known: tuple[str, ...]) -> TitleShapes:
    shapes = shapes_of(known)
    assert shapes
    return shapes


@pytest.fixture(scope="module")
def grammar(known: tuple[str, ...], shapes: TitleShapes) -> Grammar:
    return Grammar(VOCABULARY, Lexicon(known, {}, shapes))


def title(grammar: Grammar, seed: int, start: str = START, request: Request | None = None) -> str:
    """One of equally likely characters, but that it goes on where it can more often than not."""
    chance, cursor, text = random.Random(seed), grammar.begin(start, request), start
    while not text.endswith("\n"):
        characters = [VOCABULARY.characters[id_] for id_ in np.flatnonzero(cursor.allowed).tolist()]
        assert characters, text
        longer = [character for character in characters if character != "\n"]
        text += chance.choice(longer if longer and chance.random() < 0.6 else characters)
        cursor.advance(int(VOCABULARY.encode(text[-1])[0]))
    return text.removeprefix("X:1\nT:").removesuffix("\n")


def outline(title: str) -> tuple[str, ...]:
    """Its small words, with marks for the others."""
    return tuple(word if word in SMALL else "*" for word in title.casefold().split(" "))


def test_titles_have_the_small_words_of_known_ones_where_these_have_them(
    grammar: Grammar, known: tuple[str, ...]
) -> None:
    plain = [title for title in known if is_plain(title)]
    firsts, lasts = ({title.split(" ")[at] for title in plain} for at in (0, -1))
    outlines, all_known = set(map(outline, plain)), set(map(comparable, known))
    titles = {title(grammar, seed) for seed in range(500)}
    assert len(titles) > 450
    for each in titles:
        words = each.split(" ")
        assert outline(each) in outlines, each
        assert words[0] in firsts, each
        assert words[-1] in lasts, each
        assert all(word != after for word, after in pairwise(words)), each
        assert comparable(each) not in all_known, each


def test_a_slip_of_the_pen_and_a_rare_small_word_are_left_out(known: tuple[str, ...], shapes: TitleShapes) -> None:
    words = {word for words in shapes.classes for word in words}
    assert {"Mountain", "Hornpipe", "of", "Glen"} <= words
    assert words.isdisjoint({"Mountan", "Hornpipie", "er", "dull", "nighean"})
    assert words <= {word for title in known for word in title.split(" ")}


@pytest.mark.parametrize("rhythm", ["polka", "reel"])
def test_a_title_that_may_name_no_rhythm_can_always_be_ended(grammar: Grammar, rhythm: str) -> None:
    titles = [title(grammar, seed, request=Request(rhythm=rhythm)) for seed in range(150)]
    assert {rhythm_in_title(each) for each in titles} <= {"", rhythm}


@pytest.mark.parametrize(
    ("start", "goes_on"),
    [("The Plow", True), ("Gillan's F", True), ("For er Gre", True), ("The Humours of ", True), ("Zq 17", False)],
)
def test_a_title_that_is_begun_is_ended(grammar: Grammar, start: str, *, goes_on: bool) -> None:
    titles = {title(grammar, seed, START + start) for seed in range(20)}
    assert all(each.startswith(start) for each in titles)
    assert (titles != {start}) is goes_on


def test_titles_are_as_well_known_with_other_spaces(known: tuple[str, ...]) -> None:
    assert comparable("The Plowboy") == comparable("A Plow-Boy") == comparable("plow boy")
    assert comparable("The Plow Boy") in set(map(comparable, known))


def test_too_few_titles_have_no_shapes() -> None:
    assert shapes_of([]) is None
    assert shapes_of(["The Banshee", "The Maid Of Glin", "Drowsy Maggie", "(1)"]) is None
    assert shapes_of([f"The {first} of {last}" for first in ("Maid", "Bard") for last in ("Glin", "Mayo")]) is None
