"""Symbols below their notes are those of the notes, one each, as words are."""

import pytest

from app.abc.reader import read
from app.abc.symbol_lines import is_plain

HEAD = "X:1\nM:4/4\nL:1/4\nK:C\n"


def test_symbols_are_set_to_notes_but_not_to_rests() -> None:
    score = read(HEAD + 'CzDE|FGAB|\ns: "Am" !trill! | * "^slow" !D.C.! +turn+\n')
    chords = [chord for bar in score.voices[0].bars for chord in bar.chords]
    assert [chord.symbol for chord in chords] == ["Am", *[None] * 7]
    assert [chord.decorations for chord in chords] == [(), (), ("trill",), (), (), (), ("D.C.",), ("turn",)]
    assert [chord.annotations for chord in chords] == [(), (), (), (), (), ("^slow",), (), ()]


def test_a_chord_symbol_beside_the_note_stays() -> None:
    score = read(HEAD + '"C"CDEF|\ns: "Am" "F"\n')
    assert [chord.symbol for chord in score.voices[0].bars[0].chords] == ["C", "F", None, None]


@pytest.mark.parametrize("text", ["~ * *", "CDEF", '"Am', "!trill", "* [A"])
def test_other_lines_are_left_out(text: str) -> None:
    assert not is_plain(text)
    score = read(HEAD + f"CDEF|\ns: {text}\n")
    assert all(not (chord.decorations or chord.symbol) for chord in score.voices[0].bars[0].chords)
