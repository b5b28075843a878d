"""What the input filter keeps, drops and refuses, and the reproducers that its rules are for."""

from math import inf
from pathlib import Path

import pytest

from app.abc.playback_defaults import played
from app.errors import NotationError
from app.rendering.input_filter import (
    BARS,
    BYTES,
    DIRECTIVES,
    MUSIC,
    NOTES,
    PLAYED_NOTES,
    WHOLE_NOTES,
    Verdict,
    admit,
    filter_tune,
)
from tests.growing_texts import GROWING

HEADER = "X:1\nT:Morning\nR:jig\nM:6/8\nL:1/8\nK:D\n"
TUNE = HEADER + "DFA d2f|afd D3|\n"
HOSTILE = sorted((Path(__file__).parent / "hostile").glob("*.abc"))


@pytest.mark.parametrize("text", [TUNE, TUNE.rstrip("\n"), TUNE.replace("\n", "\r\n"), TUNE + "\n\n"])
def test_the_filter_keeps_a_valid_tune(text: str) -> None:
    assert filter_tune(text) == TUNE


def test_the_filter_keeps_line_numbers() -> None:
    assert filter_tune("my tune book\n\n" + TUNE) == "\n\n" + TUNE


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
def test_the_filter_says_which_line_it_refuses_and_why(text: str, line: int, message: str) -> None:
    with pytest.raises(NotationError, match=message) as refused:
        filter_tune(text)
    assert refused.value.faults[0].line == line


@pytest.mark.parametrize("title", ["T:1984 in 2024", "Z: id:dc-hornpipe-10000", "S:a 12345 b''''''''"])
def test_texts_may_say_what_notes_may_not(title: str) -> None:
    assert title in filter_tune(f"X:1\n{title}\nK:D\nabc|\n")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "there is no tune"),
        ("abc|", "there is no tune"),
        (TUNE + "\n" + TUNE, "there are 2 tunes"),
        ("X:1\nT:only\n", "no K: field"),
        (HEADER, "no notes"),
        (HEADER + "abc|\n" * (BYTES.max_allowed // 5), "bytes"),
    ],
)
def test_the_filter_requires_one_whole_tune(text: str, message: str) -> None:
    with pytest.raises(NotationError, match=message):
        filter_tune(text)


LINES = ["%%scale 0.7", "%%abc-include x", "I:abc-include x", "abc[I:x]|", "m:~G2=AG", "[U:x]", "C9999|", "a,,,,,,|"]


def test_every_rule_that_drops_or_refuses_matches_some_line() -> None:
    told = "\n".join(what_is_told(HEADER + line + "\nabc|\n") for line in LINES)
    rows = [row for row in (*DIRECTIVES, *MUSIC) if row.verdict is not Verdict.KEPT]
    assert [row.message for row in rows if row.message not in told] == []


def what_is_told(text: str) -> str:
    """Of what is left out or refused."""
    try:
        return "\n".join(fault.message for fault in admit(text, max_duration_s=600).dropped)
    except NotationError as refused:
        return "\n".join(fault.message for fault in refused.faults)


@pytest.mark.parametrize("file", HOSTILE, ids=lambda file: file.stem)
def test_lines_that_crashed_a_renderer_are_refused(file: Path) -> None:
    with pytest.raises(NotationError):
        admit(file.read_text(), max_duration_s=600)


@pytest.mark.parametrize("kind", GROWING)
def test_what_grows_is_refused_or_within_the_bounds(kind: str) -> None:
    try:
        admitted = admit(GROWING[kind](BYTES.max_allowed), max_duration_s=inf)
    except NotationError:
        return
    bars = [bar for voice in admitted.score.voices for bar in voice.bars]
    assert sum(bar.count for bar in bars) <= BARS.max_allowed
    assert sum(max(1, len(chord.pitches)) for bar in bars for chord in bar.chords) <= NOTES.max_allowed
    assert sum(bar.length * bar.count for bar in bars) <= WHOLE_NOTES.max_allowed
    assert played(admitted.score).notes <= PLAYED_NOTES.max_allowed


