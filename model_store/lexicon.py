"""A model's lexicon: known titles, whose words its titles are made of, and rhythms with their metres.

A file of a checkpoint, JSON: `{"format": 1, "titles": ["The Sally Gardens", …], "rhythms": {"jig": ["6/8"], …}}`.
Versions that were published without it write free text there. Later ones have in it how titles are joined as well
(`TitleShapes`): `"classes": [["Maid", "Rose"], …]`, `"places": [[[[classes], next place, may end], …], …]` and
`"never": {"Sally": ["Gardens"], …}`; the others join words in any order.
"""

import json
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import chain
from typing import Any, NamedTuple, Self

from model_store.json_file import parse_json

FORMAT = 1


class WordChoice(NamedTuple):
    """Words that may stand at a place."""

    classes: tuple[int, ...]
    place: int
    """of the next word; 0: there is none"""
    may_end: bool
    """whether a title may end with any of them"""


@dataclass(frozen=True)
class TitleShapes:
    """An automaton of titles: classes of words, and what may stand at each place. A title begins at place 0."""

    classes: tuple[tuple[str, ...], ...]
    places: tuple[tuple[WordChoice, ...], ...]
    """each leads to later ones"""
    never: Mapping[str, tuple[str, ...]]
    """words that never follow this one, as a known title ends so"""

    @classmethod
    def read(cls, classes: list[list[str]], places: list[list[list[Any]]], never: Mapping[str, list[str]]) -> Self:
        """What `Lexicon.to_bytes` wrote of it.

        Raises:
            ValueError, TypeError: it is not that.
        """
        read = tuple(tuple(WordChoice(tuple(numbers), at, end) for numbers, at, end in place) for place in places)
        for number, choice in ((number, choice) for number, place in enumerate(read) for choice in place):
            if choice.place and not number < choice.place < len(read):
                raise ValueError(f"place {number} of its titles leads to {choice.place}")
            if not all(0 <= each < len(classes) for each in choice.classes):
                raise ValueError(f"place {number} of its titles names words that are not there")
        if max(Counter(chain(*classes)).values()) > 1:
            raise ValueError("a word of its titles is of two classes")
        return cls(tuple(map(tuple, classes)), read, {word: tuple(ends) for word, ends in never.items()})


@dataclass(frozen=True)
class Lexicon:
    """Known titles, sorted; for each rhythm the metres that it may be in; and how words of titles are joined."""

    titles: tuple[str, ...]
    rhythms: Mapping[str, tuple[str, ...]]
    shapes: TitleShapes | None = None

    @classmethod
    def parse(cls, content: bytes, label: str) -> Self:
        """Read a file.

        Args:
            label: the file's name, for errors.

        Raises:
            NewerFormatError: it is in a later format.
            InvalidCheckpointError: it is not such a file.
        """
        return parse_json(content, label, "a lexicon", FORMAT, cls._read)

    @classmethod
    def _read(cls, raw: dict[str, Any]) -> Self:
        titles, rhythms = raw["titles"], raw["rhythms"].items()
        classes = raw.get("classes", [])
        words = [*titles, *(word for rhythm, meters in rhythms for word in (rhythm, *meters)), *chain(*classes)]
        if not all(isinstance(word, str) and word for word in words):
            raise ValueError("its titles, rhythms, metres and words must be texts")
        shapes = TitleShapes.read(classes, raw["places"], raw["never"]) if classes else None
        return cls(tuple(titles), {rhythm: tuple(meters) for rhythm, meters in rhythms}, shapes)

    def to_bytes(self) -> bytes:
        content: dict[str, Any] = {"format": FORMAT, "titles": self.titles, "rhythms": self.rhythms}
        text = json.dumps(content, ensure_ascii=False, indent=1)
        if self.shapes:
            rest = (f' "{name}": {_compact(value)}' for name, value in vars(self.shapes).items())
            text = ",\n".join([text.removesuffix("\n}"), *rest]) + "\n}"
        return (text + "\n").encode()


def _compact(value: object) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))
