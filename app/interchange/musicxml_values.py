"""What single elements of MusicXML say: pitches, keys, metres, clefs, words, numbers; bounded, and never an error."""

from collections.abc import Iterator
from xml.etree.ElementTree import Element

from app.abc.fields import Clef
from app.abc.keys import MODES, Key
from app.abc.meters import METER_SIGNS, Meter
from app.abc.pitch import MIDDLE_C_OCTAVE, STEPS, Pitch
from app.abc.score import DEFAULT_CLEF, Syllable
from app.interchange.key_signatures import key_of

RHYTHM_FIELD = "rhythm"
"""The name of the miscellaneous field that says what `R:` does, for which MusicXML has no element of its own."""

_MAX_FIFTHS = 7
_MAX_VERSE = 12
_SIGNS = {"common": "C", "cut": "C|"}


def syllables_of(note: Element) -> Iterator[Syllable]:
    """What is sung to a note, verse by verse."""
    for lyric in note.findall("lyric"):
        verse = whole_number("".join(filter(str.isdigit, lyric.get("number", "1")))[:3], 1)
        text = " ".join(filter(None, (own_text(each) for each in lyric.findall("text"))))
        kind = text_of(lyric, "syllabic")
        if text and 0 < verse <= _MAX_VERSE:
            yield Syllable(
                text[:60],
                verse,
                kind in ("middle", "end"),
                kind in ("begin", "middle"),
                lyric.find("extend") is not None,
            )


def pitch_of(element: Element | None) -> Pitch | None:
    """What a `pitch` says; None where it names none that is known. Quarter tones are rounded."""
    if element is None:
        return None
    step, octave = text_of(element, "step").upper(), number_of(element, "octave")
    if len(step) != 1 or step not in STEPS or octave is None or not 0 <= octave <= 9:
        return None
    alter = real_number(text_of(element, "alter")) or 0
    place = len(STEPS) * (octave - MIDDLE_C_OCTAVE) + STEPS.index(step)
    return Pitch(place, max(-2, min(2, round(alter))))


def key_of_element(element: Element) -> Key:
    """What a `key` says; without its tonic where it names no mode."""
    steps = [own_text(each).upper() for each in element.findall("key-step")]
    alters = [round(real_number(own_text(each)) or 0) for each in element.findall("key-alter")]
    if steps:
        altered = tuple((s, max(-2, min(2, a))) for s, a in zip(steps, alters, strict=False) if s in tuple(STEPS))
        return Key(altered=altered[: len(STEPS)])
    fifths = max(-_MAX_FIFTHS, min(_MAX_FIFTHS, number_of(element, "fifths") or 0))
    mode = MODES.get(text_of(element, "mode").lower())
    return key_of(fifths, mode) if mode else Key(fifths)


def meter_of(element: Element) -> Meter:
    """What a `time` says."""
    beats, unit = text_of(element, "beats"), number_of(element, "beat-type")
    count = sum(whole_number(part, 0) for part in beats.split("+")[:8])
    if element.find("senza-misura") is not None or not unit or not 0 < count <= 99 or unit not in (1, 2, 4, 8, 16, 32):
        return Meter(None)
    sign = _SIGNS.get(element.get("symbol", ""))
    return Meter(count, unit, sign if sign and METER_SIGNS[sign] == (count, unit) else None)


def clef_of(element: Element) -> Clef:
    """What a `clef` says."""
    sign, octaves = text_of(element, "sign"), number_of(element, "clef-octave-change") or 0
    usual = {"G": 2, "F": 4, "C": 3}
    if sign in usual:
        line = number_of(element, "line") or usual[sign]
        return Clef(sign, max(1, min(5, line)), max(-2, min(2, octaves)))
    return Clef("percussion") if sign == "percussion" else DEFAULT_CLEF


def own_text(element: Element) -> str:
    """An element's text on one line."""
    return " ".join((element.text or "").split())


def text_of(element: Element, name: str) -> str:
    """The text on one line of an element's child; empty where there is none."""
    return " ".join((element.findtext(name) or "").split())


def number_of(element: Element, name: str) -> int | None:
    """The whole number that an element's child says; None where there is none."""
    text = text_of(element, name)
    return whole_number(text, 0) if text else None


def whole_number(text: str, otherwise: int) -> int:
    """A whole number of six digits at the most."""
    text = text.strip()
    digits = text.removeprefix("-").removeprefix("+")
    if digits.isascii() and digits.isdigit() and len(digits) <= 6:
        return -int(digits) if text.startswith("-") else int(digits)
    decimal = real_number(text)
    return otherwise if decimal is None else round(decimal)


def real_number(text: str) -> float | None:
    """A number other than nought, below a million; None for anything else."""
    try:
        number = float(text[:20])
    except ValueError:
        return None
    return number if 0 != abs(number) < 1_000_000 else None
