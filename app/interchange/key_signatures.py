"""Which key a melody is in, where a file says a signature alone or nothing: by its notes, and by its last."""

from collections.abc import Mapping

from app.abc.keys import CIRCLE_OF_FIFTHS, DORIAN, MAJOR, MINOR, MIXOLYDIAN, Key, Mode
from app.abc.pitch import NATURAL_SEMITONES, SEMITONES_PER_OCTAVE

_MODES = (MAJOR, MINOR, DORIAN, MIXOLYDIAN)
_MAX_GUESSED_FIFTHS = 5
_OF_EACH_SHARP = 0.002
"""of a melody's notes: what a sharp or flat more has to explain"""


def tonic_of(fifths: int) -> str:
    """The tone that many fifths above C (negative: below), with its sharps or flats."""
    turns, index = divmod(fifths + CIRCLE_OF_FIFTHS.index("C"), len(CIRCLE_OF_FIFTHS))
    return CIRCLE_OF_FIFTHS[index] + ("#" * turns if turns > 0 else "b" * -turns)


def key_of(fifths: int, mode: Mode) -> Key:
    """The key of a signature and a mode."""
    return Key(fifths, mode, tonic=tonic_of(fifths - mode.fifths))


def ending_on(fifths: int, pitch_class: int | None) -> Key:
    """The key of a signature whose tonic a melody ends on; major where it ends on none.

    Args:
        pitch_class: of the last note, in semitones above C.
    """
    keys = [key_of(fifths, mode) for mode in _MODES]
    return next((key for key in keys if _pitch_class(key.tonic) == pitch_class), keys[0])


def guessed_fifths(weights: Mapping[int, float]) -> int:
    """The signature that explains a melody.

    Args:
        weights: how long each pitch class sounds.
    """

    def cost(fifths: int) -> tuple[float, int]:
        return share_outside(fifths, weights) + _OF_EACH_SHARP * abs(fifths), fifths

    return min(range(-_MAX_GUESSED_FIFTHS, _MAX_GUESSED_FIFTHS + 1), key=cost)


def share_outside(fifths: int, weights: Mapping[int, float]) -> float:
    """How much of a melody a signature does not explain."""
    scale = {(7 * (fifths + place)) % SEMITONES_PER_OCTAVE for place in range(-1, 6)}
    return sum(weight for pitch, weight in weights.items() if pitch not in scale) / (sum(weights.values()) or 1.0)


def _pitch_class(tonic: str) -> int:
    sharps = tonic.count("#") - tonic.count("b")
    return (NATURAL_SEMITONES[tonic[0]] + sharps) % SEMITONES_PER_OCTAVE
