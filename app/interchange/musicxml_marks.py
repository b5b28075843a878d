"""Writes what stands at notes and bars in MusicXML: decorations, directions, tempos, words, chord symbols."""

from fractions import Fraction
from xml.etree.ElementTree import Element, SubElement

from app.abc.fields import Tempo
from app.abc.lengths import is_note_value
from app.abc.pitch import ALTERATIONS, STEPS
from app.abc.score import Chord, Syllable

TYPES = {
    Fraction(4): "long", Fraction(2): "breve", Fraction(1): "whole", Fraction(1, 2): "half", Fraction(1, 4): "quarter",
    Fraction(1, 8): "eighth", Fraction(1, 16): "16th", Fraction(1, 32): "32nd", Fraction(1, 64): "64th",
    Fraction(1, 128): "128th",
}  # fmt: skip
"""Names of note heads without dots, by length in whole notes."""

SYMBOL_KINDS = {
    "": "major", "m": "minor", "min": "minor", "-": "minor", "7": "dominant", "maj7": "major-seventh",
    "m7": "minor-seventh", "min7": "minor-seventh", "dim": "diminished", "aug": "augmented", "+": "augmented",
    "6": "major-sixth", "m6": "minor-sixth", "9": "dominant-ninth", "sus4": "suspended-fourth",
    "sus": "suspended-fourth", "sus2": "suspended-second", "5": "power", "dim7": "diminished-seventh",
}  # fmt: skip
ARTICULATIONS = {
    "staccato": "staccato", ">": "accent", "accent": "accent", "emphasis": "accent", "tenuto": "tenuto",
    "wedge": "staccatissimo", "marcato": "strong-accent", "^": "strong-accent", "breath": "breath-mark",
    "slide": "scoop",
}  # fmt: skip
ORNAMENTS = {
    "trill": "trill-mark", "roll": "turn", "turn": "turn", "invertedturn": "inverted-turn", "mordent": "mordent",
    "lowermordent": "mordent", "uppermordent": "inverted-mordent", "pralltriller": "inverted-mordent",
}  # fmt: skip
TECHNICAL = {
    "upbow": "up-bow", "downbow": "down-bow", "snap": "snap-pizzicato", "open": "open-string",
    "thumb": "thumb-position", "plus": "stopped", "+": "stopped",
}  # fmt: skip
_GROUPS = (("ornaments", ORNAMENTS), ("technical", TECHNICAL), ("articulations", ARTICULATIONS))
_FINGERS = frozenset("012345")
DYNAMICS = frozenset(["pppp", "ppp", "pp", "p", "mp", "mf", "f", "ff", "fff", "ffff", "sfz"])
_WEDGES = {
    "crescendo(": "crescendo", "<(": "crescendo", "crescendo)": "stop", "<)": "stop", "diminuendo(": "diminuendo",
    ">(": "diminuendo", "diminuendo)": "stop", ">)": "stop",
}  # fmt: skip
_WORDS = {
    "fine": ("Fine", {"fine": "yes"}),
    "D.C.": ("D.C.", {"dacapo": "yes"}),
    "dacapo": ("D.C.", {"dacapo": "yes"}),
    "D.C.alcoda": ("D.C. al Coda", {"dacapo": "yes"}),
    "D.C.alfine": ("D.C. al Fine", {"dacapo": "yes"}),
    "D.S.": ("D.S.", {"dalsegno": "segno"}),
    "D.S.alcoda": ("D.S. al Coda", {"dalsegno": "segno"}),
    "D.S.alfine": ("D.S. al Fine", {"dalsegno": "segno"}),
    "dacoda": ("To Coda", {"tocoda": "coda"}),
}
"""Words that say where to go on, each with what a program is told of it."""

_SIGNS = {"segno": {"segno": "segno"}, "coda": {"coda": "coda"}}


def text(said: str) -> str:
    """What XML 1.0 can say of a text."""
    return "".join(c for c in said if c.isprintable())


def decorate(notations: Element, chord: Chord) -> None:
    """Add what decorates a note."""
    for group, names in _GROUPS:
        marks = list(dict.fromkeys(names[name] for name in chord.decorations if name in names))
        fingers = [name for name in chord.decorations if name in _FINGERS] if group == "technical" else []
        if marks or fingers:
            parent = SubElement(notations, group)
            for mark in marks:
                SubElement(parent, mark)
            for finger in fingers:
                SubElement(parent, "fingering").text = finger
    if "fermata" in chord.decorations:
        SubElement(notations, "fermata")
    elif "invertedfermata" in chord.decorations:
        SubElement(notations, "fermata", type="inverted")
    if "arpeggio" in chord.decorations:
        SubElement(notations, "arpeggiate")


