"""Reads the measures of one part of MusicXML: each staff a voice, its further voices overlays of its bars."""

from collections.abc import Callable
from fractions import Fraction
from xml.etree.ElementTree import Element

from app.abc import navigation
from app.abc.fields import SHORT_TEXT, Clef, Tempo
from app.abc.keys import Key
from app.abc.meters import Meter
from app.abc.pitch import Pitch
from app.abc.score import DEFAULT_CLEF, MAX_BARS, MAX_OVERLAYS, Bar, Chord, Voice
from app.errors import NotationError
from app.interchange import musicxml_symbols
from app.interchange import musicxml_values as values
from app.interchange.import_report import ImportReport
from app.interchange.musicxml_document import Measure
from app.interchange.musicxml_notes import BeforeNote, Line, Slurs, Tuplets, lasting
from app.interchange.note_groups import join_by_beats

MAX_VOICES = 8
_MAX_DIVISIONS = 100_000
_FINEST = 10**12
"""of a whole note: each change of the divisions may multiply what times in a measure are parts of"""

_MAX_TIMES = 9
_STYLES = {"light-light": "||", "light-heavy": "|]", "heavy-light": "[|"}
_MAX_WORD, _MAX_WORDS = 80, 4
"""characters of a remark, and remarks at a note"""


