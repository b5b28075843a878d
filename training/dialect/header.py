"""Parses tune headers in any spelling of key, metre, unit length, rhythm and title, into one normal form."""

import re
import string
import unicodedata
from dataclasses import dataclass
from fractions import Fraction

from app.abc import written_subset
from app.abc.keys import MIXOLYDIAN, TONIC, Key, fifths_of, mode_of
from app.abc.meters import METER_SIGNS, default_unit
from app.abc.pitch import ACCIDENTALS, SIGN, STEPS
from app.abc.plain import Header
from app.abc.written_subset import HORNPIPE_METERS, MAX_KEY_ACCIDENTALS, UNIT_LENGTHS, WRITTEN_MODES
from training.errors import DialectError

_MODE_WORDS = {"", "m", *WRITTEN_MODES, *(name[:3] for name in WRITTEN_MODES)}

METERS = {
    meter: "{}/{}".format(*METER_SIGNS[meter]) if meter in METER_SIGNS else meter for meter in written_subset.METERS
}
"""Metres as they are found, each as it is written."""

RHYTHMS = {
    # as it is found, in lower case: as it is written; "" where it names no rhythm
    "double jig": "jig",
    "single jig": "jig",
    "slipjig": "slip jig",
    "hop jig": "slip jig",
    "setdance": "set dance",
    "highland fling": "fling",
    "miscellaneous": "",
    "ocarolan": "",
}
_RHYTHM_IN_TITLE = re.compile(
    r"\s*--?\s*(?:reel|(?:slip |double )?jig|hornpipe|strathspey|clog|(?:highland )?fling|walk ?around)[.\s]*$",
    re.IGNORECASE,
)
_LAB_ID = re.compile(r"\s*id:\w+-(\w+)-\d+")
_ALTERED = rf"{SIGN}[A-Ga-g]"
_KEY = re.compile(rf"{TONIC}\s*([A-Za-z]*?)\s*(exp)?((?:\s*{_ALTERED})*)")
_CLEF = re.compile(r"\s+(?:clef=)?(?:treble|bass|alto|tenor|soprano|mezzosoprano|baritone)[1-5]?(?=\s|$)")
_BAGPIPE_KEYS = ("HP", "Hp")
_SCALES = (Fraction(1, 2), Fraction(1, 4), Fraction(2))
_UNITS = [Fraction(1, 2**power) for power in range(7)]


@dataclass(frozen=True)
class Found:
    """A header as it is written in plain notation, and how the notes after it are read.

    `key` and `unit` are those of the notes as they stand; each lasts `scale` times as long as it is read.
    """

    header: Header
    key: Key
    unit: Fraction
    scale: Fraction


def read(fields: dict[str, str]) -> Found:
    """The header that fields make up; each field with its first value, without comment.

    Raises:
        DialectError: a field says what plain notation cannot, or what nobody understands.
    """
    found, scale = read_meter(fields.get("M", ""))
    meter, rhythm = found, _rhythm(fields)
    if rhythm == "hornpipe" and meter not in HORNPIPE_METERS:
        meter, rhythm = ("4/4", rhythm) if meter == "2/2" else (meter, "")
    unit = read_unit(fields["L"]) if fields.get("L") else default_unit(Fraction(found) / scale)
    key = read_key(fields["K"])
    header = Header(
        title=_title(fields.get("T", "")),
        rhythm=rhythm,
        meter=meter,
        unit=min(max(unit * scale, min(UNIT_LENGTHS)), max(UNIT_LENGTHS)),
        key=_written(key),
    )
    return Found(header, key, unit, scale)


