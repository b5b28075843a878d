"""Writes a `Score` as MusicXML 4.0, partwise, for notation programs and the engraver."""

from fractions import Fraction
from functools import lru_cache
from math import lcm
from xml.etree.ElementTree import Element, SubElement, indent, tostring

from app.abc.keys import CIRCLE_OF_FIFTHS, Key
from app.abc.meters import Meter
from app.abc.pitch import ALTERATIONS, STEPS, Pitch
from app.abc.playback_defaults import default_tempo
from app.abc.score import Bar, Chord, Score, Voice
from app.abc.written_subset import MAX_KEY_ACCIDENTALS

_DOCTYPE = (
    b'<?xml version="1.0" encoding="UTF-8"?>\n'
    b'<!DOCTYPE score-partwise PUBLIC "-//Recordare//DTD MusicXML 4.0 Partwise//EN"'
    b' "http://www.musicxml.org/dtds/partwise.dtd">\n'
)
_TYPES = {
    Fraction(4): "long", Fraction(2): "breve", Fraction(1): "whole", Fraction(1, 2): "half", Fraction(1, 4): "quarter",
    Fraction(1, 8): "eighth", Fraction(1, 16): "16th", Fraction(1, 32): "32nd", Fraction(1, 64): "64th",
    Fraction(1, 128): "128th",
}  # fmt: skip
_DOTS = (Fraction(1), Fraction(3, 2), Fraction(7, 4))
_DRAWN = sorted(
    ((value * dot, name, dots) for value, name in _TYPES.items() for dots, dot in enumerate(_DOTS)), reverse=True
)
"""every length that one note head can say, the longest first"""

_QUARTER = Fraction(1, 4)
_BEAMS = {(True, True): "continue", (False, True): "begin", (True, False): "end"}
"""by whether a note is joined to the one before it, and to the one after"""

_KEPT_LENGTHS = 256  # whose pieces are remembered
_ACCIDENTALS = {-2: "flat-flat", -1: "flat", 0: "natural", 1: "sharp", 2: "double-sharp"}
_BAR_STYLES = {"||": "light-light", "|]": "light-heavy", "[|": "heavy-light", "::": "light-heavy"}
_SYMBOL_KINDS = {
    "": "major", "m": "minor", "min": "minor", "-": "minor", "7": "dominant", "maj7": "major-seventh",
    "m7": "minor-seventh", "min7": "minor-seventh", "dim": "diminished", "aug": "augmented", "+": "augmented",
    "6": "major-sixth", "m6": "minor-sixth", "9": "dominant-ninth", "sus4": "suspended-fourth",
    "sus": "suspended-fourth", "sus2": "suspended-second", "5": "power", "dim7": "diminished-seventh",
}  # fmt: skip
_ARTICULATIONS = {
    "staccato": "staccato",
    ">": "accent",
    "accent": "accent",
    "tenuto": "tenuto",
    "wedge": "staccatissimo",
}
_ORNAMENTS = {"trill": "trill-mark", "roll": "turn", "turn": "turn", "mordent": "mordent", "lowermordent": "mordent"}
_TECHNICAL = {"upbow": "up-bow", "downbow": "down-bow"}


def write(score: Score) -> bytes:
    """The score as a MusicXML document; its length is linear in the score's notes, bars and whole notes."""
    divisions = _divisions(score)
    root = Element("score-partwise", version="4.0")
    SubElement(SubElement(root, "work"), "work-title").text = _text(score.titles[0] if score.titles else "")
    identification = SubElement(root, "identification")
    if score.composer:
        SubElement(identification, "creator", type="composer").text = _text(score.composer)
    SubElement(SubElement(identification, "encoding"), "software").text = "Lilt"
    parts = SubElement(root, "part-list")
    for number, _ in enumerate(score.voices, 1):
        part = SubElement(parts, "score-part", id=f"P{number}")
        SubElement(part, "part-name").text = ""
    for number, voice in enumerate(score.voices, 1):
        _Part(SubElement(root, "part", id=f"P{number}"), score, divisions).write(voice)
    indent(root, space=" ")
    document: bytes = tostring(root, encoding="utf-8")
    return _DOCTYPE + document


