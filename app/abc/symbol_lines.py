"""Sets the symbols of `s:` lines to notes (ABC standard 2.1, section 4.15)."""

import re

from app.abc.chord_symbols import Harmony
from app.abc.fields import SHORT_TEXT, with_plain_signs
from app.abc.pitch import STEPS
from app.abc.score import Chord
from app.abc.texts import readable
from app.abc.tokens import DECORATION, QUOTED

_PIECES = rf"{QUOTED}|{DECORATION}|[*|\s]"
_PIECE = re.compile(_PIECES)
_WITH_ALTERNATE = re.compile(r"(.*?)\s*(\([A-G][^()]*\))?", re.DOTALL)
"""A chord, and another that may be played in its stead, which is shown alone (section 4.18)."""

_PLAIN = re.compile(rf"(?:{_PIECES})*")


def is_plain(text: str) -> bool:
    """Whether a line holds nothing but decorations, chord symbols, annotations, `*` and `|`."""
    return _PLAIN.fullmatch(text) is not None


def parse_quoted(text: str) -> tuple[str | None, str | None]:
    """What stands between quotation marks: a chord symbol, or an annotation with the sign of its place before it."""
    text = readable(text)[:SHORT_TEXT]
    if text[:1] in tuple(STEPS):
        symbol, alternate = _WITH_ALTERNATE.fullmatch(with_plain_signs(text)).groups()  # type: ignore[union-attr]
        if Harmony.parse(symbol):
            return symbol, f"^{alternate}" if alternate else None
    return None, text if text[:1] in tuple("^_<>@") else f"^{text}" if text else None


def set_symbols(text: str, notes: list[tuple[Chord, int]]) -> None:
    """Set a line's symbols to notes, one each.

    Args:
        text: what the line says; where it is not plain, nothing is set.
        notes: those that may bear one, each with the number of its bar.
    """
    if not is_plain(text):
        return
    at, bar = 0, notes[0][1] if notes else 0
    for piece in _PIECE.findall(text):
        if piece == "|":
            bar += 1
            while at < len(notes) and notes[at][1] < bar:
                at += 1
        elif not piece.isspace() and at < len(notes):
            chord, bar = notes[at]
            at += 1
            _set(chord, piece)


def _set(chord: Chord, piece: str) -> None:
    if piece.startswith('"'):
        symbol, annotation = parse_quoted(piece[1:-1])
        chord.symbol = chord.symbol or symbol
        chord.annotations += (annotation,) if annotation else ()
    elif piece != "*":
        chord.decorations += (piece[1:-1],)
