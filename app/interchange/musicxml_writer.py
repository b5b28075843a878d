"""Writes a `Score` as MusicXML 4.0, partwise, for notation programs and the engraver."""

from fractions import Fraction
from functools import lru_cache
from math import lcm
from xml.etree.ElementTree import Element, SubElement, indent, tostring

from app.abc import navigation
from app.abc.duration import default_tempo
from app.abc.fields import Clef
from app.abc.keys import CIRCLE_OF_FIFTHS, Key
from app.abc.lengths import is_power_of_two
from app.abc.meters import Meter
from app.abc.pitch import Pitch
from app.abc.playing_order import repeat_starts, tied_places, ties_over_bars
from app.abc.repeats import ending_turns
from app.abc.score import Bar, Chord, Score, Voice, length_of
from app.abc.written_subset import MAX_KEY_ACCIDENTALS
from app.interchange import musicxml_marks as marks
from app.interchange.musicxml_values import RHYTHM_FIELD

_DOCTYPE = (
    b'<?xml version="1.0" encoding="UTF-8"?>\n'
    b'<!DOCTYPE score-partwise PUBLIC "-//Recordare//DTD MusicXML 4.0 Partwise//EN"'
    b' "http://www.musicxml.org/dtds/partwise.dtd">\n'
)
_DOTS = (Fraction(1), Fraction(3, 2), Fraction(7, 4))
_DRAWN = sorted(
    ((value * dot, name, dots) for value, name in marks.TYPES.items() for dots, dot in enumerate(_DOTS)), reverse=True
)
"""every length that one note head can say, the longest first"""

_QUARTER = Fraction(1, 4)
_BEAMS = {(True, True): "continue", (False, True): "begin", (True, False): "end"}
"""by whether a note is joined to the one before it, and to the one after"""

_KEPT_LENGTHS = 256  # whose pieces are remembered
_ACCIDENTALS = {-2: "flat-flat", -1: "flat", 0: "natural", 1: "sharp", 2: "double-sharp"}
_TIME_SYMBOLS = {"C": "common", "C|": "cut"}
_BAR_STYLES = {"||": "light-light", "|]": "light-heavy", "[|": "heavy-light", "::": "light-heavy"}


def write(score: Score) -> bytes:
    """The score as a MusicXML document; its length is linear in the score's notes, bars and whole notes."""
    divisions = _divisions(score)
    root = Element("score-partwise", version="4.0")
    SubElement(SubElement(root, "work"), "work-title").text = marks.text(score.titles[0] if score.titles else "")
    identification = SubElement(root, "identification")
    if score.composer:
        SubElement(identification, "creator", type="composer").text = marks.text(score.composer)
    SubElement(SubElement(identification, "encoding"), "software").text = "Lilt"
    if score.rhythm:
        field = SubElement(SubElement(identification, "miscellaneous"), "miscellaneous-field", name=RHYTHM_FIELD)
        field.text = marks.text(score.rhythm)
    parts = SubElement(root, "part-list")
    for number, voice in enumerate(score.voices, 1):
        part = SubElement(parts, "score-part", id=f"P{number}")
        SubElement(part, "part-name").text = marks.text(voice.name or "")
    for number, voice in enumerate(score.voices, 1):
        _Part(SubElement(root, "part", id=f"P{number}"), score, voice, divisions).write()
    indent(root, space=" ")
    document: bytes = tostring(root, encoding="utf-8")
    return _DOCTYPE + document


def drawn_notes(score: Score) -> int:
    """How many notes and rests are drawn: one of a long or odd length is drawn as several, tied."""
    return sum(
        bar.count * (len(_pieces(chord.written_length)) * max(1, len(chord.pitches)) + len(chord.graces))
        for voice in score.voices
        for bar in voice.bars
        for line in bar.lines
        for chord in line
    )


def _divisions(score: Score) -> int:
    """Units a quarter note, such that every length is whole."""
    chords = (chord for voice in score.voices for bar in voice.bars for line in bar.lines for chord in line)
    return lcm(*{(chord.length * 4).denominator for chord in chords}, 4)


