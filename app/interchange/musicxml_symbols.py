"""What MusicXML's signs, words and chord symbols are called in ABC."""

from collections.abc import Iterator
from fractions import Fraction
from xml.etree.ElementTree import Element

from app.abc.chord_symbols import Harmony
from app.abc.fields import Tempo
from app.abc.pitch import STEPS
from app.interchange import musicxml_marks as marks

_LEADING_BACK = ("D.C.", "D.S.", "D.C.alfine", "D.S.alfine", "D.C.alcoda", "D.S.alcoda")
NAVIGATION = frozenset({"segno", "coda", "fine", "dacoda", *_LEADING_BACK})
"""Signs of a place in the tune, not of a note."""

_MAX_WORDS = 10
_ACCIDENTALS = {-2: "bb", -1: "b", 0: "", 1: "#", 2: "##"}
_SPELT = {"-": "m", "min": "m", "min7": "m7", "+": "aug", "sus": "sus4"}
"""Spellings of kinds of chord that are read too; what is written is the other."""

_KINDS = {kind: name for name, kind in reversed(marks.SYMBOL_KINDS.items()) if name not in _SPELT}
_MORE_KINDS = {
    "dominant-seventh": "7", "half-diminished": "m7b5", "major-minor": "m(maj7)", "major-ninth": "maj9",
    "minor-ninth": "m9", "dominant-11th": "11", "dominant-13th": "13", "augmented-seventh": "aug7", "none": "N.C.",
}  # fmt: skip
_DECORATIONS = {
    **{sign: name for table in (marks.ARTICULATIONS, marks.ORNAMENTS, marks.TECHNICAL)
       for name, sign in reversed(table.items())},
    "detached-legato": "tenuto", "breath-mark": "breath", "caesura": "breath", "turn": "turn", "mordent": "mordent",
    "stopped": "plus", "accent": "accent", "strong-accent": "marcato", "shake": "trill", "scoop": "slide",
    "inverted-mordent": "uppermordent", "arpeggiate": "arpeggio",
}  # fmt: skip
_WEDGES = {"crescendo": ("crescendo(", "crescendo)"), "diminuendo": ("diminuendo(", "diminuendo)")}
_HEADS = {name: length for length, name in marks.TYPES.items()}


def decorations_of(notations: Element) -> Iterator[str]:
    """What decorates a note."""
    for group in notations:
        if group.tag in ("articulations", "ornaments", "technical"):
            for sign in group:
                if sign.tag == "fingering" and (sign.text or "") in tuple("012345"):
                    yield sign.text or ""
                elif name := _DECORATIONS.get(sign.tag):
                    yield name
        elif group.tag == "fermata":
            yield "invertedfermata" if group.get("type") == "inverted" else "fermata"
        elif group.tag == "arpeggiate":
            yield "arpeggio"


def words_of(direction: Element) -> list[str]:
    """The words that stand beside the staff."""
    found = (" ".join((words.text or "").split()) for words in direction.findall("direction-type/words"))
    return [words for words in found if words][:_MAX_WORDS]


def rehearsal_of(direction: Element) -> str:
    """The name of a part that begins."""
    return " ".join((direction.findtext("direction-type/rehearsal") or "").split())


def marks_of(direction: Element) -> list[str]:
    """Signs, dynamics, and words that say where to go on."""
    found = []
    sound = direction.find("sound")
    told = sound.attrib if sound is not None else {}
    words = " ".join(words_of(direction)).lower()
    until = "alfine" if "fine" in words else "alcoda" if "coda" in words else ""
    for attribute, name in (("fine", "fine"), ("dacapo", "D.C."), ("dalsegno", "D.S."), ("tocoda", "dacoda")):
        if told.get(attribute):
            found.append(name + until if name in ("D.C.", "D.S.") else name)
    for kind in direction.findall("direction-type/*"):
        if kind.tag in ("segno", "coda"):
            found.append(kind.tag)
        elif kind.tag == "dynamics":
            found += [sign.tag for sign in kind if sign.tag in marks.DYNAMICS]
        elif kind.tag == "wedge" and (signs := _WEDGES.get(kind.get("type", ""))):
            found.append(signs[0])
    return found[:_MAX_WORDS]


def tempo_of(direction: Element) -> Tempo | None:
    """What a metronome mark says, such as 3/8 = 120."""
    mark = direction.find("direction-type/metronome")
    if mark is None:
        return None
    beat = _HEADS.get((mark.findtext("beat-unit") or "").strip())
    dots = min(2, len(mark.findall("beat-unit-dot")))
    digits = "".join(c for c in (mark.findtext("per-minute") or "") if c.isdigit() or c == ".")[:8]
    try:
        count = Fraction(digits)
    except (ValueError, ZeroDivisionError):
        return None
    if beat is None or not 0 < count < 1000:
        return None
    return Tempo("", (beat * Fraction(2 ** (dots + 1) - 1, 2**dots),), count)


def chord_symbol(harmony: Element) -> str | None:
    """A chord symbol as ABC has it; None where it is none that is known."""
    kind = harmony.find("kind")
    name = (kind.text or "").strip() if kind is not None else ""
    if name == "none":
        return "N.C."
    root = _tone(harmony, "root")
    if not root:
        return None
    written = (kind.get("text") or "").strip()[:10] if kind is not None else ""
    known = _KINDS.get(name, _MORE_KINDS.get(name))
    quality = written if known is None or (written and Harmony.parse(root + written)) else known
    bass = _tone(harmony, "bass")
    symbol = root + quality + (f"/{bass}" if bass else "")
    return symbol if Harmony.parse(symbol) else root + (known or "") if Harmony.parse(root + (known or "")) else root


def _tone(harmony: Element, which: str) -> str:
    step = (harmony.findtext(f"{which}/{which}-step") or "").strip().upper()
    if len(step) != 1 or step not in STEPS:
        return ""
    try:
        alter = round(float((harmony.findtext(f"{which}/{which}-alter") or "0")[:10]))
    except (ValueError, OverflowError):
        alter = 0
    return step + _ACCIDENTALS.get(alter, "")