def drawn_notes(score: Score) -> int:
    """How many notes and rests are drawn: those of a long or odd length are several that are tied."""
    return sum(
        bar.count * (len(_pieces(chord.written_length)) * max(1, len(chord.pitches)) + len(chord.graces))
        for voice in score.voices
        for bar in voice.bars
        for chord in bar.chords
    )


def _text(text: str) -> str:
    """What XML 1.0 can say of a text."""
    return "".join(c for c in text if c.isprintable())


def _divisions(score: Score) -> int:
    """Units a quarter note, such that every length is whole."""
    lengths = [chord.length * 4 for voice in score.voices for bar in voice.bars for chord in bar.chords]
    return lcm(*(length.denominator for length in lengths), 4)


class _Part:
    """One voice's bars, written one after the other."""

    def __init__(self, element: Element, score: Score, divisions: int) -> None:
        self._element = element
        self._score = score
        self._divisions = divisions
        self._meter = score.meter
        self._tied: set[tuple[str, int]] = set()
        self._slurs = 0

    def write(self, voice: Voice) -> None:
        number = 0
        bars = [single for bar in voice.bars for single in bar.single_bars()]
        for index, bar in enumerate(bars):
            if bar.meter:
                self._meter = bar.meter
            whole = self._meter.length
            is_short = whole is not None and bar.length < whole
            number += not (index == 0 and is_short)
            measure = SubElement(self._element, "measure", number=str(number))
            if is_short:
                measure.set("implicit", "yes")
            if bar.starts_line and index:
                SubElement(measure, "print", {"new-system": "yes"})
            self._left(measure, bar)
            self._attributes(measure, bar, first=index == 0)
            self._directions(measure, bar, first=index == 0)
            for chord, beam in zip(bar.chords, _beams(bar), strict=True):
                self._chord(measure, chord, beam)
            self._right(measure, bar, last=index == len(bars) - 1)

    def _left(self, measure: Element, bar: Bar) -> None:
        if not bar.opens_repeat and not bar.ending:
            return
        line = SubElement(measure, "barline", location="left")
        if bar.opens_repeat:
            SubElement(line, "bar-style").text = "heavy-light"
        if bar.ending:
            self._ending = bar.ending
            SubElement(line, "ending", number=bar.ending, type="start")
        if bar.opens_repeat:
            SubElement(line, "repeat", direction="forward")

    def _right(self, measure: Element, bar: Bar, *, last: bool) -> None:
        style = "light-heavy" if bar.closes_repeat or last else _BAR_STYLES.get(bar.line_style)
        if not style and not bar.ends_ending:
            return
        line = SubElement(measure, "barline", location="right")
        if style:
            SubElement(line, "bar-style").text = style
        if bar.ends_ending:
            kind = "stop" if bar.closes_repeat else "discontinue"
            SubElement(line, "ending", number=getattr(self, "_ending", "1"), type=kind)
        if bar.closes_repeat:
            repeat = SubElement(line, "repeat", direction="backward")
            if bar.closes_repeat > 1:
                repeat.set("times", str(bar.closes_repeat + 1))

    def _attributes(self, measure: Element, bar: Bar, *, first: bool) -> None:
        key = bar.key or (self._score.key if first else None)
        meter = bar.meter or (self._score.meter if first else None)
        if not (first or key or meter):
            return
        attributes = SubElement(measure, "attributes")
        if first:
            SubElement(attributes, "divisions").text = str(self._divisions)
        if key:
            _key(attributes, key)
        if meter:
            _time(attributes, meter)
        if first:
            clef = SubElement(attributes, "clef")
            SubElement(clef, "sign").text = "G"
            SubElement(clef, "line").text = "2"

    def _directions(self, measure: Element, bar: Bar, *, first: bool) -> None:
        tempo = bar.tempo or (default_tempo(self._score) if first else None)
        if bar.part:
            direction = SubElement(measure, "direction", placement="above")
            SubElement(SubElement(direction, "direction-type"), "rehearsal").text = _text(bar.part)
        if tempo:
            SubElement(measure, "sound", tempo=f"{tempo:g}")

    def _chord(self, measure: Element, chord: Chord, beam: str | None) -> None:
        if chord.symbol:
            _harmony(measure, chord.symbol)
        for annotation in chord.annotations:
            direction = SubElement(measure, "direction", placement="above")
            SubElement(SubElement(direction, "direction-type"), "words").text = _text(annotation)
        for grace in chord.graces:
            note = SubElement(measure, "note")
            SubElement(note, "grace")
            _pitch(note, grace)
            SubElement(note, "voice").text = "1"
            SubElement(note, "type").text = "16th"
            _accidental(note, grace)
        pieces = _pieces(chord.written_length)
        scale = chord.length / chord.written_length if chord.written_length else Fraction(1)
        for index, (length, name, dots) in enumerate(pieces):
            self._notes(
                measure, chord, length * scale, name, dots, first=index == 0, last=index == len(pieces) - 1,
                beam=beam if len(pieces) == 1 else None,
            )  # fmt: skip

    def _notes(
        self, measure: Element, chord: Chord, length: Fraction, name: str | None, dots: int, *, first: bool, last: bool,
        beam: str | None,
    ) -> None:  # fmt: skip
        """One note element for each pitch: for a rest, one."""
        tied = chord.is_tied or not last
        for index, pitch in enumerate(chord.pitches or (None,)):
            note = SubElement(measure, "note")
            if index:
                SubElement(note, "chord")
            if pitch is None:
                SubElement(note, "rest")
            else:
                _pitch(note, pitch)
            SubElement(note, "duration").text = str(int(length * 4 * self._divisions))
            starts, stops = self._ties(note, pitch, tied)
            SubElement(note, "voice").text = "1"
            if name:
                SubElement(note, "type").text = name
            for _ in range(dots):
                SubElement(note, "dot")
            if pitch and first:
                _accidental(note, pitch)
            if chord.tuplet:
                change = SubElement(note, "time-modification")
                SubElement(change, "actual-notes").text = str(chord.tuplet.actual)
                SubElement(change, "normal-notes").text = str(chord.tuplet.normal)
            if beam and not index:
                SubElement(note, "beam", number="1").text = beam
            self._notations(note, chord, starts=starts, stops=stops, first=first and not index, last=last and not index)

    def _ties(self, note: Element, pitch: Pitch | None, tied: bool) -> tuple[bool, bool]:
        if pitch is None:
            self._tied.clear()
            return False, False
        name = (pitch.step, pitch.octave)
        stops = name in self._tied
        self._tied.discard(name)
        if stops:
            SubElement(note, "tie", type="stop")
        if tied:
            SubElement(note, "tie", type="start")
            self._tied.add(name)
        return tied, stops

    def _notations(self, note: Element, chord: Chord, *, starts: bool, stops: bool, first: bool, last: bool) -> None:
        notations = Element("notations")
        if stops:
            SubElement(notations, "tied", type="stop")
        if starts:
            SubElement(notations, "tied", type="start")
        if first and chord.slurs_begun and chord.pitches:
            for _ in range(chord.slurs_begun):
                self._slurs += 1
                SubElement(notations, "slur", type="start", number=str(min(self._slurs, 16)))
        if last and chord.slurs_ended:
            for _ in range(min(chord.slurs_ended, self._slurs)):
                SubElement(notations, "slur", type="stop", number=str(min(self._slurs, 16)))
                self._slurs -= 1
        if chord.tuplet and first and chord.tuplet.starts:
            SubElement(notations, "tuplet", type="start", number="1")
        if chord.tuplet and last and chord.tuplet.stops:
            SubElement(notations, "tuplet", type="stop", number="1")
        if first and chord.pitches:
            for group, names in (
                ("ornaments", _ORNAMENTS),
                ("technical", _TECHNICAL),
                ("articulations", _ARTICULATIONS),
            ):
                marks = [names[name] for name in chord.decorations if name in names]
                if marks:
                    parent = SubElement(notations, group)
                    for mark in dict.fromkeys(marks):
                        SubElement(parent, mark)
            if "fermata" in chord.decorations:
                SubElement(notations, "fermata")
        if len(notations):
            note.append(notations)


