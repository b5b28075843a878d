"""The options that the user interface offers for a request, what is usual in the default model's tunebooks first."""

from collections.abc import Iterable
from dataclasses import dataclass

from app.abc.pitch import ALTERATIONS, STEPS
from app.abc.rhythms import METERS_OF_RHYTHM
from app.abc.written_subset import WRITTEN_MODES
from app.grammar.pitch import KEYS
from app.grammar.ticks import METERS

_LIKELY_KEYS = (
    *("G", "D", "A", "C", "Bb", "F"),
    *("Am", "Em", "Gm", "Dm", "Bm"),
    *("Ador", "Edor", "Ddor"),
    *("Dmix", "Amix"),
)
"""Of each mode, those that are usual in the default model's tunebooks, the likeliest first."""

_SUFFIXES = tuple(dict.fromkeys(mode.suffix for mode in WRITTEN_MODES.values()))
_FORMS = ("AABB8", "AABB16", "AABBCC8", "AB8", "AB16", "AABBCCDD8", "AABB4", "ABC8")


@dataclass(frozen=True)
class Menus:
    """Values of `key`, `meter`, `rhythm` and `form`; `key` and `form` take more than these."""

    keys: tuple[str, ...] = ()
    meters: tuple[str, ...] = ()
    rhythms: tuple[str, ...] = ()
    forms: tuple[str, ...] = ()

    @classmethod
    def of(cls, alphabet: str) -> "Menus":
        """What a model with these characters can write."""
        return cls(
            keys=_written(dict.fromkeys((*_LIKELY_KEYS, *_plain_keys())), alphabet),
            meters=_written(METERS, alphabet),
            rhythms=_written(METERS_OF_RHYTHM, alphabet),
            forms=_FORMS,
        )


def _plain_keys() -> list[str]:
    """Each key once, in its shortest spelling, by mode and the circle of fifths: sharps from none up, then flats."""
    letters = [letter + sign for sign in ALTERATIONS for letter in STEPS]
    return [
        key
        for suffix in _SUFFIXES
        for key in sorted(
            (letter + suffix for letter in letters if letter + suffix in KEYS),
            key=lambda key: (KEYS[key] < 0, abs(KEYS[key])),
        )
    ]


def _written(words: Iterable[str], alphabet: str) -> tuple[str, ...]:
    return tuple(word for word in words if set(word) <= set(alphabet))
