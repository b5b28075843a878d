"""Reports on a corpus: tunes read, kept, dropped and why; how many are clean; near-duplicates across the split."""

import sys
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from tqdm import tqdm  # type: ignore[import-untyped]

from training.corpora import corpora, corpus, families
from training.corpora.book import Book
from training.corpora.corpus import Corpus
from training.evaluation.abc2midi_check import complaints_of

_NAMED = 20
"""blocks that are no tunes: so many are named, the rest counted"""


@dataclass(frozen=True)
class BookReport:
    """What became of one book; clean is a tune of which abc2midi says nothing at all."""

    name: str
    origin: str
    licence: str
    sha256: str
    read: int
    clean_as_found: int
    kept: int
    characters: int  # of the kept tunes, translated
    clean_translated: int
    dropped: dict[str, int]  # reason: tunes


@dataclass(frozen=True)
class Duplicates:
    """Pairs of tunes that are alike, and those of them that lie on two sides of the split: sides: pairs."""

    pairs: int
    across_by_notes_and_title: dict[str, int]  # if only the same notes, titles and sources were kept together
    across: dict[str, int]
    moved: tuple[str, ...]  # tunes of the first book that lie elsewhere because of it


@dataclass(frozen=True)
class CorpusReport:
    """Statistics of a corpus: its books, duplicates, split and vocabulary."""

    books: tuple[BookReport, ...]
    not_tunes: tuple[str, ...]
    left_out: tuple[str, ...]
    split: dict[str, int]  # side: kept tunes
    duplicates: Duplicates
    vocabulary_as_found: str
    vocabulary: str

    def to_json(self) -> dict[str, Any]:
        return asdict(self)


def report(names: list[str]) -> CorpusReport:
    """The report on the books that are named, or on the lab's.

    Raises:
        CorpusError: a book is missing or unreadable.
        ConfigError: abc2midi is not installed.
    """
    return report_on(corpora.open_books(names))


def report_on(books: list[Book]) -> CorpusReport:
    """The report on some books; a bar on stderr says how far it is."""
    found = corpus.merge(books)
    kept = corpus.merge(books, translate=True, watch=_watch("translate"))
    sides = kept.sides
    return CorpusReport(
        books=tuple(_describe(book, kept) for book in books),
        not_tunes=tuple(map(str, kept.rejects)),
        left_out=tuple(map(str, kept.drops)),
        split={"train": len(sides.train), "validation": len(sides.validation), "test": len(sides.test)},
        duplicates=_find_duplicates(books),
        vocabulary_as_found=found.vocabulary.characters,
        vocabulary=kept.vocabulary.characters,
    )


def _describe(book: Book, kept: Corpus) -> BookReport:
    tunes = _tunes_of(book, kept)
    return BookReport(
        name=book.name,
        origin=book.origin,
        licence=book.licence,
        sha256=book.sha256,
        read=len(book.tunes),
        clean_as_found=_count_clean(book.tunes, f"{book.name}, as found"),
        kept=len(tunes),
        characters=sum(map(len, tunes)),
        clean_translated=_count_clean(tunes, f"{book.name}, translated"),
        dropped=dict(Counter(drop.reason for drop in kept.drops if drop.book == book.name).most_common()),
    )


def _tunes_of(book: Book, kept: Corpus) -> tuple[str, ...]:
    """The kept tunes of a book: a corpus holds its books' tunes in the order of its records."""
    begin = 0
    for record in kept.records:
        if (record.name, record.sha256) == (book.name, book.sha256):
            return kept.tunes[begin : begin + record.tunes]
        begin += record.tunes
    return ()


def _count_clean(tunes: Sequence[str], what: str) -> int:
    return sum(not complaints for complaints in complaints_of(_watch(what)(tunes)))


def _find_duplicates(books: list[Book]) -> Duplicates:
    tunes, kin = [book.tunes for book in books], [book.kin for book in books]
    akin, alike = list(families.akin_pairs(tunes, kin)), list(families.melody_pairs(tunes, kin))
    before, after = families.place(tunes, akin), families.place(tunes, [*akin, *alike])
    moved = [
        f"{_title(tune)}: {families.side(old)} → {families.side(new)}"
        for tune, old, new in zip(books[0].tunes, before, after, strict=False)
        if old is not None and new is not None and families.side(old) != families.side(new)
    ]
    return Duplicates(len(alike), _across(alike, before), _across(alike, after), tuple(moved))


def _across(pairs: list[tuple[int, int]], places: list[float | None]) -> dict[str, int]:
    counts: Counter[str] = Counter()
    for pair in pairs:
        sides = {families.side(place) for index in pair if (place := places[index]) is not None}
        if len(sides) > 1:
            counts[" and ".join(sorted(sides))] += 1
    return dict(counts.most_common())


def _title(tune: str) -> str:
    return next((line[2:].strip() for line in tune.split("\n") if line.startswith("T:")), tune.split("\n")[0])


def _watch(what: str) -> corpus.Watch:
    """A progress bar around tunes."""

    def watch(tunes: Iterable[str]) -> Iterable[str]:
        interval_s = 0.1 if sys.stderr.isatty() else 10.0
        watched: Iterable[str] = tqdm(tunes, desc=what, unit="tune", leave=False, mininterval=interval_s)
        return watched

    return watch


def to_text(found: CorpusReport) -> str:
    """The report for people; the tunes that were left out are counted here, and listed in the JSON, as is all of
    `not_tunes`."""
    lines = []
    for book in found.books:
        lines += [
            f"{book.name}: {book.origin}",
            f"  licence: {book.licence}",
            f"  SHA-256: {book.sha256}",
            f"  {book.read} tunes read, {book.kept} kept{_share(book.kept, book.read)}, {book.characters:,} characters",
            f"  clean for abc2midi: {book.clean_as_found} as found{_share(book.clean_as_found, book.read)}, "
            f"{book.clean_translated} of the kept, translated{_share(book.clean_translated, book.kept)}",
            *(f"  dropped {count:4}: {reason}" for reason, count in book.dropped.items()),
        ]
    duplicates = found.duplicates
    lines += [
        f"all: {sum(book.read for book in found.books)} read, {sum(book.kept for book in found.books)} kept, "
        f"{len(found.not_tunes)} blocks that are no tunes",
        *(f"  not a tune: {block}" for block in found.not_tunes[:_NAMED]),
        *([f"  and {len(found.not_tunes) - _NAMED} more, which --json lists"] if len(found.not_tunes) > _NAMED else []),
        "split: " + ", ".join(f"{count} {side}" for side, count in found.split.items()),
        f"pairs of alike tunes: {duplicates.pairs}",
        f"  across the split by notes and title alone: {_listed(duplicates.across_by_notes_and_title)}",
        f"  across the split by melody too: {_listed(duplicates.across)}",
        *(f"  moved: {moved}" for moved in duplicates.moved),
        f"vocabulary: {len(found.vocabulary_as_found)} characters as found, {len(found.vocabulary)} translated: "
        f"{found.vocabulary!r}",
    ]
    return "\n".join(lines)


def _share(part: int, whole: int) -> str:
    return f" ({part / whole:.1%})" if whole else ""


def _listed(counts: dict[str, int]) -> str:
    return ", ".join(f"{count} ({what})" for what, count in counts.items()) or "none"
