"""The letters that stand for decorations: the standard's, and a tune's own by `U:` (ABC 2.1, 4.14 and 4.16)."""

from collections.abc import Iterable

from app.abc.fields import parse_symbol

_NOTHING = frozenset({"nothing", "nil", "none"})
_STANDARD = {
    ".": "staccato", "~": "roll", "H": "fermata", "J": "slide", "L": "accent", "M": "lowermordent", "O": "coda",
    "P": "uppermordent", "S": "segno", "T": "trill", "u": "upbow", "v": "downbow",
}  # fmt: skip


class Symbols:
    """Those of a tune, as far as it has been read."""

    def __init__(self, definitions: Iterable[str]) -> None:
        self._own: dict[str, str] = {}
        for definition in definitions:
            self.define(definition)

    def define(self, text: str) -> None:
        """Take what a `U:` field says."""
        if symbol := parse_symbol(text):
            letter, meant = symbol
            self._own[letter] = "" if meant in _NOTHING else meant

    def meaning(self, letter: str) -> str | None:
        """The decoration that a letter stands for, or an annotation in quotes; empty where it stands for nothing."""
        return self._own.get(letter, _STANDARD.get(letter))
