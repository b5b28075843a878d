"""What the fields of ABC say: keys with their clefs, metres, tempos, units, voices (ABC standard 2.1, section 3)."""

import re
from dataclasses import dataclass
from fractions import Fraction

from app.abc.keys import MAJOR, TONIC, Key, fifths_of, mode_of
from app.abc.meters import METER_SIGNS, Meter
from app.abc.pitch import ACCIDENTALS, SIGN
from app.abc.texts import readable

SHORT_TEXT = 200
"""Characters kept of a title or of an annotation."""

_KEY = re.compile(rf"\s*{TONIC}[\s-]*+([A-Za-z]*+)(.*)")
_NAMED_SIGN = re.compile(r"^(\s*[A-Ga-g])[\s-]*(sharp|flat)\b", re.IGNORECASE)
_SMALL_TONIC = re.compile(r"\s*[a-g][#b]?\s*(?i:(?:m|maj|min|mix|dor|phr|lyd|loc|aeo|ion)[a-z]*)?\s*")
"""A key whose tonic is a small letter, as no program writes it, and nothing else."""

_BAGPIPE = re.compile(r"\s*H[Pp](?![A-Za-z])")
_EXPLICIT = re.compile(r"\s*exp\b", re.IGNORECASE)
_KEY_ACCIDENTAL = re.compile(rf"{SIGN}([A-Ga-g])")
_ASSIGNMENT = re.compile(r"(?<!\w)\w+=(?:\"[^\"]*\"|[^\s\"]*)")  # as `clef=bass`
_METER = re.compile(r"\(?\s*(\d{1,3}(?:\s*+\+\s*\d{1,3})*)\s*+\)?\s*+/\s*(\d{1,3})")
_PARTS = ("2", "4", "8", "16", "32")
"""Of a whole note, as `L:8` is typed for `L:1/8`."""

_METERS = re.compile(r"\d{1,3}/\d{1,3}(?:\s*\+\s*\d{1,3}/\d{1,3}){1,9}")
_WORD = re.compile(r"(?:([A-Za-z]+)\s*=\s*)?(\"[^\"]*\"|[^\s\"]+)")
_CLEF = re.compile(
    r"(treble|bass|alto|tenor|soprano|mezzosoprano|mezzo|baritone|perc|none|[GFC])([1-5]?)([+-](?:8|15))?",
    re.IGNORECASE,
)
_CLEFS = {
    "treble": ("G", 2), "bass": ("F", 4), "alto": ("C", 3), "tenor": ("C", 4), "soprano": ("C", 1),
    "mezzosoprano": ("C", 2), "mezzo": ("C", 2), "baritone": ("F", 3), "perc": ("percussion", 2), "none": ("none", 2),
    "g": ("G", 2), "f": ("F", 4), "c": ("C", 3),
}  # fmt: skip
_DRAWN_SIGNS = str.maketrans({"\u266f": "#", "\u266d": "b", "\u266e": None})
_SHORTEST_MODE = 3
_MAX_OCTAVES, _MAX_SEMITONES = 4, 48
_QUOTED = re.compile(r'"([^"]*)"')
_FRACTION = re.compile(r"(\d{1,4})/(\d{1,4})")
_NUMBER = re.compile(r"\d{1,5}(?:\.\d{1,3})?")
SYMBOL = re.compile(r"""\s*([h-wH-W~])\s*=\s*(?:[!+]([A-Za-z0-9.<>()^/-]{1,40})[!+]|("[^"]{1,40}"))(?![^\s%])""")
"""What a `U:` field says: a letter, and the decoration or the annotation in quotes that it stands for."""

_WHOLE_BEAT = re.compile(r"^\s*([12])\s*=\s*(?=\d+(?![\d/]))")  # `1=30`, but not `1=1/4`
_DRAWN_BEATS = {"\u2669": "1/4", "\u266a": "1/8"}
_BEAT_OF_UNITS = re.compile(r"C\s*+(\d{0,3})\s*+(?:/\s*+(\d{1,3})\s*+)?=")