def _key(attributes: Element, key: Key) -> None:
    element = SubElement(attributes, "key")
    if key.altered:
        for step in CIRCLE_OF_FIFTHS:
            if alter := key.alter(step):
                SubElement(element, "key-step").text = step
                SubElement(element, "key-alter").text = str(alter)
        if len(element):
            return
    SubElement(element, "fifths").text = str(max(-MAX_KEY_ACCIDENTALS, min(MAX_KEY_ACCIDENTALS, key.fifths)))
    SubElement(element, "mode").text = key.mode.name


def _time(attributes: Element, meter: Meter) -> None:
    element = SubElement(attributes, "time")
    if meter.beats is None:
        SubElement(element, "senza-misura")
        return
    if meter.symbol:
        element.set("symbol", meter.symbol)
    SubElement(element, "beats").text = str(meter.beats)
    SubElement(element, "beat-type").text = str(meter.unit)


def _pitch(note: Element, pitch: Pitch) -> None:
    element = SubElement(note, "pitch")
    SubElement(element, "step").text = pitch.step
    if pitch.alter:
        SubElement(element, "alter").text = str(pitch.alter)
    SubElement(element, "octave").text = str(max(0, min(9, pitch.octave)))


def _accidental(note: Element, pitch: Pitch) -> None:
    if pitch.written is not None:
        SubElement(note, "accidental").text = _ACCIDENTALS[pitch.written]


