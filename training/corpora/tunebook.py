"""Reads files of ABC, MusicXML and MIDI into tunes, and says which blocks are not tunes, and why."""

from collections.abc import Iterator
from dataclasses import dataclass
from glob import glob
from pathlib import Path

from app.abc.tunebook import FIELD, has_notes
from app.errors import LiltError
from app.interchange import abc_from_file
from training.errors import CorpusError

SUFFIXES = (".abc", ".txt", ".musicxml", ".mxl", ".mid", ".midi")


@dataclass(frozen=True)
class Reject:
    """A block of lines that is not a tune; `line` is where it begins, 1-based."""

    file: str
    line: int
    reason: str

    def __str__(self) -> str:
        return f"{self.file}:{self.line}: {self.reason}"


@dataclass(frozen=True)
class Tunebook:
    """The tunes of one file, in order, each with Unix line ends and no blank line at either end."""

    file: str
    encoding: str
    tunes: tuple[str, ...]
    rejects: tuple[Reject, ...]


def find_files(patterns: list[str]) -> list[Path]:
    """The files that paths, folders (searched for SUFFIXES) and globs name, each once, in order.

    Raises:
        CorpusError: one of them names nothing.
    """
    found: dict[Path, None] = {}
    for pattern in patterns:
        path = Path(pattern).expanduser()
        if path.is_dir():
            files = sorted(file for file in path.rglob("*") if file.suffix.lower() in SUFFIXES and file.is_file())
            missing = f"{pattern}: no {', '.join(SUFFIXES)} file in this folder"
        elif path.is_file():
            files, missing = [path], ""
        else:
            files = sorted(file for match in glob(pattern, recursive=True) if (file := Path(match)).is_file())  # noqa: PTH207
            missing = f"{pattern}: no such file, and no file that fits it as a pattern"
        if not files:
            raise CorpusError(missing)
        found |= dict.fromkeys(files)
    return list(found)


def read(path: Path) -> Tunebook:
    """One file's tunes, ABC in UTF-8, or Latin-1 where it is not; or the one of MusicXML or MIDI.

    Raises:
        CorpusError: the file cannot be read, or is no text.
    """
    try:
        content = path.read_bytes()
    except OSError as error:
        raise CorpusError(f"{path}: {error.strerror}") from None
    if abc_from_file.kind_of(content) is not None:
        return _imported(content, path)
    if b"\0" in content:
        raise CorpusError(f"{path}: not a text file (it holds zero bytes)")
    try:
        text, encoding = content.decode("utf-8-sig"), "utf-8"
    except UnicodeDecodeError:
        text, encoding = content.decode("latin-1"), "latin-1"
    return parse(text, str(path), encoding)


def _imported(content: bytes, path: Path) -> Tunebook:
    """The tune that is made of MusicXML or MIDI; of a file that none can be made of, why."""
    try:
        found = abc_from_file.to_abc(content, path.name)
    except LiltError as error:
        return Tunebook(str(path), "utf-8", (), (Reject(str(path), 1, str(error)),))
    return parse(found.abc, str(path))


def parse(text: str, file: str, encoding: str = "utf-8") -> Tunebook:
    """A text's tunes: blocks of lines, parted by blank ones, that have `X:`, `K:` and notes (ABC 2.1, section 2.2)."""
    tunes, rejects = [], []
    for line, block in _blocks(text.replace("\r\n", "\n").replace("\r", "\n")):
        reason = _fault(block)
        if reason is None:
            tunes.append(block)
        elif reason:
            rejects.append(Reject(file, line, reason))
    return Tunebook(file, encoding, tuple(tunes), tuple(rejects))


def _blocks(text: str) -> Iterator[tuple[int, str]]:
    lines: list[str] = []
    for number, line in enumerate([*text.split("\n"), ""], 1):
        if line.strip():
            lines.append(line.rstrip())
        elif lines:
            yield number - len(lines), "\n".join(lines)
            lines = []


def _fault(block: str) -> str | None:
    """Why a block is not a tune; None if it is one, empty if it is a comment or file header that nobody misses."""
    lines = [line for line in block.split("\n") if not line.startswith("%")]
    fields = {line[0]: number for number, line in reversed(list(enumerate(lines))) if FIELD.match(line)}
    if not lines or (not {"X", "K"} & fields.keys() and len(fields) and all(FIELD.match(line) for line in lines)):
        return ""
    if "X" not in fields:
        return "no X: field"
    if fields["X"] != 0:
        return f"X: is not its first line (that is {lines[0][:20]!r})"
    if "K" not in fields:
        return "no K: field"
    if not any(has_notes(line) for line in lines[fields["K"] + 1 :] if not FIELD.match(line)):
        return "no notes after K:"
    return None