class _Part:
    """One voice's bars, written one after the other."""

    def __init__(self, element: Element, score: Score, voice: Voice, divisions: int) -> None:
        self._element = element
        self._score = score
        self._voice = voice
        self._divisions = divisions
        self._meter = score.meter
        self._ending = "1"
        self._ties = ties_over_bars(voice, score.parts)
        self._slurs = 0

    def write(self) -> None:
        """All of its measures."""
        number = 0
        starts = _unsigned_starts(self._voice, self._score.parts)
        bars = [
            (single, index, index in starts and not part)
            for index, bar in enumerate(self._voice.bars)
            for part, single in enumerate(bar.single_bars())
        ]
        for index, (bar, written, begins_repeat) in enumerate(bars):
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
            self._left(measure, bar, opens=bool(bar.opens_repeat) or begins_repeat)
            self._attributes(measure, bar, first=index == 0)
            self._directions(measure, bar, first=index == 0)
            self._lines(measure, bar, written)
            marks.directions(measure, bar.end_decorations, bar.end_annotations)
            following = bars[index + 1][0] if index + 1 < len(bars) else None
            self._right(measure, bar, following)

    def _lines(self, measure: Element, bar: Bar, index: int) -> None:
        for number, line in enumerate(bar.lines):
            if not line:
                continue
            into = self._ties.into.get((index, number), set())
            for chord, following, beam in zip(line, [*line[1:], None], _beams(line), strict=True):
                tied = tied_places(chord, following) if following else self._ties.out_of.get((index, number), set())
                self._chord(measure, chord, beam, str(number + 1), into, tied)
                into = tied
            if any(bar.lines[number + 1 :]):
                backup = SubElement(measure, "backup")
                SubElement(backup, "duration").text = self._duration(length_of(line))

    def _duration(self, length: Fraction) -> str:
        return str(int(length * 4 * self._divisions))

    def _left(self, measure: Element, bar: Bar, *, opens: bool) -> None:
        if not opens and not bar.ending:
            return
        line = SubElement(measure, "barline", location="left")
        if opens:
            SubElement(line, "bar-style").text = "heavy-light"
        if bar.ending:
            self._ending = ",".join(map(str, sorted(ending_turns(bar.ending)))) or "1"
            SubElement(line, "ending", number=self._ending, type="start")
        if opens:
            SubElement(line, "repeat", direction="forward")

    def _right(self, measure: Element, bar: Bar, following: Bar | None) -> None:
        style = "light-heavy" if bar.closes_repeat or following is None else _BAR_STYLES.get(bar.line_style)
        stops_here = navigation.STOP in bar.end_decorations
        if not style and not bar.ends_ending and not stops_here:
            return
        line = SubElement(measure, "barline", location="right")
        if style:
            SubElement(line, "bar-style").text = style
        if stops_here:
            SubElement(line, "fermata", type="upright")
        if bar.ends_ending:
            stops = bool(style) or (following is not None and bool(following.opens_repeat))
            SubElement(line, "ending", number=self._ending, type="stop" if stops else "discontinue")
        if bar.closes_repeat:
            repeat = SubElement(line, "repeat", direction="backward")
            if bar.closes_repeat > 1:
                repeat.set("times", str(bar.closes_repeat + 1))

    def _attributes(self, measure: Element, bar: Bar, *, first: bool) -> None:
        key = bar.key or (self._score.key if first else None)
        meter = bar.meter or (self._score.meter if first else None)
        clef = bar.clef or (self._voice.clef if first else None)
        transposition = bar.transposition
        if transposition is None and first:
            transposition = self._voice.transposition or None
        if not (key or meter or clef or transposition is not None):
            return
        attributes = SubElement(measure, "attributes")
        if first:
            SubElement(attributes, "divisions").text = str(self._divisions)
        if key:
            _key(attributes, key)
        if meter:
            _time(attributes, meter)
        if clef:
            _clef(attributes, clef)
        if transposition is not None:
            transpose = SubElement(attributes, "transpose")
            SubElement(transpose, "chromatic").text = str(transposition)

    def _directions(self, measure: Element, bar: Bar, *, first: bool) -> None:
        if bar.part:
            marks.rehearsal(measure, bar.part)
        if bar.tempo or bar.tempo_mark:
            marks.tempo(measure, bar.tempo, bar.tempo_mark)
        elif first:
            marks.tempo(measure, default_tempo(self._score), self._score.tempo_mark)

    def _chord(
        self, measure: Element, chord: Chord, beam: str | None, voice: str, into: set[int], tied: set[int]
    ) -> None:
        """A chord with what stands at it; ties lead into it at some places, and on from it at some."""
        if chord.tempo:
            marks.tempo(measure, chord.tempo, None)
        if chord.symbol:
            marks.harmony(measure, chord.symbol)
        marks.directions(measure, chord.decorations, chord.annotations)
        for grace in chord.graces:
            note = SubElement(measure, "note")
            SubElement(note, "grace")
            _pitch(note, grace)
            SubElement(note, "voice").text = voice
            SubElement(note, "type").text = "16th"
            _accidental(note, grace)
        pieces = _pieces(chord.written_length)
        scale = chord.length / chord.written_length if chord.written_length else Fraction(1)
        for index, (length, name, dots) in enumerate(pieces):
            self._notes(
                measure, chord, length * scale, name, dots, into, tied, first=index == 0, last=index == len(pieces) - 1,
                beam=beam if len(pieces) == 1 else None, voice=voice,
            )  # fmt: skip

    def _notes(
        self, measure: Element, chord: Chord, length: Fraction, name: str | None, dots: int, into: set[int],
        tied: set[int], *, first: bool, last: bool, beam: str | None, voice: str,
    ) -> None:  # fmt: skip
        """One note element for each pitch: for a rest, one."""
        for index, pitch in enumerate(chord.pitches or (None,)):
            note = SubElement(measure, "note")
            if index:
                SubElement(note, "chord")
            if pitch is None:
                SubElement(note, "rest")
            else:
                _pitch(note, pitch)
            SubElement(note, "duration").text = self._duration(length)
            stops = pitch is not None and (not first or pitch.place in into)
            starts = pitch is not None and (not last or pitch.place in tied)
            for is_there, kind in ((stops, "stop"), (starts, "start")):
                if is_there:
                    SubElement(note, "tie", type=kind)
            SubElement(note, "voice").text = voice
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
            if first and not index:
                for syllable in chord.syllables:
                    marks.lyric(note, syllable)

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
            marks.decorate(notations, chord)
        if len(notations):
            note.append(notations)


