"""What a model's headers may say, from the tunes that it learnt: titles without slurs, rhythms with their metres."""

import re
from collections import Counter
from collections.abc import Collection, Mapping
from pathlib import Path

from app.abc.rhythms import METERS_OF_RHYTHM
from model_store.lexicon import Lexicon
from training.publishing.title_shapes import shapes_of

MIN_TUNES = 5
"""Of a rhythm, for a model to know it."""

_LIST = Path(__file__).with_name("title_slurs.txt")
SLURS = frozenset(line for line in _LIST.read_text("utf-8").split("\n") if line and not line.startswith("#"))


def lexicon_of(tunes: Collection[str]) -> Lexicon:
    """The lexicon of tunes in ABC."""
    titles = {title for tune in tunes if (title := field(tune, "T")) and not has_slur(title)}
    return Lexicon(tuple(sorted(titles)), rhythms_of(tunes), shapes_of(titles))


def rhythms_of(tunes: Collection[str]) -> Mapping[str, tuple[str, ...]]:
    """The rhythms that they know, with their metres."""
    rhythms = Counter(rhythm for tune in tunes if (rhythm := field(tune, "R").lower()) in METERS_OF_RHYTHM)
    return {rhythm: METERS_OF_RHYTHM[rhythm] for rhythm, count in rhythms.most_common() if count >= MIN_TUNES}


def has_slur(title: str) -> bool:
    """Whether any of its words is a slur, in the possessive too."""
    words = re.findall(r"[a-z]+", re.sub(r"'s?\b", "", title.casefold()))
    return not SLURS.isdisjoint(words)


def field(tune: str, letter: str) -> str:
    """What a header says, without comment; empty where it lacks the field."""
    found = re.search(rf"^{letter}:(.*)$", tune, re.MULTILINE)
    return " ".join(found[1].split("%")[0].split()) if found else ""
