"""Keys and pitches: which `K:` values there are, and which notes lie within a player's range.

ABC standard 2.1, sections 3.1.14 (K:) and 4.1 to 4.2 (pitch, accidentals).
"""

import re

MAX_ACCIDENTALS = 7  # in a key signature; abc2midi calls more "unusual"

_FIFTHS = "FCGDAEB"  # the order in which sharps are added; flats go backwards
_SEMITONES = {"C": 0, "D": 2, "E": 4, "F": 5, "G": 7, "A": 9, "B": 11}
_MIDDLE_C = 60

ACCIDENTALS = {"": 0, "^": 1, "_": -1, "=": 0, "^^": 2, "__": -2}

_MODES = {
    # short form, long form: sharps of the mode on C
    ("maj", "Major"): 0,
    ("m", "Minor"): -3,
    ("dor", "Dorian"): -2,
    ("mix", "Mixolydian"): -1,
    ("lyd", "Lydian"): 1,
    ("phr", "Phrygian"): -4,
    ("aeo", "Aeolian"): -3,
    ("ion", "Ionian"): 0,
}


def _keys() -> dict[str, int]:
    keys = {}
    for (short, long), sharps_on_c in _MODES.items():
        forms = {short, long, long.lower(), long[:3], long[:3].lower()}
        spellings = {"m"} if short == "m" else set()
        spellings |= {gap + form for form in forms - {"m"} for gap in ("", " ")} | ({""} if short == "maj" else set())
        for position, letter in enumerate(_FIFTHS, -1):
            for sign, alteration in (("", 0), ("#", 7), ("b", -7)):
                sharps = position + alteration + sharps_on_c
                if abs(sharps) <= MAX_ACCIDENTALS:
                    keys.update({letter + sign + spelling: sharps for spelling in spellings})
    return keys


KEYS = _keys()
"""Values of `K:` with the sharps (flats: negative) of their signature."""


def signature(sharps: int) -> dict[str, int]:
    """The letters that a key signature alters, each with its semitones."""
    if sharps >= 0:
        return dict.fromkeys(_FIFTHS[:sharps], 1)
    return dict.fromkeys(_FIFTHS[sharps:], -1)


_NOTE = re.compile(r"(\^{0,2}|_{0,2}|=)([A-Ga-g])([,']*)")


def midi_pitch(note: str) -> int:
    """The MIDI number of a note as ABC writes it, without a key signature: `C` is 60.

    Raises:
        ValueError: it is not a note.
    """
    match = _NOTE.fullmatch(note)
    if not match:
        raise ValueError(f"{note!a} is not a note; a note is like D, ^f or b'")
    accidental, letter, marks = match.groups()
    octave = letter.islower() + marks.count("'") - marks.count(",")
    return _MIDDLE_C + _SEMITONES[letter.upper()] + 12 * octave + ACCIDENTALS[accidental]


def pitches(sharps: int, low: int | None, high: int | None, max_octave_marks: int = 3) -> dict[str, bool]:
    """Every pitch that may be written, as the keys of a dictionary.

    An accidental holds to the end of its bar, in other octaves too for some readers. So where there is a range, one is
    left out if it would put any note of its letter, unaltered within the range, outside.

    Args:
        sharps: of the key signature.
        low, high: MIDI numbers of the lowest and highest note; None: no limit.
    """
    altered = signature(sharps)
    bottom, top = low if low is not None else -1000, high if high is not None else 1000
    plain = [upper + "," * marks for upper in "CDEFGAB" for marks in range(max_octave_marks + 1)]
    plain += [lower + "'" * marks for lower in "cdefgab" for marks in range(max_octave_marks + 1)]
    within = [note for note in plain if bottom <= midi_pitch(note) + altered.get(note[0].upper(), 0) <= top]
    written = dict.fromkeys(within, True)
    for accidental, semitones in ACCIDENTALS.items():
        for letter in "CDEFGAB" if accidental else "":
            notes = [note for note in within if note[0].upper() == letter]
            if all(bottom <= midi_pitch(note) + semitones <= top for note in notes):
                written |= {accidental + note: True for note in notes}
    return written