def _harmony(measure: Element, symbol: str) -> None:
    tone, _, bass = symbol.partition("/")
    step, rest = tone[:1], tone[1:]
    alter = ALTERATIONS.get(rest[:1], 0)
    quality = rest[1:] if alter else rest
    harmony = SubElement(measure, "harmony")
    root = SubElement(harmony, "root")
    SubElement(root, "root-step").text = step
    if alter:
        SubElement(root, "root-alter").text = str(alter)
    kind = SubElement(harmony, "kind", text=_text(quality))
    kind.text = _SYMBOL_KINDS.get(quality, "other")
    if bass[:1] in tuple(STEPS):
        element = SubElement(harmony, "bass")
        SubElement(element, "bass-step").text = bass[0]
        if bass_alter := ALTERATIONS.get(bass[1:2]):
            SubElement(element, "bass-alter").text = str(bass_alter)


@lru_cache(_KEPT_LENGTHS)
def _pieces(length: Fraction) -> tuple[tuple[Fraction, str | None, int], ...]:
    """A written length as notes that can be drawn, to be tied: each with its type and dots."""
    pieces: list[tuple[Fraction, str | None, int]] = []
    while length > 0:
        best = next((drawn for drawn in _DRAWN if drawn[0] <= length), None)
        if best is None or (length.denominator & (length.denominator - 1)):
            return (*pieces, (length, None, 0))
        pieces.append(best)
        length -= best[0]
    return tuple(pieces)


def _beams(bar: Bar) -> list[str | None]:
    """How each note's beam goes on, where notes shorter than a quarter are written without a space between them."""
    short = [bool(chord.pitches) and chord.written_length < _QUARTER for chord in bar.chords]
    joined = [
        chord.joins_next and is_short and is_next_short
        for chord, is_short, is_next_short in zip(bar.chords, short, short[1:], strict=False)
    ]
    return [_BEAMS.get(sides) for sides in zip([False, *joined], [*joined, False], strict=True)]