def directions(measure: Element, decorations: tuple[str, ...], annotations: tuple[str, ...]) -> None:
    """Add what stands beside the staff: signs, words and dynamics."""
    for annotation in annotations:
        element = _direction(measure, "below" if annotation[:1] == "_" else "above")
        SubElement(element, "words").text = text(annotation[1:])
    for name in decorations:
        if name in _SIGNS:
            element = _direction(measure, "above")
            SubElement(element, name)
            SubElement(measure[-1], "sound", _SIGNS[name])
        elif name in _WORDS:
            words, sound = _WORDS[name]
            SubElement(_direction(measure, "above"), "words").text = words
            SubElement(measure[-1], "sound", sound)
        elif name in DYNAMICS:
            SubElement(SubElement(_direction(measure, "below"), "dynamics"), name)
        elif name in _WEDGES:
            SubElement(_direction(measure, "below"), "wedge", type=_WEDGES[name])


def _direction(measure: Element, placement: str) -> Element:
    return SubElement(SubElement(measure, "direction", placement=placement), "direction-type")


def rehearsal(measure: Element, name: str) -> None:
    """Add the name of a part."""
    SubElement(_direction(measure, "above"), "rehearsal").text = text(name)


def tempo(measure: Element, quarters: float | None, mark: Tempo | None) -> None:
    """Add how fast the music goes on, with the words and the beat that the tune has for it.

    Args:
        measure: in which it is said.
        quarters: notes a minute; None where only words are said.
        mark: as the tune says it; None where it says nothing.
    """
    if mark is None or not (mark.words or mark.count):
        if quarters:
            SubElement(measure, "sound", tempo=f"{quarters:g}")
        return
    direction = SubElement(measure, "direction", placement="above")
    if mark.words:
        SubElement(SubElement(direction, "direction-type"), "words").text = text(mark.words)
    if mark.count and mark.quarters:
        single = len(mark.beats) == 1 and is_note_value(mark.beats[0], 1)
        beat, count = (mark.beats[0], float(mark.count)) if single else (Fraction(1, 4), mark.quarters)
        is_dotted = beat not in TYPES
        metronome = SubElement(SubElement(direction, "direction-type"), "metronome")
        SubElement(metronome, "beat-unit").text = TYPES[beat * 2 / 3 if is_dotted else beat]
        if is_dotted:
            SubElement(metronome, "beat-unit-dot")
        SubElement(metronome, "per-minute").text = f"{count:g}"
    if quarters:
        SubElement(direction, "sound", tempo=f"{quarters:g}")


def lyric(note: Element, syllable: Syllable) -> None:
    """Add what is sung to a note."""
    element = SubElement(note, "lyric", number=str(syllable.verse))
    sides = (syllable.joins_before, syllable.joins_next)
    kind = {(True, True): "middle", (True, False): "end", (False, True): "begin"}.get(sides, "single")
    SubElement(element, "syllabic").text = kind
    SubElement(element, "text").text = text(syllable.text)
    if syllable.is_held:
        SubElement(element, "extend")


def harmony(measure: Element, symbol: str) -> None:
    """Add a chord symbol."""
    tone, _, bass = symbol.partition("/")
    step, rest = tone[:1], tone[1:]
    alter = ALTERATIONS.get(rest[:1], 0)
    quality = rest[1:] if alter else rest
    element = SubElement(measure, "harmony")
    root = SubElement(element, "root")
    SubElement(root, "root-step").text = step
    if alter:
        SubElement(root, "root-alter").text = str(alter)
    kind = SubElement(element, "kind", text=text(quality))
    kind.text = SYMBOL_KINDS.get(quality, "other")
    if bass[:1].upper() in tuple(STEPS):
        lowest = SubElement(element, "bass")
        SubElement(lowest, "bass-step").text = bass[0].upper()
        if bass_alter := ALTERATIONS.get(bass[1:2]):
            SubElement(lowest, "bass-alter").text = str(bass_alter)
