"""Macros are written out where they are plain, in music alone, and within a bound; columns stay the sender's."""

import pytest

from app.abc.macros import MAX_EXPANDED, Macros, parse_macro
from app.abc.reader import Reader


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("~g2 T~g2|", "{a}g{f}g T{a}g{f}g|"),
        ("~g23 ~g ~g2/ ~g'2", "~g23 ~g ~g2/ ~g'2"),
        ('"~g2" !~g2! [r:~g2] ~g2', '"~g2" !~g2! [r:~g2] {a}g{f}g'),
        ("!f!!turn!A3", "!f!ABA"),
    ],
)
def test_a_macro_is_written_out_where_its_note_stands(line: str, expected: str) -> None:
    expanded = Macros(["~g2={a}g{f}g", "!turn!A3 = ABA"]).expand(line)
    assert expanded is not None
    assert expanded.text == expected


@pytest.mark.parametrize(
    "text", ["~g2=g", "~g2=g|g", "~n2=n{o}n{m}n", "g2=gg", "~g2=g>g", "~g3=(3gfg", "~g4=(5gfgfg", "~g2=", "x"]
)
def test_other_macros_are_none(text: str) -> None:
    assert parse_macro(text) is None


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("~G2 ~c'2 ~B,2|", "A/G/F/G/ d'/c'/b/c'/ C/B,/A,/B,/|"),
        ("~G3 ~^G2 G2", "~G3 ~^G2 G2"),  # of another length; by an accidental the other notes are not known
        ("TE2|", "!trill!EF|"),  # a decoration's letters are no notes
        ("~D2", "dd"),  # a macro for the note itself goes before that for any
    ],
)
def test_a_macro_for_any_note_is_written_around_each(line: str, expected: str) -> None:
    expanded = Macros(["~n2 = o/n/m/n/", "~D2=dd", "Tn2=!trill!no"]).expand(line)
    assert expanded is not None
    assert expanded.text == expected


def test_columns_are_those_of_the_line_that_was_sent() -> None:
    faults = Reader("X:1\nm:~g2=a/g/f/g/\nM:4/4\nL:1/4\nK:C\n~g2 ~g2|CDE ]F|\n").faults
    assert [(fault.line, fault.column) for fault in faults] == [(6, 13)]


def test_a_line_that_would_be_too_long_is_read_without_macros() -> None:
    macro = "m:~g=" + "{abcdefg}" * 20 + "g"
    reader = Reader(f"X:1\n{macro}\nM:none\nL:1/8\nK:C\n" + "~g" * 400 + "|\n")
    assert [fault.message for fault in reader.skipped] == [
        f"macros that would make this line longer than {MAX_EXPANDED:,} characters"
    ]
    assert reader.size.notes == 400
