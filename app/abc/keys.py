"""Keys: the modes, the circle of fifths and the signatures that follow from them (ABC standard 2.1, section 3.1.14)."""

from dataclasses import dataclass

from app.abc.pitch import ALTERATIONS

CIRCLE_OF_FIFTHS = "FCGDAEB"
"""The order in which a signature adds sharps; it adds flats in the opposite one."""

TONIC = r"([A-G])([#b]?)"
"""A letter with its sharp or flat."""

SEMITONES_PER_FIFTH, STEPS_PER_FIFTH = 7, 4
FIFTHS_PER_CIRCLE = 12
"""As many lead back to the same pitch, by another name."""


@dataclass(frozen=True)
class Mode:
    """A scale's name in English, the shortest that ABC has for it after a tonic, and the sharps of the mode on C."""

    name: str
    suffix: str
    fifths: int


MAJOR, MINOR = Mode("major", "", 0), Mode("minor", "m", -3)
DORIAN, MIXOLYDIAN = Mode("dorian", "dor", -2), Mode("mixolydian", "mix", -1)
LYDIAN, PHRYGIAN, LOCRIAN = Mode("lydian", "lyd", 1), Mode("phrygian", "phr", -4), Mode("locrian", "loc", -5)

MODES = {
    "major": MAJOR,
    "minor": MINOR,
    "dorian": DORIAN,
    "mixolydian": MIXOLYDIAN,
    "lydian": LYDIAN,
    "phrygian": PHRYGIAN,
    "aeolian": MINOR,
    "ionian": MAJOR,
    "locrian": LOCRIAN,
}
"""By every name that ABC knows; their first three letters say as much, in small letters or capitals."""

_BY_LETTERS = {"": MAJOR, "m": MINOR, **{name[:3]: mode for name, mode in MODES.items()}}


def mode_of(word: str) -> Mode | None:
    """The mode that the word after a tonic names by its first three letters; None for another word."""
    return _BY_LETTERS.get(word.lower()[:3])


def fifths_of(letter: str, sign: str, mode: Mode) -> int:
    """The sharps, or flats below nought, of a key's signature.

    Args:
        letter: of the tonic.
        sign: `#` or `b` or nothing.
    """
    place = CIRCLE_OF_FIFTHS.index(letter) - CIRCLE_OF_FIFTHS.index("C")
    return place + len(CIRCLE_OF_FIFTHS) * ALTERATIONS[sign] + mode.fifths


@dataclass(frozen=True)
class Key:
    """A key signature: `fifths` sharps, or flats below nought, and what differs from it by step.

    `tonic` is the letter of the scale's first note with its `#` or `b`; empty where there is none to name.
    """

    fifths: int = 0
    mode: Mode = MAJOR
    altered: tuple[tuple[str, int], ...] = ()
    tonic: str = ""

    @property
    def name(self) -> str:
        """The key as `K:` has it, in its shortest spelling."""
        return self.tonic + self.mode.suffix

    def alter(self, step: str) -> int:
        """Semitones that the signature adds to a step."""
        for name, semitones in self.altered:
            if name == step:
                return semitones
        return alteration(self.fifths, step)


def alteration(fifths: int, step: str) -> int:
    """The semitones that a signature of that many sharps (negative: flats) adds to a step."""
    last = len(CIRCLE_OF_FIFTHS) - 1
    return (fifths + last - CIRCLE_OF_FIFTHS.index(step)) // len(CIRCLE_OF_FIFTHS)
