"""Transposes a tune with its mode kept, to augment the training data.

Letters move by diatonic steps and the key signature does the rest: a tune in G Major becomes one in A Major whose
written accidentals stay. That is exact but where a written natural would have to become a sharp or flat; such tunes are
rare, and still good notation.
"""

import re

import numpy as np

from app.abc.pitch import NOTE, STEPS, place_of, write_place
from app.abc.tokens import INLINE_FIELD, QUOTED
from app.abc.tunebook import FIELD

_KEY = re.compile(r"^K:\s*([A-G])( ?(?:Major|Minor|Dorian|Mixolydian|maj|min|dor|mix|m)?)$", re.MULTILINE)
_PIECE = re.compile(rf"{QUOTED}|![^!\n]*!|{INLINE_FIELD}|{NOTE}")


def tonics_by_mode(tunes: tuple[str, ...]) -> dict[str, tuple[str, ...]]:
    """Mode, as it is written after the tonic → the natural tonics that the tunes use with it, sorted."""
    found: dict[str, set[str]] = {}
    for tune in tunes:
        if key := _KEY.search(tune):
            found.setdefault(key[2], set()).add(key[1])
    return {mode: tuple(sorted(tonics)) for mode, tonics in found.items()}


def transpose(tune: str, tonic: str) -> str:
    """A tune with another tonic, a fourth up to a fourth down from where it was; unchanged if its key is not plain."""
    key = _KEY.search(tune)
    if key is None:
        return tune
    steps = (place_of(tonic) - place_of(key[1]) + 3) % len(STEPS) - 3
    lines = [
        (f"K:{tonic}{key[2]}" if line == key[0] else line) if FIELD.match(line) else _move(line, steps)
        for line in tune.split("\n")
    ]
    return "\n".join(lines)


def transpose_some(
    tunes: tuple[str, ...], share: float, tonics: dict[str, tuple[str, ...]], generator: np.random.Generator
) -> list[str]:
    """The tunes, about `share` of them moved to a tonic drawn from those that the corpus uses with their mode."""
    moved = []
    for tune in tunes:
        key = _KEY.search(tune)
        draw, which = generator.random(2)  # two for each tune, so that one tune's draws do not shift the next one's
        choices = [tonic for tonic in tonics.get(key[2], ()) if tonic != key[1]] if key else []
        moved.append(transpose(tune, choices[int(which * len(choices))]) if choices and draw < share else tune)
    return moved


def _move(line: str, steps: int) -> str:
    return _PIECE.sub(lambda piece: _moved(piece, steps) if piece[2] else piece[0], line)


def _moved(note: re.Match[str], steps: int) -> str:
    sign, letter, marks = note.groups("")
    return sign + write_place(place_of(letter, marks) + steps)
