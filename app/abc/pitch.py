"""Pitches in ABC: letters for steps, octave marks, accidentals, and their MIDI numbers.

ABC standard 2.1, sections 4.1 (pitch) and 4.2 (accidentals). A place counts steps of the scale: 0 is `C`, middle C,
7 is `c`, -1 is `B,`.
"""

import re
from dataclasses import dataclass

STEPS = "CDEFGAB"
NATURAL_SEMITONES = dict(zip(STEPS, (0, 2, 4, 5, 7, 9, 11), strict=True))
SEMITONES_PER_OCTAVE = 12
MIDDLE_C = 60
"""MIDI's number of it."""

MIDDLE_C_OCTAVE = 4
"""That which begins with it, in scientific pitch notation."""

ACCIDENTALS = {"^": 1, "_": -1, "=": 0, "^^": 2, "__": -2}
"""Signs before a note, each with its semitones."""

SIGNS = {semitones: sign for sign, semitones in ACCIDENTALS.items()}
ALTERATIONS = {"": 0, "#": 1, "b": -1}
"""What stands after the letter of a tonic or a chord's root, each with its semitones (sections 3.1.14 and 4.18)."""

SIGN = r"(\^\^|\^|__|_|=)"
NOTE = rf"{SIGN}?([A-Ga-g])([,']*)"
"""A note without its length: sign, letter, octave marks."""


@dataclass(frozen=True, slots=True)
class Pitch:
    """A pitch as it sounds in its place: `alter` semitones above the natural, by the key or an accidental.

    `written` is the accidental that stands before the note itself, in semitones; None where there is none.
    """

    place: int
    alter: int
    written: int | None = None

    @property
    def step(self) -> str:
        """Its letter, a capital."""
        return STEPS[self.place % len(STEPS)]

    @property
    def octave(self) -> int:
        """In scientific pitch notation, where 4 begins with middle C."""
        return MIDDLE_C_OCTAVE + self.place // len(STEPS)

    @property
    def midi(self) -> int:
        """MIDI's number of it."""
        return MIDDLE_C + semitones_of(self.place) + self.alter


def place_of(letter: str, marks: str = "") -> int:
    """The place of a note's letter and octave marks, in steps from middle C."""
    octave = letter.islower() + marks.count("'") - marks.count(",")
    return len(STEPS) * octave + STEPS.index(letter.upper())


def write_place(place: int) -> str:
    """The letter and octave marks of a place, in steps from middle C."""
    octave, index = divmod(place, len(STEPS))
    return STEPS[index].lower() + "'" * (octave - 1) if octave > 0 else STEPS[index] + "," * -octave


def semitones_of(place: int) -> int:
    """Semitones from middle C to the natural note at a place."""
    octave, index = divmod(place, len(STEPS))
    return SEMITONES_PER_OCTAVE * octave + NATURAL_SEMITONES[STEPS[index]]


_NOTE = re.compile(NOTE)


def midi_pitch(note: str) -> int:
    """The MIDI number of a note as ABC writes it, without a key signature: `C` is 60.

    Raises:
        ValueError: it is not a note.
    """
    match = _NOTE.fullmatch(note)
    if not match:
        raise ValueError(f"{note!a} is not a note; a note is like D, ^f or b'")
    sign, letter, marks = match.groups()
    return MIDDLE_C + semitones_of(place_of(letter, marks)) + (ACCIDENTALS[sign] if sign else 0)