class Part:
    """One part: its staves as voices."""

    def __init__(self, report: ImportReport, count: Callable[[int], None]) -> None:
        self._report = report
        self._count = count
        self._divisions = 1
        self._staves: dict[int, Voice] = {}
        self._clefs: dict[int, Clef] = {}
        self._clefs_before: dict[int, Clef] = {}
        """in the measure before"""
        self._bars = 0
        self._now = Fraction(0)
        self._last: tuple[Chord, Fraction] | None = None
        self._waiting = BeforeNote()
        self._tuplets = Tuplets()
        self._slurs = Slurs()
        self._new_bar = Bar()
        self._key_now, self._meter_now = Key(), Meter()
        self._number = ""
        """the measure's"""
        self._lines: dict[int, dict[str, Line]] = {}
        self._reach = Fraction(0)
        """how far the measure does, in whole notes"""
        self.key, self.meter = Key(), Meter()
        self.tempo: float | None = None
        self.tempo_mark: Tempo | None = None
        self._transposition = 0

    def take(self, measure: Measure) -> None:
        """A measure."""
        self._bars += 1
        if self._bars > MAX_BARS:
            raise NotationError(f"it has more than the {MAX_BARS:,} bars that are allowed")
        self._number = measure.number
        self._lines = {}
        self._now, self._last = Fraction(0), None
        self._reach = Fraction(0)
        self._bar, self._new_bar = self._new_bar, Bar()
        for element in measure.elements:
            if handle := _HANDLERS.get(element.tag):
                handle(self, element)
        self._end()

    def voices(self) -> list[Voice]:
        """What its staves play; none where nothing does."""
        return [
            voice
            for _, voice in sorted(self._staves.items())
            if any(chord.pitches for bar in voice.bars for line in bar.lines for chord in line)
        ]

    def _end(self) -> None:
        """Close the measure in every staff."""
        whole = self._reach or self.meter.length or Fraction(1)
        for staff in sorted(self._lines.keys() | self._staves.keys() | {1}):
            voice = self._staves.get(staff)
            if voice is None:
                voice = self._staves[staff] = Voice(str(staff), clef=self._clefs.get(staff, DEFAULT_CLEF))
                voice.transposition = self._transposition
                voice.bars += [Bar([Chord((), before.length)]) for before in self._first_staff().bars]
            lines = list(self._lines.get(staff, {}).values())[: 1 + MAX_OVERLAYS]
            if len(self._lines.get(staff, {})) > 1 + MAX_OVERLAYS:
                self._report.leave_out("more than four voices on one staff", self._number)
            offset = max(Fraction(0), (self._meter_now.length or whole) - whole) if self._bars == 1 else Fraction(0)
            main, *overlays = [self._filled(line, whole, offset) for line in lines] or [[Chord((), whole)]]
            bar = self._bar
            voice.bars.append(
                Bar(
                    main, [line for line in overlays if any(chord.pitches for chord in line)], bar.key, bar.meter,
                    bar.tempo, bar.tempo_mark, self._clef_change(voice, staff), bar.transposition, (), bar.part,
                    bar.opens_repeat, bar.closes_repeat, bar.ending, bar.ends_ending, bar.line_style,
                    bar.end_decorations, bar.end_annotations, bar.starts_line,
                )
            )  # fmt: skip
        if self._waiting.annotations or self._waiting.decorations:
            last = next(iter(self._staves.values())).bars[-1]
            last.end_annotations = tuple(self._waiting.annotations)
            last.end_decorations = tuple(name for name in self._waiting.decorations if name in navigation.AT_BAR_LINES)
            self._waiting.annotations, self._waiting.decorations = [], []

    def _first_staff(self) -> Voice:
        return next(iter(self._staves.values()), Voice("1"))

    def _clef_change(self, voice: Voice, staff: int) -> Clef | None:
        now = self._clefs.get(staff, DEFAULT_CLEF)
        before = self._clefs_before.get(staff, voice.clef)
        self._clefs_before[staff] = now
        return now if now != before else None

    def _filled(self, line: Line, whole: Fraction, offset: Fraction) -> list[Chord]:
        """A voice's chords, with a rest to the end of the bar."""
        if line.end < whole:
            line.add(Chord((), whole - line.end), "", whole)
        join_by_beats(line.chords, self._meter_now, offset, line.unbeamed)
        return [chord for chord in line.chords if chord.length]

    # What stands in a measure, by its element.

    def _attributes(self, element: Element) -> None:
        if divisions := values.number_of(element, "divisions"):
            self._divisions = max(1, min(_MAX_DIVISIONS, divisions))
        is_first = self._bars == 1 and not self._now
        bar = self._bar if not self._now else self._new_bar
        if (found := element.find("key")) is not None:
            key = values.key_of_element(found)
            if is_first:
                self.key = key
            elif key != self._key_now:
                bar.key = key
            self._key_now = key
        if (found := element.find("time")) is not None:
            meter = values.meter_of(found)
            if self._bars == 1:
                self.meter = self._meter_now = meter
            elif meter != self._meter_now:
                bar.meter = self._meter_now = meter
        for clef in element.findall("clef"):
            self._clefs[values.whole_number(clef.get("number", "1"), 1)] = values.clef_of(clef)
        if (found := element.find("transpose")) is not None:
            semitones = (values.number_of(found, "chromatic") or 0) + 12 * (
                values.number_of(found, "octave-change") or 0
            )
            semitones = max(-36, min(36, semitones))
            if is_first:
                self._transposition = semitones
            elif semitones != self._transposition:
                bar.transposition = self._transposition = semitones

    def _print(self, element: Element) -> None:
        self._bar.starts_line |= "yes" in (element.get("new-system"), element.get("new-page"))

    def _barline(self, element: Element) -> None:
        ending, repeat = element.find("ending"), element.find("repeat")
        direction = repeat.get("direction") if repeat is not None else None
        if direction == "forward":
            self._bar.opens_repeat = 1
        elif direction == "backward" and repeat is not None:
            self._bar.closes_repeat = max(1, min(_MAX_TIMES, values.whole_number(repeat.get("times", "2"), 2)) - 1)
        if ending is not None:
            if ending.get("type") == "start":
                numbers = "".join(c for c in ending.get("number", "1").replace(" ", "") if c in "0123456789,-")[:10]
                self._bar.ending = numbers.strip(",-0") or "1"
            else:
                self._bar.ends_ending = True
        if element.get("location", "right") == "right":
            self._bar.line_style = _STYLES.get(values.text_of(element, "bar-style"), "|")
        for sign in ("segno", "coda", navigation.STOP):
            if element.find(sign) is not None:
                self._waiting.decorations.append(sign)

    def _sound(self, element: Element) -> None:
        quarters = values.real_number(element.get("tempo", ""))
        if quarters:
            self._turn_to_tempo(quarters, None)

    def _turn_to_tempo(self, quarters: float | None, mark: Tempo | None) -> None:
        if self._bars == 1 and not self._now:
            self.tempo, self.tempo_mark = quarters or self.tempo, mark or self.tempo_mark
        elif not self._now:
            self._bar.tempo, self._bar.tempo_mark = quarters or self._bar.tempo, mark or self._bar.tempo_mark
        elif quarters:
            self._waiting.tempo = quarters

    def _direction(self, element: Element) -> None:
        words = musicxml_symbols.words_of(element)
        mark, sound = musicxml_symbols.tempo_of(element), element.find("sound")
        quarters = values.real_number(sound.get("tempo", "")) if sound is not None else None
        if mark or quarters:
            told = Tempo(" ".join(words)[:SHORT_TEXT], mark.beats if mark else (), mark.count if mark else None)
            own = quarters or (mark.quarters if mark else None)
            self._turn_to_tempo(own, told if told.words or told.count else None)
            return
        if (name := musicxml_symbols.rehearsal_of(element)) and len(name) == 1 and name.isalnum() and not self._now:
            self._bar.part = name
        elif name:
            words.insert(0, name)
        side = "_" if element.get("placement") == "below" else "^"
        self._waiting.decorations += (marks := musicxml_symbols.marks_of(element))
        if not any(mark in musicxml_symbols.NAVIGATION for mark in marks):
            self._waiting.annotations += [f"{side}{word[:_MAX_WORD]}" for word in words]
            del self._waiting.annotations[_MAX_WORDS:]

    def _harmony(self, element: Element) -> None:
        self._waiting.symbol = musicxml_symbols.chord_symbol(element) or self._waiting.symbol

    def _backup(self, element: Element) -> None:
        self._go_to(max(Fraction(0), self._now - self._length(element)))
        self._last = None

    def _forward(self, element: Element) -> None:
        self._go_to(self._now + self._length(element))
        self._last = None

    def _go_to(self, now: Fraction) -> None:
        if now.denominator > _FINEST:
            raise NotationError(f"measure {self._number[:20]}: its divisions have none in common that is read here")
        self._now, self._reach = now, max(self._reach, now)

    def _length(self, element: Element) -> Fraction:
        return Fraction(max(0, values.number_of(element, "duration") or 0), 4 * self._divisions)

    def _note(self, element: Element) -> None:
        pitch = values.pitch_of(element.find("pitch"))
        if element.find("cue") is not None:
            self._report.leave_out("small notes that are cues", self._number)
            if element.find("chord") is None:
                self._forward(element)
            return
        if pitch is None and element.find("rest") is None:
            self._report.leave_out("notes without a pitch", self._number)
        if element.find("grace") is not None:
            if pitch is not None and element.find("chord") is None:
                self._waiting.graces.append(pitch)
            return
        self._count(1)
        if element.find("chord") is not None:
            if pitch is not None and self._last is not None:
                self._join(self._last[0], pitch, element)
            return
        self._begin(element, pitch)

    def _begin(self, element: Element, pitch: Pitch | None) -> None:
        """A note that begins where the one before ends."""
        start = self._now
        length, tuplet = lasting(element, self._length(element))
        self._go_to(start + self._length(element))
        staff, name = values.number_of(element, "staff") or 1, values.text_of(element, "voice") or "1"
        if (
            staff not in self._staves
            and staff not in self._lines
            and len(self._staves.keys() | self._lines.keys()) >= MAX_VOICES
        ):
            self._report.leave_out(f"staves of a part beyond {MAX_VOICES}", self._number)
            self._last = None
            return
        line = self._lines.setdefault(staff, {}).setdefault(name, Line())
        if start < line.end and abs(start - line.end) >= Fraction(1, 128):
            self._report.leave_out("notes that overlap others of their voice", self._number)
            self._last = None
            return
        if start - line.end >= Fraction(1, 128):
            line.add(Chord((), start - line.end), "", start)
        chord = Chord((pitch,) if pitch else (), length)
        line.add(chord, values.text_of(element, "beam"), self._now)
        self._last = (chord, start)
        self._decorate(chord, element)
        self._waiting.give(chord)
        self._waiting = BeforeNote()
        if pitch and element.find("tie[@type='start']") is not None:
            chord.tied = frozenset((0,))
        self._tuplets.count(chord, tuplet, element, (staff, name))

    def _join(self, chord: Chord, pitch: Pitch, element: Element) -> None:
        """A note that sounds with the one before."""
        if not chord.pitches or any(pitch.midi == other.midi for other in chord.pitches):
            return
        chord.pitches = (*chord.pitches, pitch)
        if element.find("tie[@type='start']") is not None:
            chord.tied |= {len(chord.pitches) - 1}

    def _decorate(self, chord: Chord, element: Element) -> None:
        decorations: list[str] = []
        for notations in element.findall("notations"):
            decorations += musicxml_symbols.decorations_of(notations)
            self._slurs.take(chord, notations)
        chord.decorations = tuple(decorations)
        if chord.pitches:
            chord.syllables = tuple(values.syllables_of(element))


_HANDLERS: dict[str, Callable[[Part, Element], None]] = {
    "attributes": Part._attributes,
    "backup": Part._backup,
    "barline": Part._barline,
    "direction": Part._direction,
    "forward": Part._forward,
    "harmony": Part._harmony,
    "note": Part._note,
    "print": Part._print,
    "sound": Part._sound,
}
