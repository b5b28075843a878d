"""Opens the books that a command line names: `lab`, `oneills`, `ryans`, `thesession:FILE`, an ABC file, or a folder."""

from collections.abc import Callable
from functools import partial
from pathlib import Path

from training.corpora import lab_corpus, music21_corpora, pip_download, thesession, tunebook
from training.corpora.book import Book

NAMED: dict[str, Callable[[], Book]] = {
    "lab": lab_corpus.open_book,
    **{source.name: partial(music21_corpora.open_book, source) for source in music21_corpora.SOURCES},
}
"""In order of precedence: what a corpus of several says of a tune's side, the first of them says."""

THESESSION = "thesession:"
DEFAULT = ("lab",)


def open_books(names: list[str]) -> list[Book]:
    """The books, the named ones first; a folder is one book, however many files it has.

    Raises:
        CorpusError: one of them is missing, unreadable or not what it should be.
    """
    wanted = list(dict.fromkeys(names or DEFAULT))
    books = [NAMED[name]() for name in NAMED if name in wanted]
    dumps = [name.removeprefix(THESESSION) for name in wanted if name.startswith(THESESSION)]
    books += [thesession.open_book(Path(path).expanduser()) for path in dumps]
    patterns = [name for name in wanted if name not in NAMED and not name.startswith(THESESSION)]
    seen: set[Path] = set()  # a file is read once, though a folder and a pattern name it
    for pattern in patterns:
        files = [file for file in tunebook.find_files([pattern]) if file.resolve() not in seen]
        seen |= {file.resolve() for file in files}
        folder = Path(pattern).expanduser()
        books += [_open_folder(folder, files)] if folder.is_dir() and files else map(_open_file, files)
    return books


def argument(name: str, origin: str) -> str:
    """What to write on the command line for a book of that name and origin."""
    if name == lab_corpus.NAME:
        return "lab"
    file = origin.split(",")[0]
    return name if name in NAMED else f"{THESESSION}{file}" if name == thesession.NAME else file


def _open_folder(folder: Path, files: list[Path]) -> Book:
    found = [tunebook.read(file) for file in files]
    digest = pip_download.sha256(b"".join(pip_download.sha256(file.read_bytes()).encode() for file in files))
    tunes = tuple(tune for each in found for tune in each.tunes)
    rejects = tuple(reject for each in found for reject in each.rejects)
    name = folder.resolve().name
    return Book(name, f"{name}, a folder of {len(files)} files", "not stated", digest, tunes, rejects)


def _open_file(file: Path) -> Book:
    found = tunebook.read(file)
    digest = pip_download.sha256(file.read_bytes())
    return Book(file.stem, file.name, "not stated", digest, found.tunes, found.rejects)
