"""Where tunes begin and end, and what the gate lets through."""

import pytest

from app.errors import NotationError
from app.notation import MAX_BYTES, TuneCounter, gate, split_tunes

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


@pytest.mark.parametrize("text", [TUNE, TUNE.rstrip("\n"), TUNE.replace("\n", "\r\n"), TUNE + "\n\n"])
def test_the_gate_lets_a_tune_through(text: str) -> None:
    assert gate(text) == TUNE


def test_the_gate_keeps_the_senders_line_numbers() -> None:
    assert gate("my tune book\n\n" + TUNE) == "\n\n" + TUNE


@pytest.mark.parametrize(
    ("text", "line", "message"),
    [
        (HEADER + "%%abc-include /etc/passwd\nabc|\n", 7, "directive"),
        ("%%abc-include /etc/passwd\n" + TUNE, 1, "directive"),
        (HEADER + "I:abc-include /etc/passwd\nabc|\n", 7, "instruction"),
        (HEADER + "abc[I:MIDI program 3]|\n", 7, "instruction"),
        (HEADER + "m:~G2={A}G{F}G\nabc|\n", 7, "macro"),
        (HEADER + "C9999|\n", 7, "four digits"),
        ("X:1\nP:A99999999\nK:D\nabc|\n", 2, "four digits"),
        (HEADER + "a" + "'" * 3000 + "|\n", 7, "characters"),
        (HEADER + "a" + "," * 7 + "|\n", 7, "octave"),
        (HEADER + "a\0b|\n", 7, "control character"),
        (HEADER + "a\x1bb|\n", 7, "control character"),
    ],
)
def test_the_gate_says_which_line_it_refuses_and_why(text: str, line: int, message: str) -> None:
    with pytest.raises(NotationError, match=message) as refused:
        gate(text)
    assert refused.value.faults[0].line == line


@pytest.mark.parametrize("title", ["T:1984 in 2024", "Z: id:dc-hornpipe-10000", "S:a 12345 b''''''''"])
def test_texts_may_say_what_notes_may_not(title: str) -> None:
    assert title in gate(f"X:1\n{title}\nK:D\nabc|\n")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "there is no tune"),
        ("abc|", "there is no tune"),
        (TUNE + "\n" + TUNE, "there are 2 tunes"),
        ("X:1\nT:only\n", "no K: field"),
        (HEADER, "no notes"),
        (HEADER + "abc|\n" * (MAX_BYTES // 5), "bytes"),
    ],
)
def test_the_gate_wants_one_whole_tune(text: str, message: str) -> None:
    with pytest.raises(NotationError, match=message):
        gate(text)
