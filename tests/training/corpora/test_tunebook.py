"""Tunebooks of any kind are read, and what is not a tune is told."""

from pathlib import Path

import pytest

from training.corpora import corpus, tunebook
from training.errors import CorpusError

TUNE = "X:1\nT:Caf\u00e9\nK:D\nABcd|"


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "latin-1"])
@pytest.mark.parametrize("line_end", ["\n", "\r\n", "\r"])
def test_encodings_and_line_ends(tmp_path: Path, encoding: str, line_end: str) -> None:
    file = tmp_path / "book.abc"
    file.write_bytes(TUNE.replace("\n", line_end).encode(encoding))
    assert tunebook.read(file).tunes == (TUNE,)


@pytest.mark.parametrize(
    ("block", "reason"),
    [
        ("T:No number\nK:D\nABcd|", "no X: field"),
        ("X:1\nT:No key\nABcd|", "no K: field"),
        ("X:1\nT:No notes\nK:D", "no notes after K:"),
        ("T:Late\nX:1\nK:D\nABcd|", "X: is not its first line (that is 'T:Late')"),
        ("Some words about the tunes.", "no X: field"),
    ],
)
def test_a_block_that_is_no_tune_is_told_with_its_line(block: str, reason: str) -> None:
    book = tunebook.parse(f"{TUNE}\n\n\n{block}\n\n{TUNE}", "book.abc")
    assert book.tunes == (TUNE, TUNE)
    assert [str(reject) for reject in book.rejects] == [f"book.abc:7: {reason}"]


def test_comments_and_file_headers_are_not_complained_of() -> None:
    assert tunebook.parse(f"%abc-2.1\nM:4/4\nR:reel\n\n% by hand\n\n{TUNE}\n", "book.abc").rejects == ()


def test_files_folders_and_globs_are_found_once(tmp_path: Path) -> None:
    for name in ("a.abc", "b.ABC", "sub/c.txt", "notes.md"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(TUNE)
    names = [file.name for file in tunebook.find_files([str(tmp_path), str(tmp_path / "*.abc")])]
    assert names == ["a.abc", "b.ABC", "c.txt"]


def test_the_same_tune_in_two_files_is_kept_once(tmp_path: Path) -> None:
    (tmp_path / "a.abc").write_text(TUNE)
    (tmp_path / "b.abc").write_text(TUNE + "\n\nX:2\nK:G\nGABc|\n")
    merged = corpus.load([str(tmp_path / "a.abc"), str(tmp_path / "b.abc")])
    assert len(merged.tunes) == 2
    assert [(record.name, record.tunes) for record in merged.records] == [("a", 1), ("b", 1)]


@pytest.mark.parametrize(
    ("content", "message"),
    [(b"\0\1\2", "not a text file"), (b"no tune here", "no tune in .*no X: field"), (b"", "no tune in")],
)
def test_a_file_without_tunes_is_refused(tmp_path: Path, content: bytes, message: str) -> None:
    file = tmp_path / "book.abc"
    file.write_bytes(content)
    with pytest.raises(CorpusError, match=message):
        corpus.load([str(file)])


def test_a_folder_without_tunebooks_is_refused(tmp_path: Path) -> None:
    with pytest.raises(CorpusError, match=r"no \.abc, \.txt, \.musicxml, \.mxl, \.mid, \.midi file in this folder"):
        corpus.load([str(tmp_path)])
