"""A lexicon gives back what it was made of, and a file that is none is refused by name."""

from dataclasses import replace

import pytest

from model_store.errors import InvalidCheckpointError, NewerFormatError
from model_store.lexicon import Lexicon, TitleShapes, WordChoice

LEXICON = Lexicon(("Dóite", "The Sally Gardens"), {"jig": ("6/8",), "reel": ("4/4", "C|")})

SHAPES = TitleShapes(
    (("The",), ("Dóite", "Sally's"), ("Gardens",)),
    (
        (WordChoice((0, 1), 1, may_end=False),),
        (WordChoice((1,), 2, may_end=True),),
        (WordChoice((2,), 0, may_end=True),),
    ),
    {"Sally's": ("Gardens",)},
)
JOINED = replace(LEXICON, shapes=SHAPES)


@pytest.mark.parametrize("lexicon", [LEXICON, JOINED])
def test_what_is_written_is_read(lexicon: Lexicon) -> None:
    assert Lexicon.parse(lexicon.to_bytes(), "here") == lexicon


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
        JOINED.to_bytes().replace(b"[[[1],2,true]]", b"[[[1],1,true]]"),
        JOINED.to_bytes().replace(b"[[[1],2,true]]", b"[[[1],3,true]]"),
        JOINED.to_bytes().replace(b"[[[1],2,true]]", b"[[[3],2,true]]"),
        JOINED.to_bytes().replace(b"[[[1],2,true]]", b'[[[1],"2",true]]'),
        JOINED.to_bytes().replace(b"[[[1],2,true]]", b"[[[1],2]]"),
        JOINED.to_bytes().replace(b'["Gardens"]]', b'["The"]]'),
        JOINED.to_bytes().replace(b'["Gardens"]]', b'[""]]'),
        JOINED.to_bytes().replace(b'"never"', b'"ever"'),
    ],
)
def test_what_is_no_lexicon_is_named(content: bytes) -> None:
    with pytest.raises(InvalidCheckpointError, match=r"irish/4/lexicon\.json: not a lexicon"):
        Lexicon.parse(content, "irish/4/lexicon.json")


def test_a_later_format_is_told() -> None:
    with pytest.raises(NewerFormatError, match="format 2 is newer"):
        Lexicon.parse(LEXICON.to_bytes().replace(b'"format": 1', b'"format": 2'), "here")