def read_key(text: str) -> Key:
    """`A Dorian`, `Ador`, `F# minor`: a tonic and a mode; `Dmix=c`, `D exp _b ^f`: with accidentals of its own; `Hp`.

    Raises:
        DialectError: it is something else, or its signature has more than seven accidentals.
    """
    said = _CLEF.sub("", " " + text).strip()
    if said in _BAGPIPE_KEYS:
        return Key(2, MIXOLYDIAN, tonic="A")
    match = _KEY.fullmatch(said)
    word = match[3] if match else ""
    mode = mode_of(word) if word != "M" and word.lower() in _MODE_WORDS else None
    if not match or not mode:
        raise DialectError(f"key not understood: {text.strip() or 'none'}")
    fifths = 0 if match[4] else fifths_of(match[1], match[2], mode)
    if abs(fifths) > MAX_KEY_ACCIDENTALS:
        raise DialectError(f"key with more than {MAX_KEY_ACCIDENTALS} accidentals")
    accidentals = (accidental[0] for accidental in re.finditer(_ALTERED, match[5]))
    altered = tuple((accidental[-1].upper(), ACCIDENTALS[accidental[:-1]]) for accidental in accidentals)
    return Key(fifths, mode, altered, match[1] + match[2])


def _written(key: Key) -> Key:
    """The key of the same tonic whose signature is nearest; what differs stands before the notes."""
    if not key.altered:
        return key if key.fifths == fifths_of(key.tonic[0], key.tonic[1:], key.mode) else _nearest(key)
    return _nearest(key)


def _nearest(key: Key) -> Key:
    keys = (Key(fifths_of(key.tonic[0], key.tonic[1:], mode), mode, tonic=key.tonic) for mode in _WRITTEN)
    return min(
        (other for other in keys if abs(other.fifths) <= MAX_KEY_ACCIDENTALS),
        key=lambda other: (sum(other.alter(step) != key.alter(step) for step in STEPS), other.mode != key.mode),
    )


_WRITTEN = tuple(dict.fromkeys(WRITTEN_MODES.values()))


def read_meter(text: str) -> tuple[str, Fraction]:
    """A metre in its one spelling, and by what the notes' lengths are multiplied in it: 4/2 is written as 4/4.

    Raises:
        DialectError: there is none, or none of those that tunes are written in has as many beats.
    """
    said = text.replace(" ", "")
    if said in METERS:
        return METERS[said], Fraction(1)
    if match := re.fullmatch(r"(\d{1,2})/(\d{1,2})", said):
        for scale in _SCALES:
            beat = int(match[2]) / scale
            if f"{match[1]}/{beat}" in METERS:
                return f"{match[1]}/{beat}", scale
    raise DialectError(f"metre not known: {text.strip() or 'none'}")


def read_unit(text: str) -> Fraction:
    """What a note without a length lasts.

    Raises:
        DialectError: it is not a whole note or a half, a quarter … of one.
    """
    said = re.sub(r"^1/1$", "1", text.replace(" ", ""))
    unit = next((unit for unit in _UNITS if str(unit) == said), None)
    if unit is None:
        raise DialectError(f"unit length not known: {text.strip()}")
    return unit


def _title(text: str) -> str:
    """A title in the letters of old tunebooks: no diacritics, no capitals throughout, its article in front.

    A rhythm after a dash is said elsewhere; a colon within a word is a scar of old mail.
    """
    plain = unicodedata.normalize("NFKD", text.replace("’", "'")).encode("ascii", "ignore").decode()
    plain = re.sub(r'[\\%"]|(?<=[a-zA-Z]):(?=[a-zA-Z])', "", " ".join(plain.split()))
    plain = _RHYTHM_IN_TITLE.sub("", plain).strip(" .,-")
    plain = re.sub(r"^(.*?)[.,]*, (The|An?)$", r"\2 \1", plain)
    plain = string.capwords(plain) if plain.isupper() else plain
    return plain[: written_subset.MAX_TITLE_CHARACTERS].strip()


def _rhythm(fields: dict[str, str]) -> str:
    lab_id = _LAB_ID.match(fields.get("Z", ""))
    found = " ".join((fields.get("R") or (lab_id[1] if lab_id else "")).lower().split())
    rhythm = RHYTHMS.get(found, found)
    return (
        rhythm if re.fullmatch(r"[a-z][a-z -]*", rhythm) and len(rhythm) <= written_subset.MAX_RHYTHM_CHARACTERS else ""
    )
