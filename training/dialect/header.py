"""Parses tune headers in any spelling of key, metre, unit length, rhythm and title, into one normal form."""

import re
import string
import unicodedata
from fractions import Fraction

from app.abc import written_subset
from app.abc.keys import TONIC, Key, fifths_of, mode_of
from app.abc.meters import SYMBOLS, default_unit
from app.abc.plain import Header
from app.abc.written_subset import HORNPIPE_METERS, MAX_KEY_ACCIDENTALS, UNIT_LENGTHS, WRITTEN_MODES
from training.errors import DialectError

_MODE_WORDS = {"", "m", *WRITTEN_MODES, *(name[:3] for name in WRITTEN_MODES)}

METERS = {meter: "{}/{}".format(*SYMBOLS[meter]) if meter in SYMBOLS else meter for meter in written_subset.METERS}
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
_KEY = re.compile(rf"{TONIC}\s*([A-Za-z]*)\s*(?:clef=treble|treble)?")


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
        unit=read_unit(fields["L"]) if fields.get("L") else default_unit(Fraction(meter)),
        key=read_key(fields["K"]),
    )


def read_key(text: str) -> Key:
    """`A Dorian`, `Ador`, `F# minor`: a tonic and a mode.

    Raises:
        DialectError: it is something else, or its signature has more than seven accidentals.
    """
    match = _KEY.fullmatch(text.strip())
    word = match[3] if match else ""
    mode = mode_of(word) if word != "M" and word.lower() in _MODE_WORDS else None
    if not match or not mode:
        raise DialectError(f"key not understood: {text.strip() or 'none'}")
    fifths = fifths_of(match[1], match[2], mode)
    if abs(fifths) > MAX_KEY_ACCIDENTALS:
        raise DialectError(f"key with more than {MAX_KEY_ACCIDENTALS} accidentals")
    return Key(fifths, mode, tonic=match[1] + match[2])


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
    unit = next((unit for unit in UNIT_LENGTHS if str(unit) == text.replace(" ", "")), None)
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
