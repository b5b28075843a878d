"""The formats that a tune can be rendered to, each with its media type and what makes it."""

import re
import unicodedata
from dataclasses import dataclass
from enum import StrEnum
from urllib.parse import quote

_UNSAFE = re.compile(r'[\x00-\x1f\x7f"\\/:*?<>|%]+')
_MAX_CHARACTERS = 80


class Kind(StrEnum):
    """What makes a format."""

    SOUND = "sound"
    MIDI = "midi"
    SCORE = "score"


@dataclass(frozen=True)
class _Facts:
    media_type: str
    extension: str
    kind: Kind
    grows: bool = False
    """whether its bytes are final as they are made, so that they can be sent before the last"""


class Format(StrEnum):
    """A format, by the name that requests use."""

    WAV = "wav"
    MP3 = "mp3"
    OGG = "ogg"
    FLAC = "flac"
    MIDI = "midi"
    SVG = "svg"
    PNG = "png"
    PDF = "pdf"
    MUSICXML = "musicxml"
    ABC = "abc"

    @property
    def media_type(self) -> str:
        return _FACTS[self].media_type

    @property
    def extension(self) -> str:
        return _FACTS[self].extension

    @property
    def kind(self) -> Kind:
        return _FACTS[self].kind

    @property
    def grows(self) -> bool:
        return _FACTS[self].grows


_FACTS = {
    Format.WAV: _Facts("audio/wav", "wav", Kind.SOUND, grows=True),
    Format.MP3: _Facts("audio/mpeg", "mp3", Kind.SOUND, grows=True),
    Format.OGG: _Facts("audio/ogg", "ogg", Kind.SOUND, grows=True),
    Format.FLAC: _Facts("audio/flac", "flac", Kind.SOUND),  # its first block has a hash of all samples
    Format.MIDI: _Facts("audio/midi", "mid", Kind.MIDI),
    Format.SVG: _Facts("image/svg+xml", "svg", Kind.SCORE),
    Format.PNG: _Facts("image/png", "png", Kind.SCORE),
    Format.PDF: _Facts("application/pdf", "pdf", Kind.SCORE),
    Format.MUSICXML: _Facts("application/vnd.recordare.musicxml+xml", "musicxml", Kind.SCORE),
    Format.ABC: _Facts("text/vnd.abc", "abc", Kind.SCORE),
}


def file_name(title: str | None, extension: str, again: int = 1) -> str:
    """A file name made of a title: never a path, never a control character.

    Args:
        again: the how many-th file of the same name it is.
    """
    name = "".join(c for c in title or "" if unicodedata.category(c)[0] != "C")
    name = " ".join(_UNSAFE.sub(" ", name).split())[:_MAX_CHARACTERS].strip(" .") or "tune"
    return f"{name} ({again}).{extension}" if again > 1 else f"{name}.{extension}"


def disposition(title: str | None, extension: str) -> str:
    """A Content-Disposition with a file name made of a title (RFC 6266)."""
    full = file_name(title, extension)
    plain = unicodedata.normalize("NFKD", full).encode("ascii", "ignore").decode().strip()
    plain = plain if not plain.startswith(".") else f"tune.{extension}"
    extended = "" if plain == full else f"; filename*=UTF-8''{quote(full, safe='')}"
    return f'inline; filename="{plain}"{extended}'
