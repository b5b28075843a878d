"""A model's vocabulary: its characters and their ids."""

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from typing import Self

import numpy as np
from numpy.typing import NDArray

from model_store.errors import UnknownCharacterError


@dataclass(frozen=True)
class Vocabulary:
    """A bijection between characters and ids 0 … len - 1, in the order of `characters`."""

    characters: str

    def __post_init__(self) -> None:
        if not self.characters:
            raise ValueError("a vocabulary needs at least one character")
        if len(set(self.characters)) != len(self.characters):
            raise ValueError("a vocabulary names each character once")

    @classmethod
    def from_text(cls, text: str) -> Self:
        """The distinct characters of a text, sorted by code point."""
        return cls("".join(sorted(set(text))))

    def __len__(self) -> int:
        return len(self.characters)

    @cached_property
    def _id_of(self) -> dict[str, int]:
        return {character: index for index, character in enumerate(self.characters)}

    def encode(self, text: str) -> NDArray[np.int32]:
        """Text to ids [len(text)] int32.

        Raises:
            UnknownCharacterError: the first character that has no id, with its position.
        """
        try:
            return np.fromiter((self._id_of[character] for character in text), np.int32, count=len(text))
        except KeyError:
            position = next(i for i, character in enumerate(text) if character not in self._id_of)
            raise UnknownCharacterError(text[position], position) from None

    def decode(self, ids: Iterable[int]) -> str:
        """Ids to text; the inverse of `encode`."""
        return "".join(map(self.characters.__getitem__, ids))