@dataclass(frozen=True)
class Clef:
    """A clef: its sign, the line that it stands on, and by how many octaves notes sound above where they are drawn."""

    sign: str = "G"
    line: int = 2
    octaves: int = 0


@dataclass(frozen=True)
class Properties:
    """What stands beside a key or a voice's name (section 4.6); None where it is not said."""

    clef: Clef | None = None
    octave: int | None = None
    """by which notes are moved, as drawn and as they sound"""
    transpose: int | None = None
    """semitones from the notes as drawn to those that sound"""
    name: str | None = None

    def then(self, said: "Properties") -> "Properties":
        """These, but for what is said of them later."""
        return Properties(
            self.clef if said.clef is None else said.clef,
            self.octave if said.octave is None else said.octave,
            self.transpose if said.transpose is None else said.transpose,
            said.name or self.name,
        )


@dataclass(frozen=True)
class Tempo:
    """A `Q:` field: its words, the note lengths that make a beat, in whole notes, and the beats a minute."""

    words: str = ""
    beats: tuple[Fraction, ...] = ()
    count: Fraction | None = None

    @property
    def quarters(self) -> float | None:
        """Quarter notes a minute; None where it gives no number."""
        return float(sum(self.beats, Fraction(0)) * 4 * self.count) if self.count else None


def parse_key(text: str) -> Key:
    """What a `K:` field says; no signature where it says nothing that is known (section 3.1.14)."""
    return named_key(text) or Key()


def named_key(text: str) -> Key | None:
    """The key that a `K:` field names; None where it says other things alone, as `K:clef=bass` does."""
    if _BAGPIPE.match(text):
        return Key(2)
    text = _NAMED_SIGN.sub(lambda found: found[1] + {"s": "#", "f": "b"}[found[2][0].lower()], with_plain_signs(text))
    if _SMALL_TONIC.fullmatch(text):
        text = text.strip().capitalize()
    match = _KEY.match(text)
    if not match:
        altered = _altered(text)
        is_known = altered or _EXPLICIT.match(text) or text.split()[:1] == ["none"] or not text.strip()
        return Key(altered=altered) if is_known else None
    tonic, accidental, word, rest = match.groups()
    mode = mode_of(word)
    if mode is None or (rest.startswith("=") and len(word) < _SHORTEST_MODE):  # `m=` is no minor, `mix=c` is mixolydian
        mode, rest = MAJOR, word + rest
    fifths = 0 if _EXPLICIT.match(rest) else fifths_of(tonic, accidental, mode)
    return Key(fifths, mode, _altered(rest), tonic + accidental)


def key_fault(text: str) -> str | None:
    """What is wrong with a `K:` field that says nothing at all that is known."""
    if (
        named_key(text) is not None or "=" in text or parse_properties(text) != Properties()
    ):  # `middle=B` is a property too
        return None
    return f"K:{text.strip()[:SHORT_TEXT]} is not a key that there is; keys are like D, Bm, Ador, none"


def with_plain_signs(text: str) -> str:
    """A key or chord with `#` and `b` for the signs that are drawn (section 4.18)."""
    return text if text.isascii() else text.translate(_DRAWN_SIGNS)


def _altered(text: str) -> tuple[tuple[str, int], ...]:
    return tuple((step.upper(), ACCIDENTALS[sign]) for sign, step in _KEY_ACCIDENTAL.findall(_ASSIGNMENT.sub("", text)))


def parse_properties(text: str) -> Properties:
    """Clef, octave, transposition and name, from a `K:` field or from what follows a voice's in `V:`."""
    clef = octave = transpose = name = None
    for key, value in _WORD.findall(text.strip().removeprefix("none")):
        quoted = value.strip('"')
        match key.lower():
            case "" if len(value) > 1:  # a letter alone is a tonic
                clef = _clef(value) or clef
            case "clef":
                clef = _clef(quoted) or clef
            case "octave":
                octave = _bounded(quoted, _MAX_OCTAVES, octave)
            case "transpose" | "t":
                transpose = _bounded(quoted, _MAX_SEMITONES, transpose)
            case "name" | "nm":
                name = readable(quoted)[:SHORT_TEXT]
    return Properties(clef, octave, transpose, name)


