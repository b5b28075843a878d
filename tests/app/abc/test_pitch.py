"""Notes as ABC writes them are the pitches that others hear in them."""

import re
from itertools import product

import pytest

from app.abc.pitch import ACCIDENTALS, MIDDLE_C, STEPS, midi_pitch, place_of, semitones_of, write_place
from app.abc.tokens import parse_note
from tests import judges

NOTES = [
    sign + letter + marks
    for sign, (letters, signs) in product(["", *ACCIDENTALS], [(STEPS, ","), (STEPS.lower(), "'")])
    for letter in letters
    for marks in ("", signs, signs * 2)
]


def test_every_note_is_the_pitch_that_music21_hears() -> None:
    if reason := judges.missing(judges.music21):
        pytest.skip(reason)
    bars = "|".join(f"{note}8" for note in NOTES)
    assert judges.pitches_played(f"X:1\nM:4/4\nL:1/8\nK:C\n{bars}|]\n") == [midi_pitch(note) for note in NOTES]


def test_the_lexer_reads_the_same_pitch() -> None:
    for note in NOTES:
        found = parse_note(note)
        assert found.natural + (found.accidental or 0) == midi_pitch(note)


def test_places_are_written_as_they_are_read() -> None:
    written = [write_place(place) for place in range(-21, 29)]
    assert written[::7] == ["C,,,", "C,,", "C,", "C", "c", "c'", "c''", "c'''"]
    for place, name in enumerate(written, -21):
        assert place_of(name[0], name[1:]) == place
        assert midi_pitch(name) == MIDDLE_C + semitones_of(place)


@pytest.mark.parametrize("text", ["", "H", "^", "^_c", "cc", "c2"])
def test_what_is_no_note_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=re.escape(f"{text!a} is not a note")):
        midi_pitch(text)
