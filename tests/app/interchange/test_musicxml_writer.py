"""Scores as MusicXML, where a bar's voices are laid over one another and some hold nothing."""

from xml.etree import ElementTree

import pytest

from app.abc.reader import read
from app.interchange import musicxml_writer


@pytest.mark.parametrize(
    ("bars", "notes", "backups"),
    [
        ("CDEF GABc&|c8|", 9, 0),
        ("CDEF GABc&&c8|", 9, 1),
        ("&CDEF GABc|", 8, 0),
        ("C8&c8|C8&|C8&c8|", 5, 2),
    ],
)
def test_an_overlay_without_notes_is_left_out(bars: str, notes: int, backups: int) -> None:
    score = ElementTree.fromstring(musicxml_writer.write(read(f"X:1\nM:4/4\nL:1/8\nK:C\n{bars}\n")))  # noqa: S314
    assert len(list(score.iter("note"))) == notes
    assert len(list(score.iter("backup"))) == backups