def _clef(word: str) -> Clef | None:
    match = _CLEF.fullmatch(word)
    if not match:
        return None
    sign, line = _CLEFS[match[1].lower()]
    eighths = int(match[3] or 0)
    return Clef(sign, int(match[2] or line), {8: 1, 15: 2}.get(abs(eighths), 0) * (1 if eighths > 0 else -1))


def _bounded(text: str, at_most: int, otherwise: int | None) -> int | None:
    return max(-at_most, min(at_most, int(text))) if re.fullmatch(r"[+-]?\d{1,3}", text) else otherwise


def parse_meter(text: str) -> Meter:
    """What an `M:` field says."""
    text = text.strip()
    if text.startswith("C"):
        sign = "C|" if text.startswith("C|") else "C"
        return Meter(*METER_SIGNS[sign], sign)
    if _METERS.fullmatch(text):
        total = sum(Fraction(int(beats), max(1, int(unit))) for beats, unit in _FRACTION.findall(text))
        unit = max(int(unit) for _, unit in _FRACTION.findall(text))
        return Meter(int(total * unit), unit) if unit and (total * unit).denominator == 1 else Meter(None)
    match = _METER.match(text)
    if not match or not int(match[2]):
        return Meter(None)
    return Meter(sum(int(part) for part in match[1].split("+")) or 4, int(match[2]))


def parse_tempo(text: str, unit: Fraction) -> Tempo:
    """What a `Q:` field says: `1/4=120`, `"Allegro" 1/4 3/8=40`, `120=1/4`, or 120 units a minute as `120` (10.1).

    Args:
        unit: the unit length, in whole notes.
    """
    words = readable(" ".join(_QUOTED.findall(text)))[:SHORT_TEXT]
    text = _WHOLE_BEAT.sub(r"\1/1=", _QUOTED.sub(" ", text), count=1)
    for drawn, beat in _DRAWN_BEATS.items():
        text = text.replace(drawn, beat)
    if units := _BEAT_OF_UNITS.match(text.lstrip()):
        beats: tuple[Fraction, ...] = (unit * Fraction(int(units[1] or 1), int(units[2] or 1) or 1),)
        text = text.partition("=")[2]
    else:
        beats = tuple(Fraction(int(a), int(b)) for a, b in _FRACTION.findall(text) if int(a) and int(b))
        text = _FRACTION.sub(" ", text)
    found = _NUMBER.search(text)
    count = Fraction(found[0]) if found else Fraction(0)
    return Tempo(words, beats or (unit,), count) if count else Tempo(words)


def parse_unit(text: str) -> Fraction | None:
    """What an `L:` field says; None where it says nothing."""
    match = re.match(r"\s*(\d{1,3})\s*(?:/\s*(\d{1,3}))?", text)
    if not match or not int(match[1]) or (match[2] and not int(match[2])):
        return None
    if not match[2] and match[1] in _PARTS:
        return Fraction(1, int(match[1]))
    return Fraction(int(match[1]), int(match[2] or 1))


def parse_symbol(text: str) -> tuple[str, str] | None:
    """The letter that a `U:` field makes a symbol, and the decoration or annotation in quotes that it stands for."""
    match = SYMBOL.match(text)
    return (match[1], match[2] or match[3]) if match else None


def parse_voice(text: str) -> str:
    """The name of the voice that a `V:` field turns to."""
    return (text.split() or ["1"])[0][:SHORT_TEXT]


def voice_properties(text: str) -> Properties:
    """What a `V:` field says of its voice."""
    return parse_properties("".join(text.split(maxsplit=1)[1:]))
