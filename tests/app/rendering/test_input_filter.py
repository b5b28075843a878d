"""What the input filter keeps, drops and refuses, and the reproducers that its rules are for."""

from fractions import Fraction
from math import inf
from pathlib import Path

import pytest

from app.abc.duration import played
from app.abc.tunebook import NO_KEY, NO_NOTES, NO_NUMBER
from app.errors import NotationError
from app.rendering.input_filter import (
    BARS,
    BYTES,
    NOTES,
    PLAYED_NOTES,
    WHOLE_NOTES,
    admit,
    admit_set,
    decode,
    filter_tune,
    with_left_out,
)
from app.rendering.line_rules import DIRECTIVES, FIELD_RULES, MUSIC, Verdict
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
        (HEADER + "%%abc-include /etc/passwd\nabc|\n", 7, "no other file"),
        (HEADER + "%% abc-include /etc/passwd\nabc|\n", 7, "no other file"),
        ("%%abc-include /etc/passwd\n" + TUNE, 1, "no other file"),
        (HEADER + "I:abc-include /etc/passwd\nabc|\n", 7, "no other file"),
        (HEADER + "abc[I:abc-include /etc/passwd]|\n", 7, "no other file"),
        (HEADER + "abc[I:abc-include /etc/passwd\n", 7, "no other file"),
        (HEADER + "%%propagate-accidentals none\nabc|\n", 7, "not, octave and pitch are"),
        (HEADER + "m:q=cdec\nq|\n", 7, "macro that stands for notes"),
        (HEADER + "%%begintext\nA bad egg\nabc|\n", 7, "without its %%endtext"),
        (HEADER + "C9999|\n", 7, "four digits"),
        (HEADER + "C!a!9999|\n", 7, "four digits"),
        (HEADER + '"A"C9999"B"|\n', 7, "four digits"),
        (HEADER + '!"!C9999!"!|\n', 7, "four digits"),
        (HEADER + 'abc| "1998\n', 7, "four digits"),
        (HEADER + "[V:9999]abc|\n", 7, "four digits"),
        (HEADER + "V:9999\nabc|\n", 7, "four digits"),
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


@pytest.mark.parametrize("line", ['s:!trill! * "Am" | "^slow"', "m:~G2={A}G{F}G", "m:!turn!G3 = (3AGFG % a turn"])
def test_plain_symbols_and_ornaments_are_let_through(line: str) -> None:
    admitted = admit(f"{HEADER}{line}\nabc|\n", max_duration_s=600)
    assert line in admitted.abc
    assert not admitted.dropped


@pytest.mark.parametrize(
    "line", ["m:~G2=" + "{A}" * 60 + "G,,,,,,2", "m:~G2=G999999/499999", "m:~G2=AG|", "m:~G2=A\0G"]
)
def test_other_ornaments_are_left_out(line: str) -> None:
    assert line not in admit(f"{HEADER}{line}\nabc|\n", max_duration_s=600).abc


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


LINES = [
    "%%scale 0.7",
    "%%abc-include x",
    "%%propagate-accidentals octaves",
    "m:~G2=AGE",
    "m:q=AG",
    "[U:x]",
    "s:~",
    "C9999|",
    "a,,,,,,|",
]


def test_every_rule_that_drops_or_refuses_matches_some_line() -> None:
    told = "\n".join(what_is_told(HEADER + line + "\nabc|\n") for line in LINES)
    rows = [row for row in (*DIRECTIVES, *FIELD_RULES, *MUSIC) if row.verdict is not Verdict.KEPT]
    assert [row.message for row in rows if row.message not in told] == []


def what_is_told(text: str) -> str:
    """Of what is left out or refused."""
    try:
        return "\n".join(fault.message for fault in admit(text, max_duration_s=600).dropped)
    except NotationError as refused:
        return "\n".join(fault.message for fault in refused.faults)


