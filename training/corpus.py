"""The tunes that a run learns from, with what must be said of them: origin, licence, counts and hash."""

import hashlib
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

from model_store.manifest import CorpusRecord
from model_store.vocabulary import Vocabulary
from training import lab_corpus, tunebook
from training.errors import CorpusError
from training.tunebook import Reject

SEPARATOR = "\n\n"
"""What stands between two tunes, before the first and after the last."""


@dataclass(frozen=True)
class Corpus:
    """Tunes, each different from the others, and the text that they were taken from."""

    tunes: tuple[str, ...]
    text: str
    records: tuple[CorpusRecord, ...]
    rejects: tuple[Reject, ...] = ()

    @property
    def vocabulary(self) -> Vocabulary:
        """The characters of the whole text, held-out tunes included, so that each of them can be scored."""
        return Vocabulary.from_text(SEPARATOR + self.text)

    def to_json(self) -> bytes:
        """Tunes, text and records; the rejects are left out."""
        records = [record.model_dump() for record in self.records]
        return json.dumps({"tunes": self.tunes, "text": self.text, "records": records}, ensure_ascii=False).encode()

    @classmethod
    def from_json(cls, content: bytes) -> Self:
        """The inverse of `to_json`."""
        values: dict[str, Any] = json.loads(content)
        records = tuple(CorpusRecord(**record) for record in values["records"])
        return cls(tuple(values["tunes"]), values["text"], records)


def load(patterns: list[str]) -> Corpus:
    """The tunebooks that paths, folders and globs name, or the lab's tunebook if there are none.

    Raises:
        CorpusError: a file is missing or unreadable, or there is no tune in all of them.
    """
    return _load_files(tunebook.find_files(patterns)) if patterns else _load_lab()


def _load_lab() -> Corpus:
    text = lab_corpus.load_text()
    book = tunebook.parse(text, "irish.abc")
    songs = SEPARATOR.join(lab_corpus.extract_song_snippets(text))
    tunes = tuple(dict.fromkeys(book.tunes))
    record = _record(lab_corpus.NAME, lab_corpus.ORIGIN, lab_corpus.LICENCE, tunes, text.encode())
    return Corpus(tunes, songs, (record,), book.rejects)


def _load_files(files: list[Path]) -> Corpus:
    tunes: dict[str, None] = {}
    records: list[CorpusRecord] = []
    rejects: list[Reject] = []
    for file in files:
        book = tunebook.read(file)
        rejects += book.rejects
        new = tuple(tune for tune in dict.fromkeys(book.tunes) if tune not in tunes)
        tunes |= dict.fromkeys(new)
        if new:
            records.append(_record(file.stem, file.name, "not stated", new, file.read_bytes()))
    if not tunes:
        reasons = f"; {rejects[0]}" if rejects else ""
        raise CorpusError(f"no tune in {', '.join(map(str, files[:3]))}{' …' if len(files) > 3 else ''}{reasons}")
    return Corpus(tuple(tunes), SEPARATOR.join(tunes), tuple(records), tuple(rejects))


def _record(name: str, origin: str, licence: str, tunes: tuple[str, ...], content: bytes) -> CorpusRecord:
    characters = len(SEPARATOR.join(tunes))
    digest = hashlib.sha256(content).hexdigest()
    return CorpusRecord(
        name=name, origin=origin, licence=licence, tunes=len(tunes), characters=characters, sha256=digest
    )