def _unsigned_starts(voice: Voice, parts: str | None) -> set[int]:
    """Bars to which a repeat leads back without a sign, where none is usual: not at the beginning or after another."""
    return {
        start
        for start in repeat_starts(voice, parts)
        if start and not voice.bars[start - 1].closes_repeat and not voice.bars[start].opens_repeat
    }


def _clef(attributes: Element, clef: Clef) -> None:
    element = SubElement(attributes, "clef")
    SubElement(element, "sign").text = clef.sign
    if clef.sign in ("G", "F", "C"):
        SubElement(element, "line").text = str(clef.line)
    if clef.octaves:
        SubElement(element, "clef-octave-change").text = str(clef.octaves)


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
    if meter.sign:
        element.set("symbol", _TIME_SYMBOLS[meter.sign])
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


@lru_cache(_KEPT_LENGTHS)
def _pieces(length: Fraction) -> tuple[tuple[Fraction, str | None, int], ...]:
    """A written length as notes that can be drawn, to be tied: each with its type and dots."""
    pieces: list[tuple[Fraction, str | None, int]] = []
    while length > 0:
        best = next((drawn for drawn in _DRAWN if drawn[0] <= length), None)
        if best is None or not is_power_of_two(length.denominator):
            return (*pieces, (length, None, 0))
        pieces.append(best)
        length -= best[0]
    return tuple(pieces)


def _beams(chords: list[Chord]) -> list[str | None]:
    """How each note's beam goes on, where notes shorter than a quarter are written without a space between them."""
    short = [bool(chord.pitches) and chord.written_length < _QUARTER for chord in chords]
    joined = [
        chord.joins_next and is_short and is_next_short
        for chord, is_short, is_next_short in zip(chords, short, short[1:], strict=False)
    ]
    return [_BEAMS.get(sides) for sides in zip([False, *joined], [*joined, False], strict=True)]
