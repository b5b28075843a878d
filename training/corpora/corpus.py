"""The tunes that a run learns from, with what must be said of them: origin, licence, counts and hash."""

import json
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from typing import Any, Self

from model_store.manifest import CorpusRecord
from model_store.vocabulary import Vocabulary
from training.corpora import corpora, families
from training.corpora.book import SEPARATOR, Book
from training.corpora.families import VALIDATION_FROM
from training.corpora.split import Split, split
from training.corpora.tunebook import Reject
from training.dialect import dialect
from training.errors import CorpusError, DialectError

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
    `extra_books` are the names of those that are learnt from only; the tunes of each book stand together, in order.
    """

    tunes: tuple[str, ...]
    text: str
    records: tuple[CorpusRecord, ...]
    rejects: tuple[Reject, ...] = ()
    places: tuple[float, ...] = ()
    drops: tuple[Drop, ...] = ()
    extra_books: tuple[str, ...] = ()

    @property
    def extras(self) -> frozenset[str]:
        """The tunes of the extra books."""
        if not self.extra_books:
            return frozenset()
        return frozenset(t for t, name in zip(self.tunes, self._books(), strict=True) if name in self.extra_books)

    def without_extras(self, tunes: Iterable[str]) -> list[str]:
        """The tunes among these that are not of extra books."""
        extras = self.extras
        return [tune for tune in tunes if tune not in extras]

    def _books(self) -> list[str]:
        """The name of each tune's book."""
        return [record.name for record in self.records for _ in range(record.tunes)]

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

    def within(self, vocabulary: Vocabulary) -> Self:
        """Without the tunes that these characters cannot write; those are told with what was left out.

        Raises:
            CorpusError: none is left.
        """
        known = frozenset(vocabulary.characters)
        names = self._books()
        drops = [
            Drop(name, tune, f"the model cannot write {', '.join(map(repr, sorted(set(tune) - known)))}")
            for name, tune in zip(names, self.tunes, strict=True)
            if not known.issuperset(tune)
        ]
        left = [number for number, tune in enumerate(self.tunes) if known.issuperset(tune)]
        if not left:
            raise CorpusError(f"no tune that the model can write; the first one: {drops[0]}")
        if not drops:
            return self
        by_book = {record.name: [self.tunes[n] for n in left if names[n] == record.name] for record in self.records}
        records = [
            record.model_copy(update={"tunes": len(by_book[record.name]), "characters": _size(by_book[record.name])})
            for record in self.records
            if by_book[record.name]
        ]
        return replace(
            self,
            tunes=tuple(self.tunes[number] for number in left),
            text=SEPARATOR.join(self.tunes[number] for number in left),
            records=tuple(records),
            places=tuple(self.places[number] for number in left) if self.places else (),
            drops=(*self.drops, *drops),
        )

    def to_json(self) -> bytes:
        """Tunes, text, places and records; what was left out is left out here too."""
        values = {
            "tunes": self.tunes,
            "text": self.text,
            "places": self.places,
            "records": [record.model_dump() for record in self.records],
            "extra_books": self.extra_books,
        }
        return json.dumps(values, ensure_ascii=False).encode()

    @classmethod
    def from_json(cls, content: bytes) -> Self:
        """The inverse of `to_json`."""
        values: dict[str, Any] = json.loads(content)
        records = tuple(CorpusRecord(**record) for record in values["records"])
        places, extra = tuple(values.get("places", ())), tuple(values.get("extra_books", ()))
        return cls(tuple(values["tunes"]), values["text"], records, places=places, extra_books=extra)


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
    extra = tuple(book.name for book in books if book.is_extra)
    return Corpus(
        tuple(kept), SEPARATOR.join(texts), tuple(records), rejects, tuple(kept.values()), tuple(drops), extra
    )


def _record(book: Book, tunes: list[str]) -> CorpusRecord:
    return CorpusRecord(
        name=book.name,
        origin=book.origin,
        licence=book.licence,
        tunes=len(tunes),
        characters=_size(tunes),
        sha256=book.sha256,
    )


def _size(tunes: list[str]) -> int:
    return len(SEPARATOR.join(tunes))
