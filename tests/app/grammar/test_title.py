"""Titles are made of known words and are no known title; rhythm and metre agree; what is asked for stays as it is."""

import random
import re

import numpy as np
import pytest

from app.abc.rhythms import METERS_OF_RHYTHM
from app.abc.written_subset import HORNPIPE_METERS
from app.grammar import Grammar, Request
from app.grammar.title import MAX_WORDS, comparable
from model_store.lexicon import Lexicon
from tests import judges
from tests.random_tunes import VOCABULARY, write

TITLES = (
    "The Humours Of Glin",
    "The Banshee",
    "Banshee",
    "Miss McLeod's",
    "Drowsy Maggie",
    "The Maid Of Glin",
    "Jenny's Chickens, Oh",
    "Fisher's Hornpipe (2nd Setting)",
    "MISS JOHNSON",
    "What? No!",
    "One Two Three Four Five Six Seven",
)
RHYTHMS = {rhythm: METERS_OF_RHYTHM[rhythm] for rhythm in ("jig", "reel", "hornpipe", "slip jig", "waltz")}
WORDS = {
    "The",
    "Humours",
    "Of",
    "Glin",
    "Banshee",
    "Miss",
    "McLeod's",
    "Drowsy",
    "Maggie",
    "Maid",
    "Jenny's",
    "Chickens,",
}
WORDS |= {"Oh", "One", "Two", "Three", "Four", "Five", "Six", "Seven"}


@pytest.fixture(scope="module")
def grammar() -> Grammar:
    return Grammar(VOCABULARY, Lexicon(TITLES, RHYTHMS))


def header(grammar: Grammar, seed: int, start: str = "", request: Request | None = None) -> str:
    """A header of equally likely characters."""
    chance, text = random.Random(seed), start
    cursor = grammar.begin(start, request)
    while not re.search(r"^K:.*\n", text, re.MULTILINE):
        id_ = chance.choice(np.flatnonzero(cursor.allowed).tolist())
        cursor.advance(id_)
        text += VOCABULARY.characters[id_]
    return text


def field(header: str, letter: str) -> str | None:
    found = re.search(rf"^{letter}:(.*)$", header, re.MULTILINE)
    return found[1] if found else None


def test_titles_are_made_of_known_words_and_are_none_of_the_known(grammar: Grammar) -> None:
    titles = {title for seed in range(600) if (title := field(header(grammar, seed), "T"))}
    assert len(titles) > 100
    known = {comparable(title) for title in TITLES}
    for title in titles:
        words = title.split(" ")
        assert set(words) <= WORDS, title
        assert len(words) <= MAX_WORDS
        assert words[0] in {"The", "Banshee", "Miss", "Drowsy", "Jenny's", "One"}
        assert words[-1] not in {"The", "Of", "Miss", "Drowsy", "Chickens,"}
        assert comparable(title) not in known


@pytest.mark.parametrize("request_", [Request(), Request(meter="6/8"), Request(meter="3/2"), Request(key="D")])
def test_rhythm_and_metre_agree(grammar: Grammar, request_: Request) -> None:
    headers = [header(grammar, seed, request=request_) for seed in range(300)]
    for text in headers:
        rhythm, meter = field(text, "R"), field(text, "M")
        assert rhythm is None or meter in RHYTHMS[rhythm]
        assert rhythm != "hornpipe" or meter in HORNPIPE_METERS
    rhythms = {field(text, "R") for text in headers}
    assert rhythms == {Request(): {None, *RHYTHMS}, Request(key="D"): {None, *RHYTHMS}}.get(
        request_, {None, "jig"} if request_.meter == "6/8" else {None}
    )


def test_a_rhythm_that_is_asked_for_brings_its_metres(grammar: Grammar) -> None:
    meters = {field(header(grammar, seed, request=Request(rhythm="reel")), "M") for seed in range(100)}
    assert meters == set(METERS_OF_RHYTHM["reel"])
    assert {field(header(grammar, seed, "X:1\nR:Slip Jig\n"), "M") for seed in range(20)} == {"9/8"}


def test_what_is_asked_for_stays_as_it_is(grammar: Grammar) -> None:
    both = header(grammar, 1, request=Request(rhythm="reel", meter="6/8"))
    assert (field(both, "R"), field(both, "M")) == ("reel", "6/8")
    for title in ("Zq 17 (x)", "The Banshee", "banshee"):
        assert field(header(grammar, 1, f"X:1\nT:{title}\n"), "T") == title
    assert field(header(grammar, 1, "X:1\nT:Zq 17"), "T") == "Zq 17"
    free = header(grammar, 1, "X:1\nR:Walk of my own\n")
    assert field(free, "R") == "Walk of my own"
    assert field(header(grammar, 1, "X:1\nR:Walk"), "R") == "Walk"
    for start in ("X:1\nT:Zq 17", "X:1\nR:Walk", "X:1\nT:The Hum", "X:1\nR:slip"):
        assert not grammar.begin(start).faults


def test_a_title_names_no_other_rhythm_than_the_one_that_is_asked_for() -> None:
    titles = (
        "The Humours Waltz",
        "The Jigs Of Glin",
        "Glin Hornpipe",
        "Of The Reels",
        "The Banshee",
        "The Maid Of Glin",
    )
    grammar = Grammar(VOCABULARY, Lexicon(titles, RHYTHMS))
    named = {"Waltz": "waltz", "Jigs": "jig", "Hornpipe": "hornpipe", "Reels": "reel"}
    for rhythm in (None, "slip jig", "waltz"):
        found = {
            word
            for seed in range(80)
            for word in (field(header(grammar, seed, request=Request(rhythm=rhythm)), "T") or "").split()
        }
        own = {word for word, name in named.items() if rhythm is None or name == rhythm.split()[-1]}
        assert found & named.keys() == own
    begun = header(grammar, 1, "X:1\nT:Glin Hornp", Request(rhythm="waltz"))
    assert (field(begun, "T") or "").startswith("Glin Hornpipe")


def test_a_title_that_is_begun_goes_on_in_known_words(grammar: Grammar) -> None:
    titles = {field(header(grammar, seed, "X:1\nT:The Hum"), "T") or "" for seed in range(50)}
    assert all(title.startswith("The Humours") and set(title.split(" ")) <= WORDS for title in titles)
    assert len(titles) > 10


def test_tunes_with_such_headers_are_clean(grammar: Grammar) -> None:
    written = [write(grammar, seed, 400) for seed in range(40)]
    assert all(cursor.finished == 1 and not cursor.faults for _, cursor in written)
    assert judges.abc2midi([text for text, _ in written]) == [[]] * 40


def test_where_no_words_can_be_joined_a_title_is_any_text() -> None:
    free = Grammar(VOCABULARY, Lexicon(("Banshee",), {}))
    titles = {field(header(free, seed), "T") for seed in range(20)} - {None}
    assert titles
    assert "Banshee" not in titles
