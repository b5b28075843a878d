"""Transposes ABC text by semitones: notes, key signatures and chord symbols."""

import re

from app.abc.keys import FIFTHS_PER_CIRCLE, SEMITONES_PER_FIFTH, STEPS_PER_FIFTH, TONIC
from app.abc.pitch import (
    ACCIDENTALS,
    NATURAL_SEMITONES,
    NOTE,
    SEMITONES_PER_OCTAVE,
    SIGNS,
    STEPS,
    place_of,
    semitones_of,
    write_place,
)
from app.abc.reader import parse_key
from app.abc.tokens import DECORATION, INLINE_FIELD, QUOTED
from app.abc.tunebook import FIELD
from app.abc.written_subset import MAX_KEY_ACCIDENTALS
from app.errors import NotationError

_KEY_TONIC = re.compile(rf"(\s*){TONIC}(?![A-Za-z]*(?:lef|one))(.*)")
_CHORD_TONE = re.compile(r"(^|/)([A-G])([#b]*)")
_PIECE = re.compile(rf'(?P<symbol>"[A-G][^"]*")|{QUOTED}|{DECORATION}|(?P<field>{INLINE_FIELD})|%.*|(?P<note>{NOTE})')
_MAX_ALTERATION = 2


def transpose(abc: str, semitones: int) -> str:
    """A tune at another pitch; the key signature follows, in the spelling with the fewest sharps or flats.

    Args:
        abc: one tune.
        semitones: up, or down below nought.

    Raises:
        NotationError: its keys cannot all be written with seven sharps or flats at that pitch.
    """
    if not semitones:
        return abc
    move = _Move(semitones, _fifths(abc, semitones))
    return "\n".join(_line(line, move) for line in abc.split("\n"))


class _Move:
    """An interval: so many semitones, and so many steps of the scale."""

    def __init__(self, semitones: int, fifths: int) -> None:
        octaves = (semitones - SEMITONES_PER_FIFTH * fifths) // SEMITONES_PER_OCTAVE
        self.semitones = semitones
        self.steps = STEPS_PER_FIFTH * fifths + len(STEPS) * octaves

    def natural(self, place: int) -> tuple[int, int]:
        """Where a natural goes: its new place, and the semitones that it is altered by."""
        new = place + self.steps
        return new, semitones_of(place) + self.semitones - semitones_of(new)


def _fifths(abc: str, semitones: int) -> int:
    """How far keys move along the circle of fifths."""
    keys = [parse_key(text).fifths for text in re.findall(r"(?:^|\[)K:([^\]\n%]*)", abc, re.MULTILINE)]
    around = SEMITONES_PER_FIFTH * semitones % FIFTHS_PER_CIRCLE  # seven fifths are a semitone and four octaves
    moves = [around + turn * FIFTHS_PER_CIRCLE for turn in (-2, -1, 0, 1)]
    best = min(moves, key=lambda move: (max((abs(key + move) for key in keys), default=abs(move)), abs(move)))
    if any(abs(key + best) > MAX_KEY_ACCIDENTALS for key in keys):
        raise NotationError(f"its keys cannot all be written {semitones:+d} semitones away with seven sharps or flats")
    return best


def _line(line: str, move: _Move) -> str:
    if line.startswith("K:"):
        return "K:" + _key(line[2:], move)
    if FIELD.match(line) or line.startswith("%"):
        return line
    return _PIECE.sub(lambda piece: _piece(piece, move), line)


def _piece(piece: re.Match[str], move: _Move) -> str:
    if piece["symbol"]:
        return _chord_symbol(piece[0], move)
    if piece["field"]:
        return "[K:" + _key(piece[0][3:-1], move) + "]" if piece[0].startswith("[K:") else piece[0]
    return _note(piece, move) if piece["note"] else piece[0]


def _note(piece: re.Match[str], move: _Move) -> str:
    sign, letter, marks = re.fullmatch(NOTE, piece["note"]).groups()  # type: ignore[union-attr]
    place, alter = move.natural(place_of(letter, marks))
    if not sign:
        return write_place(place)
    alter += ACCIDENTALS[sign]
    if alter not in SIGNS:  # past a double sharp or flat: the neighbour's name
        place, alter = _respelt(place, alter)
    return SIGNS[alter] + write_place(place)


def _respelt(place: int, alter: int) -> tuple[int, int]:
    octave, semitone = divmod(semitones_of(place) + alter, SEMITONES_PER_OCTAVE)
    index = max(index for index, step in enumerate(STEPS) if NATURAL_SEMITONES[step] <= semitone)
    return len(STEPS) * octave + index, semitone - NATURAL_SEMITONES[STEPS[index]]


def _key(text: str, move: _Move) -> str:
    if text.strip()[:2] in ("HP", "Hp"):
        text = "D" + text.strip()[2:]
    elif text.strip()[:4].lower() == "none" or not text.strip():
        text = "C" + text.strip()[4:]
    match = _KEY_TONIC.match(text)
    if not match:
        return text
    space, tonic, sign, rest = match.groups()
    rest = re.sub(rf"(?<=\s){NOTE}(?=\s|$)", lambda found: _key_accidental(found[0], move), rest)
    return space + _tone(tonic, sign, move) + rest


def _key_accidental(text: str, move: _Move) -> str:
    match = re.fullmatch(NOTE, text)
    if not match or not match[1]:
        return text
    place, alter = move.natural(place_of(match[2].upper()))
    return SIGNS.get(alter + ACCIDENTALS[match[1]], match[1]) + STEPS[place % len(STEPS)].lower()


def _chord_symbol(text: str, move: _Move) -> str:
    return '"' + _CHORD_TONE.sub(lambda tone: tone[1] + _tone(tone[2], tone[3], move), text[1:-1]) + '"'


def _tone(step: str, sign: str, move: _Move) -> str:
    """A tonic or a chord's tone."""
    place, alter = move.natural(place_of(step))
    alter += sign.count("#") - sign.count("b")
    if abs(alter) > _MAX_ALTERATION:
        place, alter = _respelt(place, alter)
    return STEPS[place % len(STEPS)] + ("#" * alter if alter > 0 else "b" * -alter)