@pytest.mark.parametrize("file", HOSTILE, ids=lambda file: file.stem)
def test_lines_that_crashed_a_renderer_are_refused_or_left_out(file: Path) -> None:
    try:
        admitted = admit(file.read_text(), max_duration_s=600)
    except NotationError:
        return
    assert [fault.message.rpartition(": ")[2] for fault in admitted.dropped] == ["%%MIDI program"]
    assert "%%" not in admitted.abc


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


@pytest.mark.parametrize(
    ("line", "name"),
    [
        ("%%stafflines 5", "%%stafflines"),
        ("%%abc-charset iso-8859-1", "%%abc-charset"),
        ("I:abc-charset utf-8", "I:abc-charset"),
        ("I:linebreak $", "I:linebreak"),
        ("%%scale-include x", "%%scale-include"),
        ("%%MIDI droneon", "%%MIDI droneon"),
        ("%%MIDI program 9999 9999", "%%MIDI program"),
        ("%%MIDI program 128", "%%MIDI program"),
        ("%%MIDI transpose 99", "%%MIDI transpose"),
        ("%%MIDI control 99 1", "%%MIDI control"),
        ("%%MIDI gchord " + "f" * 200, "%%MIDI gchord"),
        ("%%MIDIx " + "y" * 2000, "%%MIDIx"),
        ("I:MIDI droneon", "I:MIDI droneon"),
        ("U:T=!trill", "U:"),
        ("U:z=!trill!", "U:"),
        ("s:~ * *", "s:"),
        ("m:~G3={A}G{F}G", "m:"),
        ("m:Tn3=n{o}n", "m:"),
        ("N:" + "n" * 2000, "N:"),
        ("E:9999", "E:"),
        ("T:An Dr\x92", "'\\x92' in T:"),
        ("ab[I:setbarnb 5]c|", "[I:"),
        ("ab[U:T=^A]c|", "[U:"),
    ],
)
def test_what_programs_may_ignore_is_left_out_and_named(line: str, name: str) -> None:
    head, key = HEADER.rsplit("K:", 1)
    for text, number in ((f"{head}K:{key}{line}\nabc|\n", 7), (f"{head}{line}\nK:{key}abc|\n", 6)):
        if number == 6 and line.startswith("ab"):
            continue
        admitted = admit(text, max_duration_s=600)
        assert [(fault.line, fault.message.rpartition(": ")[2]) for fault in admitted.dropped] == [(number, name)]
        assert admitted.abc.split("\n")[6 if number == 6 else 7].endswith("abc|" if number == 7 else "K:D")


@pytest.mark.parametrize(
    "text",
    [
        HEADER + "abc| % bar of 1850\n",
        HEADER.replace("K:D", "% typed in 2001\nK:D % see p. 1034") + "abc|\n",
        HEADER.replace("K:D", 'V:1 name="Fiddle 1998"\nK:D') + "V:1\nabc|\n",
        HEADER.replace("K:D", "V:1 nm=Fiddle1998\nK:D") + "[V:1]abc|\n",
        HEADER.replace("K:D", 'Q:"Anno 1850" 3/8=120\nK:D') + "abc|\n",
        HEADER.replace("K:D", "H:A long story\nthat began in 1798 with C99999\nK:D") + "abc|\n",
        HEADER + '"^in 1850"abc "Am"d|\n',
        HEADER + "[N:since 1850]abc|[r:1850]\n",
        HEADER + '[V:1 name="Fiddle 1998"]abc|\n',
        "A book of 1850, with C99999\n\n" + TUNE,
        HEADER + "% " + "long " * 300 + "\nabc|\n",
        HEADER + "abc|\x1a",
    ],
)
def test_texts_names_and_comments_may_hold_any_number(text: str) -> None:
    score = admit(text, max_duration_s=600).score
    assert [len(chord.pitches) for chord in score.voices[0].bars[0].chords][:3] == [1, 1, 1]


