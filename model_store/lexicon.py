"""A model's lexicon: known titles, whose words its titles are made of, and rhythms with their metres.

A file of a checkpoint, JSON: `{"format": 1, "titles": ["The Sally Gardens", …], "rhythms": {"jig": ["6/8"], …}}`.
Versions that were published without it write free text there.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self

from model_store.json_file import parse_json

FORMAT = 1


@dataclass(frozen=True)
class Lexicon:
    """Known titles, sorted; and for each rhythm the metres that it may be in."""

    titles: tuple[str, ...]
    rhythms: Mapping[str, tuple[str, ...]]

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
        words = [*titles, *(word for rhythm, meters in rhythms for word in (rhythm, *meters))]
        if not all(isinstance(word, str) and word for word in words):
            raise ValueError("its titles, rhythms and metres must be texts")
        return cls(tuple(titles), {rhythm: tuple(meters) for rhythm, meters in rhythms})

    def to_bytes(self) -> bytes:
        content = {"format": FORMAT, "titles": self.titles, "rhythms": self.rhythms}
        return (json.dumps(content, ensure_ascii=False, indent=1) + "\n").encode()
