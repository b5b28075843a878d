"""What a sound file says of its tune to whoever plays it: title and composer, as plain text of one line."""

import unicodedata
from dataclasses import dataclass
from typing import Self

from app.abc.score import Score

_MAX_CHARACTERS = 200
_UTF8 = b"\x03"  # ID3's name for it


@dataclass(frozen=True)
class Tags:
    """None where a tune does not say."""

    title: str | None = None
    composer: str | None = None

    @classmethod
    def of(cls, scores: list[Score]) -> Self:
        """Those of a tune, or of all in a set."""
        titles = [next(iter(score.titles), "") for score in scores]
        composers = dict.fromkeys(score.composer or "" for score in scores)
        return cls(_line(" / ".join(filter(None, titles))), _line(" / ".join(filter(None, composers))))


def _line(text: str) -> str | None:
    """Without what is no character to be shown: controls, line ends, halves of a pair."""
    plain = "".join(" " if unicodedata.category(character)[0] in "CZ" else character for character in text)
    return " ".join(plain.split())[:_MAX_CHARACTERS].strip() or None


def id3(tags: Tags) -> bytes:
    """What stands before an MP3's first frame; nothing where there is nothing to say (ID3 2.4, section 3 and 4)."""
    frames = b"".join(
        _frame(name, text) for name, text in ((b"TIT2", tags.title), (b"TCOM", tags.composer)) if text is not None
    )
    return b"ID3\x04\x00\x00" + _size(len(frames)) + frames if frames else b""


def _frame(name: bytes, text: str) -> bytes:
    content = _UTF8 + text.encode()
    return name + _size(len(content)) + b"\0\0" + content


def _size(number: int) -> bytes:
    """Four bytes of seven bits each, so that no decoder takes them for the beginning of a frame."""
    return bytes(number >> shift & 0x7F for shift in (21, 14, 7, 0))