def test_text_for_pages_is_no_music() -> None:
    text = HEADER + "%%begintext\nA bad egg\n\nC9999|\n%%endtext\nabc|\n%%beginsvg\n<svg/>\n%%endsvg\n"
    admitted = admit(text, max_duration_s=600)
    assert [chord.pitches for bar in admitted.score.voices[0].bars for chord in bar.chords] != []
    assert len(admitted.score.voices[0].bars) == 1
    assert [(fault.line, fault.message) for fault in admitted.dropped] == [
        (7, "text for printed pages: %%begintext"),
        (13, "text for printed pages: %%beginsvg"),
    ]


def test_an_exclamation_mark_that_breaks_lines_begins_no_decoration() -> None:
    bars = admit(HEADER + "I:linebreak !\nabc|!def|!gab|\n", max_duration_s=600).score.voices[0].bars
    assert [len(bar.chords) for bar in bars] == [3, 3, 3]


@pytest.mark.parametrize(
    "directive",
    [
        "%%MIDI program 73",
        "%%MIDI program 1 40",
        "%%MIDI gchordoff",
        "%%MIDI transpose -12",
        "%%MIDI control 7 90",
        "%%MIDI control 10 127",
        "%%MIDI drumoff",
        "%%MIDI gchord fzczfzcz",
    ],
)
@pytest.mark.parametrize("ending", ["", " % as in 1850", " flute"])
def test_a_harmless_directive_is_kept(directive: str, ending: str) -> None:
    for written in (directive, directive.replace("%%", "I:")):
        admitted = admit(HEADER + written + ending + "\nabc|\n", max_duration_s=600)
        assert (admitted.abc.split("\n")[6], admitted.dropped) == (directive, ())


@pytest.mark.parametrize(
    "text",
    [
        "L:1/16\nR:reel\n\nX:1\nM:4/4\nK:D\nabc|\n",
        "%abc-2.1\nM:4/4\nL:1/16\n\na book of tunes\n\nX:1\nK:D\nabc|\n",
        "L:1/4\nM:3/4\n\nX:1\nM:4/4\nL:1/16\nK:D\nabc|\n",
    ],
)
def test_what_a_files_header_says_holds_for_its_tunes(text: str) -> None:
    score = admit(text, max_duration_s=600).score
    assert (score.meter.beats, [chord.length for chord in score.voices[0].bars[0].chords]) == (4, [Fraction(1, 16)] * 3)


def test_a_tunes_own_composer_stands_in_place_of_the_files() -> None:
    file, own = "C:Anon.\nO:Eire\n\n", "X:1\nC:Ed Reavy\nK:D\nabc|\n\nX:2\nK:D\nabc|\n"
    assert [tune.score.composer for tune in admit_set(file + own, max_duration_s=600)] == ["Ed Reavy", "Anon."]


def test_lines_keep_their_numbers_behind_a_files_header() -> None:
    sent = "L:1/16\n\nX:1\nK:D\nabc]|\n"
    admitted = admit(sent, max_duration_s=600)
    assert admitted.faults[0].line == 5
    assert with_left_out(admitted.abc.replace("abc", '"D"abc'), admitted.abc, sent) == sent.replace("abc", '"D"abc')


@pytest.mark.parametrize(
    "text",
    [
        HEADER.replace("X:1\n", "") + "abc|\n",
        "  " + HEADER.replace("\n", "\n  ") + "abc|\n",
        "%abc\n\n\ufeff" + HEADER + "a\u200bbc|\n",
        HEADER + "abc|\n\nX:2\nT:no notes\nK:D\n",
        HEADER + "\tabc|\n  % a remark\n",
    ],
)
def test_what_harms_no_note_is_no_reason_to_refuse(text: str) -> None:
    score = admit(text, max_duration_s=600).score
    assert [chord.pitches[0].midi for chord in score.voices[0].bars[0].chords] == [81, 83, 73]


