"""The tunes that a run learns from, with what must be said of them: origin, licence, counts and hash."""

import json
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any, Self

from model_store.manifest import CorpusRecord
from model_store.vocabulary import Vocabulary
from training.corpora import corpora
from training.dialect import dialect
from training.corpora import families
from training.corpora.book import SEPARATOR, Book
from training.errors import CorpusError, DialectError
from training.corpora.families import VALIDATION_FROM
from training.corpora.split import Split, split
from training.corpora.tunebook import Reject

__all__ = ["SEPARATOR", "Corpus", "Drop", "load"]

Watch = Callable[[Iterable[str]], Iterable[str]]
"""Passes tunes on, and may show how far it got."""


@dataclass(frozen=True)
class Drop:
    """A tune that is left out, and why."""

    book: str
    tune: str
    reason: str

    def __str__(self) -> str:
        first, *rest = self.tune.split("\n")
        title = next((line[2:].strip() for line in rest if line.startswith("T:")), "")
        return f"{self.book}, {first}, {title}: {self.reason}"


@dataclass(frozen=True)
class Corpus:
    """Tunes, each different from the others, and the text that they were taken from.

    `places` are those of the tunes as they were found (see `families`), so that one that is translated keeps its side.
    """

    tunes: tuple[str, ...]
    text: str
    records: tuple[CorpusRecord, ...]
    rejects: tuple[Reject, ...] = ()
    places: tuple[float, ...] = ()
    drops: tuple[Drop, ...] = ()

    @property
    def vocabulary(self) -> Vocabulary:
        """The characters of the whole text, held-out tunes included, so that each of them can be scored."""
        return Vocabulary.from_text(SEPARATOR + self.text)

    @property
    def sides(self) -> Split:
        """The fixed split.

        Raises:
            CorpusError: there are too few tunes to split.
        """
        return split(self.tunes, self.places)

    def to_json(self) -> bytes:
        """Tunes, text, places and records; what was left out is left out here too."""
        values = {
            "tunes": self.tunes,
            "text": self.text,
            "places": self.places,
            "records": [record.model_dump() for record in self.records],
        }
        return json.dumps(values, ensure_ascii=False).encode()

    @classmethod
    def from_json(cls, content: bytes) -> Self:
        """The inverse of `to_json`."""
        values: dict[str, Any] = json.loads(content)
        records = tuple(CorpusRecord(**record) for record in values["records"])
        return cls(tuple(values["tunes"]), values["text"], records, places=tuple(values.get("places", ())))


def load(names: list[str], *, translate: bool = False, watch: Watch = iter) -> Corpus:
    """The tunes of the books that are named, or the lab's tunebook if none is.

    Args:
        translate: into plain ABC (see `dialect`), or as they were found.

    Raises:
        CorpusError: a book is missing or unreadable, or there is no tune in all of them.
    """
    return merge(corpora.open_books(names), translate=translate, watch=watch)


def merge(books: list[Book], *, translate: bool = False, watch: Watch = iter) -> Corpus:
    """The tunes of several books, each once.

    Raises:
        CorpusError: there is no tune in all of them.
    """
    places = iter(families.places([book.tunes for book in books], [book.kin for book in books]))
    kept: dict[str, float] = {}
    texts: list[str] = []
    records: list[CorpusRecord] = []
    drops: list[Drop] = []
    placed: set[float] = set()  # those of the tunes of the books so far
    for book in books:
        new: list[str] = []
        before = frozenset(placed)
        for tune, place in zip(watch(book.tunes), places, strict=False):
            try:
                text = dialect.translate(tune) if translate else tune
            except DialectError as error:
                drops.append(Drop(book.name, tune, str(error)))
                continue
            if place is not None:
                placed.add(place)
                if book.is_extra and before and place >= VALIDATION_FROM:
                    place = None if place in before else place * VALIDATION_FROM
            if place is None:
                drops.append(Drop(book.name, tune, "like tunes on another side of the split"))
            elif text in kept:
                drops.append(Drop(book.name, tune, "the same as another tune"))
            else:
                kept[text] = place
                new.append(text)
        if new:
            records.append(_record(book, new))
            texts.append(SEPARATOR.join(new) if translate else book.text or SEPARATOR.join(new))
    rejects = tuple(reject for book in books for reject in book.rejects)
    if not kept:
        reasons = "".join(f"; {reason}" for reason in (*rejects[:1], *drops[:1]))
        raise CorpusError(f"no tune in {', '.join(book.origin for book in books[:3])}{reasons}")
    return Corpus(tuple(kept), SEPARATOR.join(texts), tuple(records), rejects, tuple(kept.values()), tuple(drops))


def _record(book: Book, tunes: list[str]) -> CorpusRecord:
    return CorpusRecord(
        name=book.name,
        origin=book.origin,
        licence=book.licence,
        tunes=len(tunes),
        characters=len(SEPARATOR.join(tunes)),
        sha256=book.sha256,
    )
