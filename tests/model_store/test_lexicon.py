"""A lexicon gives back what it was made of, and a file that is none is refused by name."""

import pytest

from model_store.errors import InvalidCheckpointError, NewerFormatError
from model_store.lexicon import Lexicon

LEXICON = Lexicon(("Dóite", "The Sally Gardens"), {"jig": ("6/8",), "reel": ("4/4", "C|")})


def test_what_is_written_is_read() -> None:
    assert Lexicon.parse(LEXICON.to_bytes(), "here") == LEXICON


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"[]",
        b"{}",
        b'{"format": 1}',
        b'{"format": 1, "titles": [1], "rhythms": {}}',
        b'{"format": 1, "titles": [""], "rhythms": {}}',
        b'{"format": 1, "titles": ["A"], "rhythms": ["jig"]}',
        b'{"format": 1, "titles": ["A"], "rhythms": {"jig": 6}}',
        b'{"format": 1, "titles": 5, "rhythms": {}}',
        b"\xff",
    ],
)
def test_what_is_no_lexicon_is_named(content: bytes) -> None:
    with pytest.raises(InvalidCheckpointError, match=r"irish/4/lexicon\.json: not a lexicon"):
        Lexicon.parse(content, "irish/4/lexicon.json")


def test_a_later_format_is_told() -> None:
    with pytest.raises(NewerFormatError, match="format 2 is newer"):
        Lexicon.parse(LEXICON.to_bytes().replace(b'"format": 1', b'"format": 2'), "here")
