"""The chords that players use in a key: its own few, by mode, and those that lead back to the tonic."""

from functools import lru_cache

from app.abc.chord_symbols import Harmony, triad
from app.abc.keys import CIRCLE_OF_FIFTHS, MAJOR, MINOR, Key
from app.abc.pitch import STEPS

_DEGREES: dict[str, tuple[tuple[int, str, float], ...]] = {
    "major": ((0, "", 0.0), (3, "", 0.2), (4, "", 0.15), (5, "m", 0.55), (1, "m", 0.6), (2, "m", 1.2)),
    "mixolydian": ((0, "", 0.0), (6, "", 0.1), (3, "", 0.35), (4, "m", 0.8), (1, "m", 0.9)),
    "dorian": ((0, "m", 0.0), (6, "", 0.05), (3, "", 0.5), (2, "", 0.5), (4, "m", 0.6)),
    "minor": ((0, "m", 0.0), (6, "", 0.1), (2, "", 0.4), (5, "", 0.45), (3, "m", 0.6), (4, "m", 0.6)),
    "lydian": ((0, "", 0.0), (1, "", 0.3), (4, "", 0.4), (5, "m", 0.6)),
    "phrygian": ((0, "m", 0.0), (1, "", 0.2), (6, "m", 0.4), (2, "", 0.6)),
}
"""By mode: degree from the tonic, kind, and how unusual it is; Irish backing keeps to few of them."""

_DOMINANT_IN_MINOR = 0.25
"""of the one chord out of its mode that is allowed: the major dominant, where the tune itself raises the seventh"""

_LEADS = {
    "major": (4, 3),
    "mixolydian": (6, 4),
    "dorian": (6, 4),
    "minor": (6, 4),
    "lydian": (4, 1),
    "phrygian": (1, 6),
}


def _named(key: Key) -> str:
    """The mode whose chords are taken."""
    return key.mode.name if key.mode.name in _DEGREES else MAJOR.name


def tonic_letter(key: Key) -> str:
    """The letter of the tonic; of the signature's major key where no chords are known for the mode."""
    mode = key.mode if key.mode.name in _DEGREES else MAJOR
    return CIRCLE_OF_FIFTHS[(CIRCLE_OF_FIFTHS.index("C") + key.fifths - mode.fifths) % len(CIRCLE_OF_FIFTHS)]


@lru_cache(256)
def candidates(key: Key, *, raised: bool = False, third: bool = True) -> tuple[tuple[Harmony, float], ...]:
    """The chords of a key that players use, the tonic first, each with how unusual it is.

    Args:
        key: signature and mode.
        raised: whether a minor tune raises its seventh, and so may have its major dominant.
        third: whether the tune has the tonic's third; modal tunes that lack it have a power chord there.
    """
    mode = _named(key)
    step = tonic_letter(key)
    found = []
    for degree, kind, price in _DEGREES[mode]:
        letter = STEPS[(STEPS.index(step) + degree) % 7]
        is_open = degree == 0 and not third and mode != "major"
        found.append((triad(letter, key.alter(letter), "5" if is_open else kind), price))
    if raised and mode == "minor":
        letter = STEPS[(STEPS.index(step) + 4) % 7]
        found.append((triad(letter, key.alter(letter), ""), _DOMINANT_IN_MINOR))
    return tuple(found)


@lru_cache(256)
def leading_roots(key: Key) -> frozenset[int]:
    """Roots of the chords from which the tonic is come to."""
    mode = _named(key)
    by_degree = {
        degree: harmony.root for (degree, _, _), (harmony, _) in zip(_DEGREES[mode], candidates(key), strict=False)
    }
    return frozenset(by_degree[degree] for degree in _LEADS[mode] if degree in by_degree)


def raises_seventh(heard: set[int], key: Key) -> bool:
    """Whether a tune with these pitch classes is in minor and raises its seventh."""
    return key.mode is MINOR and (candidates(key)[0][0].root - 1) % 12 in heard


def has_third(heard: set[int], key: Key) -> bool:
    """Whether a tune with these pitch classes has the tonic's third."""
    return candidates(key)[0][0].tones[1] in heard
