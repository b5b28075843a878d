"""Tunes that a grammar lets through when nothing but chance chooses among what it allows."""

import random
from collections.abc import Iterator
from itertools import product

import numpy as np

from app.abc.written_subset import HORNPIPE_METERS
from app.grammar import Cursor, DrawnHeader, Grammar
from app.grammar.pitch import KEYS
from app.grammar.request import Form, Request
from app.grammar.ticks import METERS, UNITS
from model_store.vocabulary import Vocabulary

VOCABULARY = Vocabulary.from_text("".join(map(chr, range(32, 127))) + "\né")

_RARER = '"{[(~.^_=z'
"""Without a handicap, what can be begun anywhere would fill the bars."""


def write(
    grammar: Grammar,
    seed: int,
    length: int,
    *,
    start: str = "",
    request: Request | None = None,
    tunes: int = 1,
    temperature: float | None = None,
    headers: DrawnHeader | None = None,
) -> tuple[str, Cursor]:
    """A text, the start string included, and the cursor at its end.

    Each seed has its own taste: some characters it likes throughout; and a temperature of 0.3 to 3, if none is given.
    """
    generator = np.random.default_rng(seed)
    size = len(VOCABULARY)
    taste = generator.normal(size=size) * generator.uniform(0.3, 1.5)
    for id_ in VOCABULARY.encode(_RARER):
        taste[id_] += generator.normal(-1, 1.5)
    temperature = temperature or generator.uniform(0.3, 3)
    cursor = grammar.begin(start, request, length, tunes, headers)
    ids: list[int] = []
    for _ in range(length):
        logits = (taste + generator.normal(size=size)) / temperature + generator.gumbel(size=size)
        ids.append(int(np.where(cursor.allowed, logits, -np.inf).argmax()))
        if cursor.advance(ids[-1]):
            break
    return start + VOCABULARY.decode(ids), cursor


def headers() -> Iterator[str]:
    """One for each metre and unit length, with all the keys in turn."""
    keys = sorted(KEYS)
    random.Random(1).shuffle(keys)
    for number, (meter, unit) in enumerate(product(METERS, UNITS), 1):
        yield f"X:{number}\nM:{meter}\nL:{unit}\nK:{keys[number]}\n"


def requests(count: int) -> Iterator[Request]:
    """Requests of every sort, most of them for a key or a metre."""
    choose = random.Random(2)
    for _ in range(count):
        low, high = choose.choice([(None, None)] * 5 + [(62, 83), (55, 83), (None, 72)])
        rhythm = choose.choice([None, None, None, "reel", "slip jig", "hornpipe"])
        yield Request(
            key=choose.choice([None, *sorted(KEYS)]),
            meter=choose.choice([None, *(HORNPIPE_METERS if rhythm == "hornpipe" else METERS)]),
            rhythm=rhythm,
            form=choose.choice([None] * 5 + [Form(2, 2), Form(4, 1), Form(4, 2, repeated=False)]),
            low=low,
            high=high,
        )