def test_what_is_not_as_it_should_be_is_told() -> None:
    assert [fault.message for fault in admit("K:D\nabc|\n", max_duration_s=600).faults] == [NO_NUMBER]
    (empty,) = admit(HEADER + "abc|\n\nX:2\nK:D\n", max_duration_s=600).dropped
    assert (empty.line, NO_NOTES in empty.message) == (10, True)


def test_an_x_begins_another_tune_where_no_blank_line_stands_before_it() -> None:
    tunes = admit_set(HEADER + "abc|\n" + HEADER.replace("X:1", "X:2") + "d|\n", max_duration_s=600)
    assert [len(tune.score.voices[0].bars[0].chords) for tune in tunes] == [3, 1]


@pytest.mark.parametrize("definition", ["U:T=!trill!\n", "U: T = +trill+ % as in 1850\n", "[U:T=!trill!]"])
def test_a_symbol_for_a_decoration_is_that_decoration(definition: str) -> None:
    admitted = admit(HEADER + definition + "aTb|\n", max_duration_s=600)
    assert [chord.decorations for chord in admitted.score.voices[0].bars[0].chords] == [(), ("trill",)]
    assert admitted.dropped == ()


def test_a_text_in_the_alphabet_that_it_names_is_read() -> None:
    text = "%%abc-charset iso-8859-1\nX:1\nT:D\u00f3ite\nK:D\nabc|\n"
    assert decode(text.encode("utf-16")) == text
    unnamed = 'X:1\nT:D\u00f3ite\nK:D\n"^Mh\u00f3r"abc|\nw:t\u00e1 s\u00e9\n'
    assert decode(unnamed.encode("latin-1")) == unnamed
    assert decode(text.encode("latin-1")) == decode(text.encode()) == text
    with pytest.raises(NotationError, match="not UTF-8"):
        decode(text.replace("iso-8859-1", "rot13").encode("latin-1"))


def test_what_was_left_out_can_be_put_back() -> None:
    sent = "a book\n\n" + HEADER.replace("\n", "\r\n") + "%%stafflines 5\nabc| % in 1850\ndef|\n\nmore"
    read = filter_tune(sent)
    changed = read.replace("abc", '"D"abc')
    assert with_left_out(changed, read, sent) == HEADER + '%%stafflines 5\n"D"abc| % in 1850\ndef|\n'


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


def test_blank_lines_between_a_header_and_its_music_part_nothing_and_are_named() -> None:
    admitted = admit(HEADER + "\n\nDFA d2f|afd D3|\n\nX:2\nK:D\n", max_duration_s=600)
    assert admitted.abc == HEADER + "%\n%\nDFA d2f|afd D3|\n"
    named = [(fault.line, fault.message.rpartition(": ")[2]) for fault in admitted.dropped]
    assert named[:2] == [(7, "a blank line after the header"), (8, "a blank line after the header")]


def test_music_after_a_blank_line_is_named_once_and_text_is_not() -> None:
    admitted = admit(TUNE + "\nabc|def|\nabc|\n\nFrom Mary | 1990\n\ndfa|\n", max_duration_s=600)
    assert admitted.abc == TUNE
    assert [(fault.line, fault.message.rpartition(": ")[2]) for fault in admitted.dropped] == [
        (9, "music after a blank line"),
        (14, "music after a blank line"),
    ]


def test_a_tune_without_a_key_is_read_in_c_and_told() -> None:
    admitted = admit("X:1\nT:no key\nM:3/8\nL:1/8\nCDE|FGA|\n", max_duration_s=600)
    assert played(admitted.score).sounding == 6
    assert [(fault.line, fault.message) for fault in admitted.faults] == [(5, NO_KEY)]


@pytest.mark.parametrize("line", ["C9999|", "C|D9999|", "[I:abc-include /etc/passwd]C|", "CDE|\nC9999"])
def test_the_music_of_a_tune_without_a_key_is_held_to_the_rules(line: str) -> None:
    with pytest.raises(NotationError):
        admit("X:1\nT:no key\n" + line + "\n", max_duration_s=600)
