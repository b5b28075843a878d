"""Moves a tune by semitones, as text: notes, key signatures and chord symbols together."""

import re

from app.abc.reader import parse_key
from app.abc.score import NATURAL_SEMITONES, STEPS
from app.abc.tokens import NOTE
from app.errors import NotationError

_MOST_FIFTHS = 7
_FIFTHS_OF_OCTAVE = 12
_SIGNS = {-2: "__", -1: "_", 0: "=", 1: "^", 2: "^^"}
_ALTERS = {sign: alter for alter, sign in _SIGNS.items()}
_NAMES = {-2: "bb", -1: "b", 0: "", 1: "#", 2: "##"}
_KEY_TONIC = re.compile(r"(\s*)([A-G])([#b]?)(?![A-Za-z]*(?:lef|one))(.*)")
_CHORD_TONE = re.compile(r"(^|/)([A-G])([#b]*)")
_PIECE = re.compile(
    rf'(?P<symbol>"[A-G][^"]*")|"[^"]*"|![^!\s][^!\n]*!|(?P<key>\[K:[^\]\n]*\])|\[[A-Za-z]:[^\]\n]*\]|%.*|(?P<note>{NOTE})'
)
_FIELD = re.compile(r"[A-Za-z+]:")


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
    """An interval: so many semitones, and so many places along the circle of fifths."""

    def __init__(self, semitones: int, fifths: int) -> None:
        octaves = (semitones - 7 * fifths) // 12
        self.semitones = semitones
        self.steps = 4 * fifths + 7 * octaves

    def step(self, step: str) -> tuple[str, int, int]:
        """Where a natural goes: its new step, the octaves that it passes, and the semitones that it is altered by."""
        octaves, index = divmod(STEPS.index(step) + self.steps, 7)
        new = STEPS[index]
        alter = NATURAL_SEMITONES[step] + self.semitones - 12 * octaves - NATURAL_SEMITONES[new]
        return new, octaves, alter


def _fifths(abc: str, semitones: int) -> int:
    """How far keys move along the circle of fifths."""
    keys = [parse_key(text).fifths for text in re.findall(r"(?:^|\[)K:([^\]\n%]*)", abc, re.MULTILINE)]
    around = 7 * semitones % _FIFTHS_OF_OCTAVE
    moves = [around + turn * _FIFTHS_OF_OCTAVE for turn in (-2, -1, 0, 1)]
    best = min(moves, key=lambda move: (max((abs(key + move) for key in keys), default=abs(move)), abs(move)))
    if any(abs(key + best) > _MOST_FIFTHS for key in keys):
        raise NotationError(f"its keys cannot all be written {semitones:+d} semitones away with seven sharps or flats")
    return best


def _line(line: str, move: _Move) -> str:
    if line.startswith("K:"):
        return "K:" + _key(line[2:], move)
    if _FIELD.match(line) or line.startswith("%"):
        return line
    return _PIECE.sub(lambda piece: _piece(piece, move), line)


def _piece(piece: re.Match[str], move: _Move) -> str:
    if piece["symbol"]:
        return _chord_symbol(piece[0], move)
    if piece["key"]:
        return "[K:" + _key(piece[0][3:-1], move) + "]"
    return _note(piece, move) if piece["note"] else piece[0]


def _note(piece: re.Match[str], move: _Move) -> str:
    sign, letter, marks = re.fullmatch(NOTE, piece["note"]).groups()  # type: ignore[union-attr]
    step, octaves, alter = move.step(letter.upper())
    octave = letter.islower() + marks.count("'") - marks.count(",") + octaves
    if sign:
        alter += _ALTERS[sign]
        if alter not in _SIGNS:  # past a double sharp or flat: the neighbour's name
            step, octave, alter = _respelt(step, octave, alter)
        sign = _SIGNS[alter]
    name = step.lower() + "'" * (octave - 1) if octave > 0 else step + "," * -octave
    return (sign or "") + name


def _respelt(step: str, octave: int, alter: int) -> tuple[str, int, int]:
    pitch = NATURAL_SEMITONES[step] + alter
    octave, pitch = octave + pitch // 12, pitch % 12
    name = max((name for name in STEPS if NATURAL_SEMITONES[name] <= pitch), key=STEPS.index)
    return name, octave, pitch - NATURAL_SEMITONES[name]


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
    step, _, alter = move.step(match[2].upper())
    return _SIGNS.get(alter + _ALTERS[match[1]], match[1]) + step.lower()


def _chord_symbol(text: str, move: _Move) -> str:
    return '"' + _CHORD_TONE.sub(lambda tone: tone[1] + _tone(tone[2], tone[3], move), text[1:-1]) + '"'


def _tone(step: str, sign: str, move: _Move) -> str:
    new, _, alter = move.step(step)
    alter += sign.count("#") - sign.count("b")
    if alter not in _NAMES:
        new, _, alter = _respelt(new, 0, alter)
    return new + _NAMES[alter]
