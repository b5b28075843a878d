"""The vocabulary: characters and their ids."""

import numpy as np
import pytest

from model_store.errors import UnknownCharacterError
from model_store.vocabulary import Vocabulary


def test_characters_are_sorted_and_distinct() -> None:
    assert Vocabulary.from_text("banana\n").characters == "\nabn"


def test_decode_is_the_inverse_of_encode() -> None:
    vocabulary = Vocabulary.from_text("X:1\nK:D\n|:é♯")
    ids = vocabulary.encode("é:1|")
    assert ids.dtype == np.int32
    assert vocabulary.decode(ids) == "é:1|"
    assert vocabulary.encode("").shape == (0,)


def test_an_unknown_character_is_named_with_its_place() -> None:
    with pytest.raises(UnknownCharacterError, match="position 2") as unknown:
        Vocabulary("ab").encode("abc")
    assert (unknown.value.character, unknown.value.position) == ("c", 2)


@pytest.mark.parametrize("characters", ["", "aba"])
def test_a_vocabulary_is_a_set_of_characters(characters: str) -> None:
    with pytest.raises(ValueError, match="vocabulary"):
        Vocabulary(characters)
