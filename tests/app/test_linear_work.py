"""Every reader of strangers' text does work that is linear in its bytes and its bars, whatever notation grows in it.

What is counted is calls, not seconds. The steps of a pattern cannot be counted: it gets a row so long that their square
would take an hour.
"""

import sys
from collections.abc import Callable
from fractions import Fraction
from itertools import islice, pairwise
from math import inf
from types import FrameType

import pytest

from app.abc.bar_spans import _bars, regions, text_bars
from app.abc.duration import duration_s, played
from app.abc.fields import parse_tempo
from app.abc.fingerprint import melody
from app.abc.harmony import with_chords
from app.abc.reader import read
from app.abc.same_bars import different_bars, places_of, replaceable
from app.abc.score import MAX_BARS
from app.abc.transpose import transposed
from app.abc.tunebook import split_tunes
from app.errors import LiltError
from app.generation.network_text import NetworkText
from app.grammar import Grammar, Request
from app.grammar.infill_constraint import Span, refills
from app.interchange import musicxml_writer
from app.rendering.input_filter import admit
from app.rendering.lint import fix
from model_store.store import Checkpoint
from tests.growing_texts import GROWING

SIZES = (700, 1200, 2000)
"""bytes"""
MAX_STEPS = {
    "read": 100,
    "musicxml": 1000,
    "melody": 30,
    "regions": 60,
    "places_of": 60,
    "admit": 100,
    "fix": 20,
    "transpose": 200,
    "chords": 500,
    "split_tunes": 10,
    "faults": 100,
    "refills": 100,
}
"""calls for a byte or a bar"""
MAX_BEND = 1.4
"""how many more steps the third part of a text may take than the second, byte for byte; twice as many are a square's"""
SLACK = 2000
"""calls, for what begins only in a longer text"""


def steps_of(work: Callable[[str], object], text: str) -> int:
    """How many calls a reader makes, of Python's own functions too, over a text, which it may refuse."""
    count = 0

    def step(_: FrameType, event: str, __: object) -> None:
        nonlocal count
        count += event in ("call", "c_call")

    before = sys.getprofile()
    sys.setprofile(step)
    try:
        work(text)
    except LiltError:
        pass
    finally:
        sys.setprofile(before)
    return count


def performance(text: str) -> object:
    score = read(text)
    return duration_s(score), played(score)


def admitted_musicxml(text: str) -> object:
    return musicxml_writer.write(admit(text, max_duration_s=inf).score)


def every_region(text: str) -> object:
    return [regions(text, [bar.number for bar in text_bars(text)])]


def every_place(text: str) -> object:
    return places_of(text, replaceable(different_bars(text)))


READERS: dict[str, Callable[[str], object]] = {
    "read": performance,
    "musicxml": admitted_musicxml,
    "melody": melody,
    "regions": every_region,
    "places_of": every_place,
    "admit": lambda text: admit(text, max_duration_s=inf),
    "fix": fix,
    "transpose": lambda text: transposed(read(text), 1),
    "chords": lambda text: with_chords(text, read(text)),
    "split_tunes": split_tunes,
}


@pytest.fixture(scope="module")
def grammar(checkpoint: Checkpoint) -> Grammar:
    return Grammar(checkpoint.vocabulary)


def bars_of(text: str) -> int:
    """How many a tune has, a rest of several bars counting as so many; never more than any reader looks at."""
    return min(MAX_BARS, sum(bar.count for voice in read(text).voices for bar in voice.bars))


def hold_linear(work: Callable[[str], object], texts: list[str], max_steps: int) -> None:
    sizes = [len(text) + bars_of(text) for text in texts]
    steps = [steps_of(work, text) for text in texts]
    assert all(count <= max_steps * size for count, size in zip(steps, sizes, strict=True)), (steps, sizes)
    more = [b - a for a, b in pairwise(steps)]
    assert more[1] <= MAX_BEND * max(0, more[0]) * (sizes[2] - sizes[1]) / (sizes[1] - sizes[0]) + SLACK, (steps, sizes)


@pytest.mark.parametrize("reader", READERS)
@pytest.mark.parametrize("kind", GROWING)
def test_a_reader_takes_steps_for_bytes_and_bars_alone(kind: str, reader: str) -> None:
    hold_linear(READERS[reader], [GROWING[kind](size) for size in SIZES], MAX_STEPS[reader])


@pytest.mark.parametrize("reader", ["faults", "refills"])
@pytest.mark.parametrize("kind", GROWING)
def test_the_grammar_takes_steps_for_characters_alone(kind: str, reader: str, grammar: Grammar) -> None:
    known = set(grammar._vocabulary.characters)
    texts = ["".join(c for c in GROWING[kind](size) if c in known) for size in SIZES]

    def constraints(text: str) -> object:
        bars = list(islice(_bars(text), 200))
        spans = [Span(bar.groups[0].begin, bar.groups[-1].end, Fraction(1)) for bar in bars]
        return refills(grammar, text, spans, Request())

    work = grammar.faults if reader == "faults" else constraints
    for text in texts:
        steps_of(work, text)  # what it finds out once for all texts is no step of this one
    hold_linear(work, texts, MAX_STEPS[reader])


BLANKS = " " * 200_000


@pytest.mark.parametrize("before", ["X:1\nT:a", "X:1\nM:4/4", "X:1\nK:C", "X:1\nK:C\nc"])
def test_blanks_before_no_comment_are_looked_at_once(before: str) -> None:
    text = f"{before}{BLANKS}c\n"
    assert NetworkText.of(text, frozenset(text)).read == text


def test_blanks_in_a_tempo_are_looked_at_once() -> None:
    assert parse_tempo(f"C{BLANKS}x", Fraction(1, 8)).count is None


def test_macros_that_never_end_are_looked_at_so_far_alone() -> None:
    macros = "[m:" * 100_000
    assert fix(f"X:1\nK:C\n{macros}\n") == f"X:1\nK:C\n{macros}\n"
