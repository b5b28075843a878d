"""Where tunes begin and end."""

import pytest

from app.abc.tunebook import TuneCounter, split_tunes

HEADER = "X:1\nT:Morning\nR:jig\nM:6/8\nL:1/8\nK:D\n"
TUNE = HEADER + "DFA d2f|afd D3|\n"


def count(text: str) -> int:
    counter = TuneCounter()
    for character in text:
        counter.feed(character)
    return counter.finished


@pytest.mark.parametrize(
    ("text", "finished"),
    [
        (TUNE, 0),
        (TUNE + "\n", 1),
        (TUNE + " \t\n", 1),
        (TUNE + "\n\n\n", 1),
        (TUNE + "\n" + TUNE + "\n", 2),
        (HEADER + "\n", 0),
        ("some words\n\n", 0),
        ("X:1\nabc\n\n", 0),
        ("\n\n\n", 0),
        ("", 0),
    ],
)
def test_a_tune_is_finished_by_a_blank_line(text: str, finished: int) -> None:
    assert count(text) == finished
    assert sum(tune.complete for tune in split_tunes(text)) == finished


def test_split_keeps_every_tune_and_the_unfinished_last() -> None:
    first, second = split_tunes(TUNE + "\nnot a tune\n\n" + "X:2\nT:Next\nK:")
    assert (first.abc, first.title, first.key, first.meter, first.rhythm) == (TUNE, "Morning", "D", "6/8", "jig")
    assert first.complete
    assert not first.problems
    assert (second.title, second.complete) == ("Next", False)
    assert [fault.message for fault in second.problems] == ["no notes after the K: field"]


def test_a_last_tune_without_a_blank_line_is_not_lost() -> None:
    assert [tune.abc for tune in split_tunes(TUNE + "\n" + TUNE)] == [TUNE, TUNE]


def test_what_a_tune_lacks_is_said() -> None:
    (no_number,) = split_tunes("T:Morning\nK:D\nDFA|\n\n")
    (no_key,) = split_tunes("X:1\nT:Morning\n\n")
    assert [fault.message for fault in no_number.problems] == ["no X: field; a tune begins with X: and its number"]
    assert [fault.message for fault in no_key.problems] == ["no K: field; the key ends the header"]
