"""A tunebook's tunes and what is said before them."""

from app.cli.tune_files import file_header, tunes_of

TUNE = "X:1\nT:a\nK:G\nGAB|\n"


def test_all_that_is_said_before_the_first_tune_holds_for_each() -> None:
    book = f"\n%abc-2.1\n\nA book of mine.\n\nM:6/8\nR:jig\n\n{TUNE}\nL:1/16\n\n{TUNE}"
    header, line = file_header(book)
    assert (header, line) == ("%abc-2.1\n\n\n\nM:6/8\nR:jig\n\n", 2)
    assert book.splitlines()[line - 1 + header.splitlines().index("M:6/8")] == "M:6/8"
    assert tunes_of(book) == [(TUNE, 9), (TUNE, 16)]
    assert file_header(TUNE) == ("", 1)
