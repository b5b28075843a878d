"""The tunebook of MIT 6.S191 Lab 1, out of the source package of `mitdeeplearning` 0.2.0, which is never imported.

The package holds 817 Irish tunes in one file (MIT licence). It is downloaded through pip once, checked against its
SHA-256, and the tunebook kept in `corpora/`.
"""

import io
import re
import tarfile
from pathlib import Path

from training import atomic_file
from training.corpora import pip_download, tunebook
from training.corpora.book import SEPARATOR, Book
from training.errors import CorpusError

NAME = "irish"
ORIGIN = "irish.abc of mitdeeplearning 0.2.0 (MIT 6.S191, Lab 1)"
LICENCE = "MIT"
REQUIREMENT = "mitdeeplearning==0.2.0"
PACKAGE_SHA256 = "6713b8a30b66021c3e42587196cc2fd29cfeb22cb7309605a1d5715a00068306"
MEMBER = "mitdeeplearning-0.2.0/mitdeeplearning/data/irish.abc"
TUNEBOOK_SHA256 = "df3782d5f7b5a2f4c66aa7c13f13008d5f48757b3f5f51620cd6c1ceb2c53023"
CACHE = Path(__file__).parents[2] / "corpora"

_SNIPPET = re.compile(
    r"(?=(^|\n\n)(.*?)\n\n)", re.DOTALL
)  # the lookahead finds overlapping matches too, as the lab does


def extract_song_snippets(text: str) -> list[str]:
    """The lab's own splitting (`mitdeeplearning.lab1.extract_song_snippet`): 817 songs, a few of them twice."""
    return [match[2] for match in _SNIPPET.finditer(text)]


def load_text(cache: Path = CACHE) -> str:
    """The tunebook's text, from the cache or else from the package registry.

    Raises:
        CorpusError: it is not there and cannot be downloaded, or what came is not the file that it should be.
    """
    path = cache / "irish.abc"
    if not path.exists() or pip_download.sha256(path.read_bytes()) != TUNEBOOK_SHA256:
        content = content_of(pip_download.download(REQUIREMENT, "--use-pep517", "--no-binary", ":all:"), REQUIREMENT)
        cache.mkdir(parents=True, exist_ok=True)
        atomic_file.write(path, content)
    return path.read_text("utf-8")


def content_of(content: bytes, name: str) -> bytes:
    """irish.abc's bytes out of the source package of that name.

    Raises:
        CorpusError: the package is not the one that this code knows.
    """
    digest = pip_download.sha256(content)
    if digest != PACKAGE_SHA256:
        raise CorpusError(f"{name}: SHA-256 {digest} is not the expected {PACKAGE_SHA256}")
    with tarfile.open(fileobj=io.BytesIO(content)) as archive:
        member = archive.extractfile(MEMBER)
        if member is None:
            raise CorpusError(f"{name}: {MEMBER} is not a file")
        return member.read()


def open_book() -> Book:
    """The lab's tunebook; its songs joined as the lab joins them are the text.

    Raises:
        CorpusError: see `load_text`.
    """
    text = load_text()
    found = tunebook.parse(text, "irish.abc")
    songs = SEPARATOR.join(extract_song_snippets(text))
    return Book(NAME, ORIGIN, LICENCE, pip_download.sha256(text.encode()), found.tunes, found.rejects, text=songs)
