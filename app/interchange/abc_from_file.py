"""Makes ABC of what other programs save, told by its first bytes: MusicXML, packed or not, and Standard MIDI Files."""

import re
from dataclasses import dataclass, replace
from enum import StrEnum
from pathlib import PurePath

from app.abc import score_writer
from app.abc.fields import SHORT_TEXT
from app.abc.texts import on_one_line
from app.errors import MediaTypeError
from app.interchange import midi_reader, musicxml_document, musicxml_reader
from app.interchange.import_report import ImportReport

SUFFIXES = (".mid", ".midi", ".musicxml", ".mxl", ".xml")
_ABC_FIELD = re.compile(rb"^\s*[XTKM]:", re.MULTILINE)
_UNTITLED = "Untitled"
_LOOKED_AT = 4096


class Kind(StrEnum):
    """What is read beside ABC."""

    MUSICXML = "musicxml"
    MIDI = "midi"


@dataclass(frozen=True)
class Imported:
    """A tune that was made of a file, and what of the file is not in it."""

    abc: str
    kind: Kind
    title: str | None
    left_out: tuple[str, ...]


def kind_of(content: bytes) -> Kind | None:
    """What a file is, by its first bytes; None for anything that is not imported."""
    if content.startswith(midi_reader.MAGIC):
        return Kind.MIDI
    return Kind.MUSICXML if musicxml_document.is_musicxml(content) else None


def to_abc(content: bytes, name: str = "") -> Imported:
    """The tune in a file, as ABC.

    Args:
        content: MusicXML, packed or not, or MIDI.
        name: the file's, which is the tune's title where the file has none.

    Raises:
        MediaTypeError: it is neither.
        NotationError: it is broken, has no notes, or holds more than is allowed.
    """
    kind = kind_of(content)
    if kind is None:
        is_abc = _ABC_FIELD.search(content[:_LOOKED_AT]) is not None
        found = "this seems to be ABC already" if is_abc else "this is neither"
        raise MediaTypeError(f"send MusicXML (.musicxml, .mxl) or MIDI (.mid); {found}")
    report = ImportReport()
    read = musicxml_reader.read if kind is Kind.MUSICXML else midi_reader.read
    score = read(content, report)
    titles = tuple(filter(None, map(on_one_line, score.titles)))
    score = replace(score, titles=titles or (on_one_line(PurePath(name).stem[:SHORT_TEXT]) or _UNTITLED,))
    return Imported(score_writer.write(score), kind, next(iter(score.titles), None), report.left_out)
