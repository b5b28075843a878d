"""Indexes the tunes that a run learnt from, so that the service can tell a new tune from a copy."""

import re
from collections.abc import Collection

from app.abc.fingerprint import melody
from app.abc.tunebook import FIELD
from app.abc.written_subset import FIELD_ORDER
from model_store.tune_index import IndexedTune, TuneIndex
from training.corpora.corpus import Corpus
from training.dialect import dialect
from training.errors import DialectError
from training.learning.run_folder import RunFolder


def index_of(run: RunFolder) -> TuneIndex:
    """The index of a run's training tunes, held-out ones left out unless it learnt from the whole text."""
    return index(run.corpus(), learnt_tunes(run))


def learnt_tunes(run: RunFolder) -> Collection[str]:
    """The tunes that a run learnt from."""
    corpus = run.corpus()
    return corpus.sides.train if run.config().learn_from == "train" else corpus.tunes


def index(corpus: Corpus, learnt: Collection[str]) -> TuneIndex:
    """The index of those tunes of a corpus that were learnt from."""
    chosen = set(learnt)
    books = [record.name for record in corpus.records for _ in range(record.tunes)]
    return TuneIndex.of([indexed(tune, book) for tune, book in zip(corpus.tunes, books, strict=True) if tune in chosen])


def indexed(tune: str, book: str) -> IndexedTune:
    """One tune of a book, in plain ABC where it can be said so."""
    abc = _plain(tune)
    bars = tuple((bar.shape, bar.high, bar.number) for bar in melody(abc))
    return IndexedTune(abc, book, bars)


def _plain(tune: str) -> str:
    """The tune in plain ABC; where it cannot be said so, its notes and the fields that plain ABC has."""
    try:
        return dialect.translate(tune)
    except DialectError:
        fields: dict[str, str] = {}
        lines: list[str] = []
        for line in tune.split("\n"):
            match = FIELD.match(line)
            if match and "K" not in fields and match[1] in FIELD_ORDER:
                fields.setdefault(match[1], f"{match[1]}:{match[2].strip()}")
            elif not match and "K" in fields and not line.startswith("%"):
                lines.append(re.sub(r"%.*", "", line))
        return "\n".join([*(fields[name] for name in FIELD_ORDER if name in fields), *lines])