@pytest.mark.parametrize(
    ("kind", "message"),
    [
        ("rests of 999 bars", "line 7: more than the 2,000 bars that are allowed"),
        ("bars", "more than the 2,000 bars that are allowed"),
        ("dense tuplets", "more than the 10,000 notes and rests that are allowed"),
        ("long notes, played fast", "more than the 5,000 whole notes of music that are allowed"),
        ("odd lengths", "more than the 1,000,000,000 parts of a whole note to count in that are allowed"),
        ("repeats ten times", "bars"),
    ],
)
def test_a_tune_over_a_limit_is_refused_with_the_limit(kind: str, message: str) -> None:
    with pytest.raises(NotationError, match=message):
        admit(GROWING[kind](BYTES.max_allowed), max_duration_s=inf)


def test_what_is_played_too_often_is_refused() -> None:
    with pytest.raises(NotationError, match="60,000 bars as played; 20,000 are allowed"):
        admit(next(file for file in HOSTILE if file.stem == "grow_parts").read_text(), max_duration_s=600)


def test_a_directive_for_pages_is_left_out_and_said() -> None:
    admitted = admit(HEADER + "%%scale 0.7\nabc|\n", max_duration_s=600)
    assert "scale" not in admitted.abc
    (dropped,) = admitted.dropped
    assert (dropped.line, "%%scale" in dropped.message) == (7, True)
    assert admitted.abc.split("\n")[7] == "abc|"


@pytest.mark.parametrize("directive", ["%%MIDI program 73", "%%MIDI program 1 40", "%%MIDI gchordoff"])
def test_a_harmless_directive_is_kept(directive: str) -> None:
    assert directive in filter_tune(HEADER + directive + "\nabc|\n")


@pytest.mark.parametrize(
    "directive",
    ["%%MIDI program 9999 9999", "%%MIDI program 128", "%%MIDI droneon", "%%scale-include x", "%% abc-include x"],
)
def test_lookalikes_of_allowed_directives_are_refused(directive: str) -> None:
    with pytest.raises(NotationError, match="directive"):
        filter_tune(HEADER + directive + "\nabc|\n")


def test_a_byte_order_mark_is_no_part_of_the_tune() -> None:
    assert filter_tune("\ufeff" + TUNE) == TUNE


@pytest.mark.parametrize(
    "bomb",
    [
        "Q:1/4=1\nL:1/1\nK:C\nC64|\n",
        "L:1/1\nP:A99B99\nK:C\nP:A\nC8|\nP:B\nC8|\n",
        "L:1/1\nP:((A99)99)99\nK:C\nP:A\nC|\n",
        "L:1/1\nQ:1/4=60\nK:C\n" + "|:C8:|\n" * 40,
        "L:1/1\nK:C\nZ999|Z999|\n",
        "L:1/1\nK:C\nCDEF [Q:1/4=1] C|\n" * 3,
        "L:1/1\nK:C\nV:1\nC4|\nV:2\n" + "C99|\n" * 20,
    ],
)
def test_an_endless_performance_is_refused_before_it_is_rendered(bomb: str) -> None:
    with pytest.raises(NotationError, match="seconds"):
        admit("X:1\nM:4/4\n" + bomb, max_duration_s=600)


def test_a_tempo_that_is_asked_for_counts_instead_of_the_tunes() -> None:
    slow = "X:1\nM:4/4\nQ:1/4=1\nL:1/4\nK:C\nCDEF|CDEF|CDEF|\n"
    with pytest.raises(NotationError, match="720 seconds"):
        admit(slow, max_duration_s=600)
    assert admit(slow, max_duration_s=600, tempo=120).score.tempo == 1


@pytest.mark.parametrize("text", [HEADER + "V:%d\nabc|\n" * 9 % (*range(9),), HEADER + "[" + "ABcd" * 4 + "]|\n"])
def test_voices_and_chords_are_bounded(text: str) -> None:
    with pytest.raises(NotationError, match="allowed"):
        filter_tune(text)
