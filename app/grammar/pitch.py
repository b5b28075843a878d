"""The keys that `K:` may name, and the pitches within a range."""

from app.abc.keys import CIRCLE_OF_FIFTHS, alteration, fifths_of
from app.abc.pitch import ACCIDENTALS, ALTERATIONS, STEPS, midi_pitch
from app.abc.written_subset import MAX_KEY_ACCIDENTALS, WRITTEN_MODES

MAX_OCTAVE_MARKS = 3


def _keys() -> dict[str, int]:
    keys = {}
    for name, mode in WRITTEN_MODES.items():
        words = (name.title(), name, name[:3].title(), name[:3])
        spellings = (mode.suffix, *(gap + word for word in words for gap in ("", " ")))
        for letter in CIRCLE_OF_FIFTHS:
            for sign in ALTERATIONS:
                fifths = fifths_of(letter, sign, mode)
                if abs(fifths) <= MAX_KEY_ACCIDENTALS:
                    keys.update({letter + sign + spelling: fifths for spelling in spellings})
    return keys


KEYS = _keys()
"""Values of `K:` with the sharps (flats: negative) of their signature."""


def pitches(sharps: int, low: int | None, high: int | None) -> dict[str, bool]:
    """Every pitch that may be written, as the keys of a dictionary.

    An accidental holds to the end of its bar, in other octaves too for some readers. So where there is a range, one is
    left out if it would put any note of its letter, unaltered within the range, outside.

    Args:
        sharps: of the key signature.
        low, high: MIDI numbers of the lowest and highest note; None: no limit.
    """
    bottom, top = low if low is not None else -1000, high if high is not None else 1000
    plain = [upper + "," * marks for upper in STEPS for marks in range(MAX_OCTAVE_MARKS + 1)]
    plain += [lower + "'" * marks for lower in STEPS.lower() for marks in range(MAX_OCTAVE_MARKS + 1)]
    within = [note for note in plain if bottom <= midi_pitch(note) + alteration(sharps, note[0].upper()) <= top]
    written = dict.fromkeys(within, True)
    for accidental, semitones in ACCIDENTALS.items():
        for letter in STEPS:
            notes = [note for note in within if note[0].upper() == letter]
            if all(bottom <= midi_pitch(note) + semitones <= top for note in notes):
                written |= {accidental + note: True for note in notes}
    return written
