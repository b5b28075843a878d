"""Groups settings of one tune, in one book or several, into families by title, notes, melody or source.

A family's place is a fraction: the smallest SHA-256 of its members' notes. A book never moves the tunes of one that was
named before it: a family lies where its tunes of the earliest book lie, and a tune that is like tunes on two sides of
the split has no place at all.
"""

import hashlib
import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from itertools import accumulate, pairwise

from app.abc.tunebook import FIELD
from training.corpora.melodic_similarity import alike_pairs, phrases

VALIDATION_FROM, TEST_FROM = 0.85, 0.90


def places(books: Sequence[Sequence[str]], kin: Sequence[Sequence[str]] = ()) -> list[float | None]:
    """The place of each tune, in [0, 1), book after book; equal within a family.

    Args:
        books: tunes as they were found, the books in order of precedence.
        kin: for each book, nothing, or for each tune a word that it shares with its known settings.
    """
    return place(books, [*akin_pairs(books, kin), *melody_pairs(books, kin)])


def place(books: Sequence[Sequence[str]], pairs: Sequence[tuple[int, int]]) -> list[float | None]:
    """The places where the tunes of the pairs, as indices book after book, belong together."""
    tunes = [tune for book in books for tune in book]
    placed: list[float | None] = []
    for end in accumulate(map(len, books)):
        begin = len(placed)
        placed += [None] * (end - begin)
        for family in components(end, (pair for pair in pairs if max(pair) < end)):
            earlier = {place for member in family if member < begin and (place := placed[member]) is not None}
            if len({side(place) for place in earlier}) > 1:
                continue
            common = min(earlier) if earlier else min(fraction(tunes[member]) for member in family)
            for member in family:
                if member >= begin:
                    placed[member] = common
    return placed


def akin_pairs(books: Sequence[Sequence[str]], kin: Sequence[Sequence[str]] = ()) -> Iterator[tuple[int, int]]:
    """Pairs that chain tunes of the same notes, the same title or one source's word."""
    bearers: dict[str, list[int]] = defaultdict(list)
    for index, (tune, word) in enumerate(_with_words(books, kin)):
        for key in (f"melody {melody(tune)}", f"title {title(tune)}", f"kin {word}"):
            if not key.endswith(" "):
                bearers[key].append(index)
    for indices in bearers.values():
        yield from pairwise(indices)


def melody_pairs(books: Sequence[Sequence[str]], kin: Sequence[Sequence[str]] = ()) -> Iterator[tuple[int, int]]:
    """Pairs of tunes that are alike."""
    tunes = list(_with_words(books, kin))
    return alike_pairs([phrases(tune) for tune, _ in tunes], [word for _, word in tunes])


def _with_words(books: Sequence[Sequence[str]], kin: Sequence[Sequence[str]]) -> Iterator[tuple[str, str]]:
    """Each tune with the word of its known settings, or one of its own."""
    for number, book in enumerate(books):
        words = kin[number] if kin and kin[number] else [f"tune {index} of book {number}" for index in range(len(book))]
        yield from zip(book, words, strict=True)


def components(count: int, pairs: Iterable[tuple[int, int]]) -> list[list[int]]:
    """The indices below a count, those together that pairs connect (union-find)."""
    parent = list(range(count))

    def root(index: int) -> int:
        while parent[index] != index:
            parent[index] = parent[parent[index]]
            index = parent[index]
        return index

    for one, other in pairs:
        parent[root(one)] = root(other)
    members: dict[int, list[int]] = defaultdict(list)
    for index in range(count):
        members[root(index)].append(index)
    return list(members.values())


def side(place: float) -> str:
    """The side of the split that a place lies on."""
    return "train" if place < VALIDATION_FROM else "validation" if place < TEST_FROM else "test"


def fraction(tune: str) -> float:
    """A tune's own place: the SHA-256 of its notes, read as a fraction."""
    return int.from_bytes(hashlib.sha256(melody(tune).encode()).digest()[:8]) / 2**64


def melody(tune: str) -> str:
    """The notes of a tune, without its header and layout."""
    lines = [line for line in tune.split("\n") if not FIELD.match(line) and not line.startswith("%")]
    return re.sub(r"[\s!|:\[\]\\]", "", "".join(lines))


def title(tune: str) -> str:
    """The letters and digits of a tune's first title, in lower case, without its article."""
    found = re.search(r"^T:(.*)", tune, re.MULTILINE)
    words = re.sub(r"^the |[.,]*,\s*the$|\s+--.*", "", found[1].strip().lower()) if found else ""
    return re.sub(r"\W", "", words)
