"""Reads and writes tune headers: old spellings of key, metre, unit and rhythm in, one spelling in one order out."""

import re
import string
import unicodedata
from fractions import Fraction

from training.dialect.notation import Header, Key
from training.errors import DialectError

ORDER = "XTRMLK"
MOST_ACCIDENTALS = 7  # in a signature; abc2midi calls more unusual
MOST_TITLE_CHARACTERS = 60

_FIFTHS = "FCGDAEB"
_MODES = {
    # the first letters of its name: (its one spelling, sharps of the mode on C)
    "": ("", 0),
    "maj": ("", 0),
    "ion": ("", 0),
    "m": ("m", -3),
    "min": ("m", -3),
    "aeo": ("m", -3),
    "mix": ("mix", -1),
    "dor": ("dor", -2),
    "phr": ("phr", -4),
    "lyd": ("lyd", 1),
}
_MODE_NAMES = {"major", "minor", "ionian", "aeolian", "mixolydian", "dorian", "phrygian", "lydian"}

METERS = {
    # as it is found: as it is written
    "C": "4/4",
    "C|": "2/2",
    **{meter: meter for meter in ("4/4", "2/2", "2/4", "3/4", "3/2", "6/8", "9/8", "12/8", "3/8", "5/4", "7/8")},
}
HORNPIPE_METERS = ("2/4", "4/4")  # abc2midi calls a hornpipe in any other an error
UNITS = (Fraction(1, 8), Fraction(1, 16), Fraction(1, 4))

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
_KEY = re.compile(r"([A-G])([#b]?)\s*([A-Za-z]*)\s*(?:clef=treble|treble)?")


def read(fields: dict[str, str]) -> Header:
    """The header that fields make up; each field with its first value, without comment.

    Raises:
        DialectError: a field says what plain notation cannot, or what nobody understands.
    """
    meter, rhythm = read_meter(fields.get("M", "")), _rhythm(fields)
    if rhythm == "hornpipe" and meter not in HORNPIPE_METERS:
        meter, rhythm = ("4/4", rhythm) if meter == "2/2" else (meter, "")
    return Header(
        title=_title(fields.get("T", "")),
        rhythm=rhythm,
        meter=meter,
        unit=read_unit(fields["L"]) if fields.get("L") else _default_unit(meter),
        key=read_key(fields["K"]),
    )


def write(header: Header) -> str:
    """The header's lines, in order; every tune is number 1, for a number says nothing of its music."""
    values = {
        "X": "1",
        "T": header.title,
        "R": header.rhythm,
        "M": header.meter,
        "L": str(header.unit),
        "K": header.key.name,
    }
    return "\n".join(f"{name}:{values[name]}" for name in ORDER if values[name])


def read_key(text: str) -> Key:
    """`A Dorian`, `Ador`, `F# minor`: a tonic and a mode.

    Raises:
        DialectError: it is something else, or its signature has more than seven accidentals.
    """
    match = _KEY.fullmatch(text.strip())
    mode = match[3] if match else ""
    known = mode in ("", "m") or (mode != "M" and mode.lower() in _MODES) or mode.lower() in _MODE_NAMES
    if not match or not known:
        raise DialectError(f"key not understood: {text.strip() or 'none'}")
    suffix, sharps_on_c = _MODES[mode.lower()[:3] if len(mode) > 1 else mode]
    sharps = _FIFTHS.index(match[1]) - 1 + {"#": 7, "b": -7, "": 0}[match[2]] + sharps_on_c
    if abs(sharps) > MOST_ACCIDENTALS:
        raise DialectError(f"key with more than {MOST_ACCIDENTALS} accidentals")
    return Key(f"{match[1]}{match[2]}{suffix}", sharps)


def read_meter(text: str) -> str:
    """A metre in its one spelling.

    Raises:
        DialectError: there is none, or it is not one of those that tunes are written in.
    """
    meter = METERS.get(text.replace(" ", ""))
    if meter is None:
        raise DialectError(f"metre not known: {text.strip() or 'none'}")
    return meter


def read_unit(text: str) -> Fraction:
    """What a note without a length lasts.

    Raises:
        DialectError: it is not one of those that tunes are written in.
    """
    unit = next((unit for unit in UNITS if str(unit) == text.replace(" ", "")), None)
    if unit is None:
        raise DialectError(f"unit length not known: {text.strip()}")
    return unit


def _default_unit(meter: str) -> Fraction:
    """ABC 2.1, section 3.1.7."""
    return Fraction(1, 16) if Fraction(meter) < Fraction(3, 4) else Fraction(1, 8)


def _title(text: str) -> str:
    """A title in the letters of old tunebooks: no diacritics, no capitals throughout, its article in front.

    A rhythm after a dash is said elsewhere; a colon within a word is a scar of old mail.
    """
    plain = unicodedata.normalize("NFKD", text.replace("’", "'")).encode("ascii", "ignore").decode()
    plain = re.sub(r'[\\%"]|(?<=[a-zA-Z]):(?=[a-zA-Z])', "", " ".join(plain.split()))
    plain = _RHYTHM_IN_TITLE.sub("", plain).strip(" .,-")
    plain = re.sub(r"^(.*?)[.,]*, (The|An?)$", r"\2 \1", plain)
    plain = string.capwords(plain) if plain.isupper() else plain
    return plain[:MOST_TITLE_CHARACTERS].strip()


def _rhythm(fields: dict[str, str]) -> str:
    lab_id = _LAB_ID.match(fields.get("Z", ""))
    found = " ".join((fields.get("R") or (lab_id[1] if lab_id else "")).lower().split())
    rhythm = RHYTHMS.get(found, found)
    return rhythm if re.fullmatch(r"[a-z][a-z -]{0,19}", rhythm) else ""
