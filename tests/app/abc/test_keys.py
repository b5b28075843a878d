"""Keys have the signatures that music21 knows them by."""

from itertools import product

import pytest

from app.abc.fields import parse_key
from app.abc.keys import CIRCLE_OF_FIFTHS, MAJOR, MINOR, MODES, alteration, fifths_of, mode_of
from app.abc.pitch import ALTERATIONS, STEPS
from app.grammar.pitch import KEYS
from tests import judges
from training.dialect import header


@pytest.mark.parametrize("name", MODES)
def test_every_key_has_its_signature(name: str) -> None:
    if reason := judges.missing(judges.music21):
        pytest.skip(reason)
    from music21 import key

    for letter, sign in product(STEPS, ALTERATIONS):
        known = key.Key(letter + sign.replace("b", "-"), name)
        fifths = fifths_of(letter, sign, MODES[name])
        assert fifths == known.sharps
        altered = {step: known.accidentalByStep(step) for step in STEPS}
        if abs(fifths) <= 7:
            assert [alteration(fifths, step) for step in STEPS] == [
                int(found.alter) if found else 0 for found in altered.values()
            ]


def test_a_signature_of_more_than_seven_doubles() -> None:
    assert [alteration(8, step) for step in CIRCLE_OF_FIFTHS] == [2, 1, 1, 1, 1, 1, 1]  # G sharp major
    assert [alteration(-9, step) for step in CIRCLE_OF_FIFTHS] == [-1, -1, -1, -1, -1, -2, -2]  # B double flat major


@pytest.mark.parametrize(
    ("word", "mode"),
    [
        *[("", MAJOR), ("maj", MAJOR), ("Ionian", MAJOR), ("m", MINOR), ("MIN", MINOR), ("aeolian", MINOR)],
        *[("Dor", MODES["dorian"]), ("mixolydian", MODES["mixolydian"]), ("n", None), ("clef", None)],
    ],
)
def test_a_mode_is_known_by_three_letters(word: str, mode: object) -> None:
    assert mode_of(word) is mode


def test_the_grammar_the_reader_and_the_dialect_agree_on_every_key() -> None:
    for text, fifths in KEYS.items():
        assert parse_key(text).fifths == fifths, text
        assert header.read_key(text).fifths == fifths, text
