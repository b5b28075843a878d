"""A lexicon is made of what was learnt: its titles without slurs, its rhythms in the metres that these have."""

import pytest

from training.publishing.lexicon import MIN_TUNES, has_slur, lexicon_of


def tune(title: str, rhythm: str, meter: str) -> str:
    return f"X:1\nT:{title}\nR:{rhythm}\nM:{meter}\nL:1/8\nK:D\nA|\n"


def test_titles_and_rhythms_come_from_the_tunes() -> None:
    tunes = [tune(f"Title  {letter} % a comment", "Slip Jig", "9/8") for letter in "ABCDEFG"[:MIN_TUNES]]
    tunes += [tune("Old Zip Coon", "reel", "2/4"), "X:1\nK:D\nA|\n", tune("Title A", "oddity", "4/4")]
    made = lexicon_of(tunes)
    assert made.titles == tuple(f"Title {letter}" for letter in "ABCDEFG"[:MIN_TUNES])
    assert made.rhythms == {"slip jig": ("9/8",)}


@pytest.mark.parametrize(
    ("title", "is_slur"),
    [
        ("The Jolly Tinker's Reel", True),
        ("The Poor little Gypsey.", True),
        ("TURKS MARCH", True),
        ("Over the Moor to Maggie", False),
        ("Cooney's Hornpipe", False),
        ("Turkeys In The Straw", False),
    ],
)
def test_slurs_are_found_in_any_spelling(title: str, *, is_slur: bool) -> None:
    assert has_slur(title) is is_slur
