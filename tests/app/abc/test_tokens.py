"""The lexer: bar lines of any shape, decorations beside line breaks, and characters as text programs type them."""

import pytest

from app.abc.tokens import BarLine, parse_bar_line, parse_ending, tokens
from app.abc.typed_characters import as_meant


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("|", BarLine("|")),
        (".|", BarLine("|")),
        ("||", BarLine("||")),
        ("|||", BarLine("||")),
        ("|]", BarLine("|]")),
        ("[|]", BarLine("[|]")),
        ("|[|", BarLine("[|")),
        (":||", BarLine("||", 1, 0)),
        ("::|", BarLine("|", 2, 0)),
        ("[|:::", BarLine("[|", 0, 3)),
        ("::", BarLine("::", 1, 1)),
        (":|]|:", BarLine("|]", 1, 1)),
        ("|:|", BarLine("||", 0, 1)),
        ("| :", BarLine("|", 0, 1)),
        (": |", BarLine("|", 1, 0)),
        (":]", BarLine("|]", 1, 0)),
        ("[:", BarLine("[|", 0, 1)),
        ("|" + ":" * 100, BarLine("|", 0, 9)),
    ],
)
def test_a_bar_line_of_any_shape_is_one(text: str, line: BarLine) -> None:
    (token,) = tokens(text)
    assert (token.lastgroup, parse_bar_line(token["bar"])) == ("bar", line)


@pytest.mark.parametrize(
    ("line", "kinds"),
    [
        ("!trill!C", ["decoration", "note"]),
        ("C|!DE|!", ["note", "bar", "mark", "note", "note", "bar", "mark"]),
        ("!D.C. al Fine!|", ["decoration", "bar"]),
        ("!DE!!ff!C!DC!", ["mark", "note", "note", "mark", "decoration", "note", "decoration"]),
        ("|: :|", ["bar", "space", "bar"]),
        ('["1" C|["Am"CE]', ["ending", "space", "note", "bar", "chord"]),
        ("| 1 C|2.C", ["number", "space", "note", "number", "mark", "note"]),
        ("! D!", ["mark", "space", "note", "mark"]),
        ("+CEG+2+f+", ["chord", "decoration"]),
        ("|[1C|[CE]", ["bar", "ending", "note", "bar", "chord"]),
        ("(12:8:12C(3C", ["tuplet", "note", "tuplet", "note"]),
        ("y10C`D", ["mark", "note", "mark", "note"]),
    ],
)
def test_signs_are_told_apart(line: str, kinds: list[str]) -> None:
    assert [token.lastgroup for token in tokens(line)] == kinds


@pytest.mark.parametrize(
    ("text", "turns"),
    [
        ("[1", "1"),
        ("1,3.", "1,3"),
        ("[1-3", "1-3"),
        ('["2nd time"', "2"),
        (" 1 & 2", "1,2"),
        ("1.2", "1,2"),
        ("[1,", "1"),
    ],
)
def test_an_ending_says_its_turns(text: str, turns: str) -> None:
    assert parse_ending(text) == turns


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        ("\u201cAm\u201dc\u2019", '"Am"c\''),
        ("c\u00a0\u2013c", "c -c"),
        ('"\u201cso\u201d"\u201cAm\u201dc', '"\u201cso\u201d""Am"c'),
    ],
)
def test_typed_characters_are_taken_as_they_are_meant_but_not_in_texts(typed: str, meant: str) -> None:
    assert as_meant(typed) == meant
