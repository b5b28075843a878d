"""A lenient ABC parser: reads one tune's text into a `Score`, and reports what it skips.

Notation: the ABC standard 2.1, sections 3 and 4. It never raises for what stands among the notes, but lists what it
skipped in `faults`.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass, replace
from fractions import Fraction
from itertools import islice
from math import lcm

from app.abc import navigation
from app.abc.accidentals import Accidentals, parse_reach
from app.abc.bar_lengths import misfits
from app.abc.decorations import Symbols
from app.abc.fields import (
    SHORT_TEXT,
    Properties,
    Tempo,
    key_fault,
    named_key,
    parse_meter,
    parse_properties,
    parse_tempo,
    parse_unit,
    parse_voice,
    voice_properties,
)
from app.abc.header import read_header
from app.abc.macros import MAX_EXPANDED, Expanded, Macros
from app.abc.meters import Meter
from app.abc.midi_directives import played_directive
from app.abc.playing_order import times_played
from app.abc.repeats import MAX_PLAYED_BARS
from app.abc.score import MAX_OVERLAYS, Bar, Chord, Score, Tuplet, Voice
from app.abc.symbol_lines import parse_quoted, set_symbols
from app.abc.texts import readable, without_comment
from app.abc.tokens import (
    Note,
    parse_bar_line,
    parse_broken,
    parse_chord,
    parse_ending,
    parse_note,
    parse_notes,
    parse_rest,
    parse_tuplet,
    tokens,
)
from app.abc.tunebook import FIELD, in_text_after
from app.abc.voice_state import VoiceState
from app.abc.voices import agree
from app.errors import Fault

_MAX_FAULTS = 20
_ALL = frozenset(range(100))
"""The notes of any chord that is let through."""

_MAX_GRACES = 20

_WORDINGS = {
    **dict.fromkeys(["^", "_", "=", ",", "'"], "an accidental or octave mark without its note"),
    '"': "a quotation mark without its second",
    "[": "a [ without its ]: the chord is never ended",
    "]": "a ] without its [: the chord has ended already",
    "{": "a { without its }",
    "}": "a } without its {",
}


@dataclass
class Size:
    """How large a tune is, as far as it has been read; all voices together."""

    bars: int = 0
    """a rest of several bars counts as so many"""
    notes: int = 0
    """rests and grace notes too"""
    whole_notes: Fraction = Fraction(0)
    """how long the bars are, each once"""
    divisions: int = 1
    """of a whole note, such that every length is a whole number of them"""


class Reader:
    """Reads one tune; `score`, `faults`, `skipped` and `size` are its result.

    Its work is linear in the text's length. `faults` are all that is wrong with the tune; of them, `skipped` are those
    where something that was written is neither played nor drawn.

    Args:
        abc: the tune.
        measure: told the size so far after each line of music, with the line's number; may raise.
    """

    def __init__(self, abc: str, measure: Callable[[Size, int], None] = lambda _, __: None) -> None:
        self.faults: list[Fault] = []
        self.skipped: list[Fault] = []
        self.size = Size()
        self._denominators: set[int] = set()
        self._place = (1, 1)
        """line and column of what is being read"""
        self._header, body = read_header(abc)
        self._symbols = Symbols(self._header.fields.get("U", []))
        self._macros = Macros(self._header.fields.get("m", []))
        self._declared: dict[str, list[str]] = {}
        for value in self._header.fields.get("V", []):
            self._declared.setdefault(parse_voice(value), []).append(value)
        self._states: dict[str, VoiceState] = {}
        self._now: VoiceState | None = None
        self._part: str | None = None
        """that begins before the first voice"""
        last = abc.count("\n") + abc.count("\r") - abc.count("\r\n") + 1
        in_text = False
        self._place = (max(1, last - len(body)), 1)
        for value in self._header.fields.get("K", [])[:1]:
            self._check_key(value)
        for number, line in enumerate(body, last + 1 - len(body)):
            if line.lstrip().startswith("%"):
                in_text = in_text_after(line, was_in_text=in_text)
                self._directive(line)
            elif in_text:
                continue
            elif match := FIELD.match(line):
                self._place = (number, 1)
                self._body_field(match[1], without_comment(match[2]))
            elif line.strip():
                self._music(line, number)
                measure(self.size, number)
        for state in self._states.values():
            self._close_bar(state)
            if state.decorations and state.voice.bars:
                state.voice.bars[-1].end_decorations += state.take_navigation()
            state.end_ending()
            meter = self._header.meter if self._header.says_meter else Meter(None)  # free, as section 3.1.6 has it
            self.faults += islice(misfits(state.voice, meter, state.places), _MAX_FAULTS)
        measure(self.size, last)
        self.score = self._score()

    def _score(self) -> Score:
        voices = [state.voice for state in self._states.values() if state.voice.bars]
        tempo = self._header.tempo
        agree(voices, tempo.quarters)
        self._settle_leap(voices)
        self._name_unplayed(voices)
        return Score(
            titles=tuple(readable(title)[:SHORT_TEXT] for title in self._header.fields.get("T", [])),
            composer=self._header.first("C"),
            rhythm=self._header.first("R"),
            key=self._header.key,
            meter=self._header.meter,
            tempo=tempo.quarters,
            parts=self._header.first("P"),
            voices=voices,
            tempo_mark=tempo if tempo.words or tempo.count else None,
            directives=self._header.directives,
        )

    def _settle_leap(self, voices: list[Voice]) -> None:
        parts = self._header.first("P")
        has_parts = bool(parts) and any(bar.part for voice in voices for bar in voice.bars)
        if unclear := navigation.settle(voices, has_parts=has_parts):
            number, bar = unclear
            place = self._states[voices[number].id].places[bar]
            self._skip("D.C. or D.S. is shown, not played: it is not plain where it leads", place)

    def _name_unplayed(self, voices: list[Voice]) -> None:
        """Say where music begins to which no time through a repeat leads."""
        if self._header.first("P"):
            return
        for voice in voices:
            times = times_played(voice, None)
            if 0 in times and sum(times) < MAX_PLAYED_BARS:
                place = self._states[voice.id].places[times.index(0)]
                self._fault("it is never played: no time through the repeat leads to this ending", place)
                return

    def _directive(self, line: str) -> None:
        if reach := parse_reach(line):
            self._header = replace(self._header, reach=reach)
            for state in self._states.values():
                state.accidentals = Accidentals(reach)
        elif (directive := played_directive(line)) and self._now is None:
            self._header = replace(self._header, directives=(*self._header.directives, directive))
        elif directive and self._now is not None:
            self._now.directives += (directive,)

    def _state(self) -> VoiceState:
        return self._now or self._turn_to("1")

    def _turn_to(self, name: str) -> VoiceState:
        if name not in self._states:
            head = self._header
            self._states[name] = state = VoiceState(Voice(name), head.unit, head.key, head.meter, head.tempo.quarters)
            state.accidentals = Accidentals(head.reach)
            state.bar.part = self._part
            for said in (head.properties, *map(voice_properties, self._declared.get(name, []))):
                state.turn_to(said)
            state.voice.clef, state.voice.transposition = state.clef, state.bar.transposition or 0
            state.bar.clef = state.bar.transposition = None
        self._now = self._states[name]
        return self._now

    def _body_field(self, name: str, value: str) -> None:
        if name == "V":
            state = self._turn_to(parse_voice(value))
            self._turn_to_properties(state, voice_properties(value))
        elif name == "U":
            self._symbols.define(value)
        elif name == "m":
            self._macros.define(value)
        elif self._now is not None:
            self._field_of_voice(self._now, name, value)
        elif name == "P":
            self._part = value.strip()[:1]
        else:  # what stands before the first voice is said of all
            self._header = self._header.after(name, value)

    def _field_of_voice(self, state: VoiceState, name: str, value: str) -> None:
        if name == "K":
            self._close_if_begun(state)
            self._check_key(value)
            if (key := named_key(value)) is not None:
                state.key = state.bar.key = key
            self._turn_to_properties(state, parse_properties(value))
        elif name == "M":
            self._close_if_begun(state)
            state.meter = state.bar.meter = parse_meter(value)
        elif name == "L":
            state.unit = parse_unit(value) or state.unit
        elif name == "Q":
            self._turn_to_tempo(state, parse_tempo(value, state.unit))
        elif name == "P":
            for other in self._states.values():
                if other is state or len(other.voice.bars) == len(state.voice.bars):
                    self._begin_part(other, value.strip()[:1])
        elif name == "s":
            set_symbols(value, state.sung[state.line_begins :])
        elif name == "w":
            state.sing(value, from_first=self._header.is_strict)

    def _begin_part(self, state: VoiceState, name: str) -> None:
        self._close_if_begun(state)
        if not state.bar.ending:  # not one that begins here too
            state.end_ending()
        state.bar.part = name

    def _turn_to_properties(self, state: VoiceState, said: Properties) -> None:
        state.turn_to(said)
        if not state.voice.bars and not state.bar.chords:
            state.voice.clef = state.clef
            state.voice.transposition = state.bar.transposition or state.voice.transposition
            state.bar.clef = state.bar.transposition = None

    def _turn_to_tempo(self, state: VoiceState, said: Tempo) -> None:
        state.tempo = said.quarters or state.tempo
        if state.bar.chords:
            state.new_tempo = said.quarters or state.new_tempo
            state.bar.changes_tempo_within = state.new_tempo is not None
        else:
            state.bar.tempo = said.quarters or state.bar.tempo
            state.bar.tempo_mark = said

    def _close_if_begun(self, state: VoiceState) -> None:
        """Close the bar where no bar line stands."""
        if state.bar.chords:
            state.bar.line_style = ""
            self._close_bar(state)

    def _music(self, line: str, number: int) -> None:
        state = self._state()
        if not state.goes_on:
            state.begin_line()
        expanded = self._macros.expand(line)
        if expanded is None:
            self._skip(f"macros that would make this line longer than {MAX_EXPANDED:,} characters", (number, 1))
            expanded = Expanded(line, (0,), (0,))
        for token in tokens(expanded.text):
            state = self._state()
            self._place = (number, expanded.column(token.start()) + 1)
            kind = token.lastgroup or ""
            handle = getattr(self, f"_read_{_GROUPS.get(kind, kind)}", None)
            if handle is not None:
                handle(state, token)
            elif kind == "other" and not self._read_symbol(state, token[0]):
                self._skip(_WORDINGS.get(token[0], f"{token[0]!r} is not music"))
            if kind in ("space", "broken") and state.last:
                state.last.joins_next = state.last.joins_next and kind == "broken"
        state.goes_on = without_comment(line).endswith("\\")
        if not state.goes_on and not state.bar.chords and state.voice.bars:  # `|!fine!` ends its line
            state.voice.bars[-1].end_decorations += state.take_navigation(navigation.AT_ENDS)
        if state.is_behind and not state.goes_on:
            state.to_overlay = []
            self._overlay_next(state)

    def _fault(self, message: str, place: tuple[int, int] | None = None) -> None:
        line, column = place or self._place
        if len(self.faults) < _MAX_FAULTS:
            self.faults.append(Fault(message, line=line, column=column))

    def _check_key(self, value: str) -> None:
        if fault := key_fault(value):
            self._fault(fault)

    def _skip(self, message: str, place: tuple[int, int] | None = None) -> None:
        known = len(self.faults)
        self._fault(message, place)
        self.skipped += self.faults[known:]

    def _read_quoted(self, state: VoiceState, token: re.Match[str]) -> None:
        self._take_quoted(state, token[0])

    def _take_quoted(self, state: VoiceState, text: str) -> None:
        symbol, annotation = parse_quoted(text[1:-1])
        state.symbol = symbol or state.symbol
        if annotation and (sign := navigation.named(annotation[1:].strip())) in navigation.SIGNS:
            state.decorations.append(sign)
        elif annotation:
            state.annotations.append(annotation)

    def _read_decoration(self, state: VoiceState, token: re.Match[str]) -> None:
        state.decorations.append(navigation.named(token[0][1:-1]))

    def _read_mark(self, state: VoiceState, token: re.Match[str]) -> None:
        self._read_symbol(state, token[0])

    def _read_symbol(self, state: VoiceState, letter: str) -> bool:
        """Whether a letter stands for something."""
        meant = self._symbols.meaning(letter)
        if meant and meant.startswith('"'):
            self._take_quoted(state, meant)
        elif meant:
            state.decorations.append(meant)
        return meant is not None

    def _read_field(self, _: VoiceState, token: re.Match[str]) -> None:
        self._body_field(token[0][1], token[0][3:-1])

    def _read_ending(self, state: VoiceState, token: re.Match[str]) -> None:
        self._close_if_begun(state)
        state.begin_ending(parse_ending(token[0]))

    def _read_bar(self, state: VoiceState, token: re.Match[str]) -> None:
        if state.is_behind:
            self._overlay_next(state)
            return
        line = parse_bar_line(token["bar"])
        target = state.bar if state.bar.chords else (state.voice.bars[-1] if state.voice.bars else None)
        if target is not None:
            target.closes_repeat = max(target.closes_repeat, line.closes)
            if line.closes or line.style != "|":
                target.line_style = line.style
            if state.in_ending and line.ends_part and not (target is not state.bar and state.bar.ending):
                target.ends_ending, state.in_ending = True, False
        self._close_bar(state)
        state.bar.opens_repeat = max(state.bar.opens_repeat, line.opens)
        state.accidentals.begin_bar()
        if token["number"]:
            state.begin_ending(parse_ending(token["number"]))

    def _close_bar(self, state: VoiceState) -> None:
        bar = state.bar
        if not bar.chords:
            return
        if state.annotations or state.decorations:
            self._end_with(state)
        if state.tuplet_left:
            self._fault("a tuplet that is not filled with as many notes as it names", state.begins)
        state.places.append(state.begins)
        length = bar.length
        self.size.bars += bar.count
        self.size.whole_notes += length * bar.count
        state.voice.bars.append(bar)
        state.bar = Bar(directives=state.directives)
        state.directives = ()
        state.line, state.overlaid, state.to_overlay = state.bar.chords, None, []
        state.accidentals.begin_bar()
        state.last = None

    def _end_with(self, state: VoiceState) -> None:
        """Leave at a bar's end what stands before its bar line and is of no note."""
        state.bar.end_annotations, state.annotations = tuple(state.annotations), []
        state.bar.end_decorations = state.take_navigation(navigation.AT_BAR_LINES)

    def _read_overlay(self, state: VoiceState, token: re.Match[str]) -> None:
        if state.bar.count > 1:
            self._close_bar(state)
        has_music = bool(state.bar.chords)
        back = min(len(token[0]) - has_music, len(state.voice.bars))
        state.to_overlay = state.voice.bars[len(state.voice.bars) - back :] + [state.bar] * has_music
        if state.to_overlay:
            self._overlay_next(state)

    def _overlay_next(self, state: VoiceState) -> None:
        """Begin to overlay the next bar; where there is none, go on behind the last that is closed."""
        if state.is_behind and state.overlaid is not None:
            self.size.whole_notes += max(Fraction(0), state.overlaid.length - state.length_before)
        state.accidentals, state.last, state.tuplet = Accidentals(state.accidentals.reach), None, None
        bar = state.overlaid = state.to_overlay.pop(0) if state.to_overlay else None
        if state.is_behind and bar is not None:
            state.length_before = bar.length
        if bar is None:
            state.line = state.bar.chords
        elif len(bar.overlays) < MAX_OVERLAYS and bar.count == 1:
            state.line = bar.overlaid()
        else:
            state.line = []
            self._skip(f"an overlay where there are {MAX_OVERLAYS}, or of several bars' rest")

    def _read_grace(self, state: VoiceState, token: re.Match[str]) -> None:
        found = parse_notes(token[0])[:_MAX_GRACES]
        state.graces = tuple(state.pitch(note) for note in found)
        state.grace_lengths = tuple(note.length for note in found)

    def _read_tuplet(self, state: VoiceState, token: re.Match[str]) -> None:
        if said := parse_tuplet(token[0], state.meter.is_compound):
            actual, normal, state.tuplet_left = said
            state.tuplet = Tuplet(actual, normal, starts=True)

    def _read_note(self, state: VoiceState, token: re.Match[str]) -> None:
        found = parse_note(token[0])
        self._add(state, [found], found.length)

    def _read_rest(self, state: VoiceState, token: re.Match[str]) -> None:
        bars, length = parse_rest(token[0])
        if length is not None:
            self._add(state, [], length)
        elif bars:
            bars = 1 if state.is_behind else bars
            if bars > 1:
                self._close_if_begun(state)
            self._add(state, [], (state.meter.length or Fraction(1)) / state.unit)
            state.bar.count = bars if not state.is_behind else state.bar.count

    def _read_chord(self, state: VoiceState, token: re.Match[str]) -> None:
        found, length, tied = parse_chord(token[0])
        if found:
            self._add(state, found, length)
            state.tie(tied, self._place)

    def _read_broken(self, state: VoiceState, token: re.Match[str]) -> None:
        if state.last is not None and state.broken == 1:
            first, state.broken = parse_broken(token[0])
            state.last.length *= first
        else:
            self._skip("> or < without a note on both its sides")

    def _read_tie(self, state: VoiceState, _: re.Match[str]) -> None:
        state.tie(_ALL, self._place)

    def _read_slur(self, state: VoiceState, token: re.Match[str]) -> None:
        if token[0].endswith("("):
            state.slurs += 1
        elif state.last:
            state.last.slurs_ended += 1

    def _add(self, state: VoiceState, notes: list[Note], multiple: Fraction) -> None:
        if state.bar.count > 1:
            self._close_bar(state)
        if state.directives and not state.bar.chords:
            state.bar.directives, state.directives = state.bar.directives + state.directives, ()
        tied = state.tied.pop(state.line_number, {})
        length = multiple * state.unit * state.broken
        if tuplet := state.take_of_tuplet():
            length *= Fraction(tuplet.normal, tuplet.actual)
        chord = Chord(
            tuple(state.pitch(note, tied) for note in notes),
            length,
            tuplet,
            state.graces,
            state.symbol,
            tuple(state.annotations),
            tuple(state.decorations),
            slurs_begun=state.slurs,
            joins_next=True,
            unit=state.unit,
            grace_lengths=state.grace_lengths,
            tempo=state.new_tempo,
        )
        if tied and not tied.keys() & {pitch.place for pitch in chord.pitches} and not state.follows_sign:
            self._skip("a tie that leads to no note of the same pitch", state.tie_place)
        if not state.bar.chords:
            state.begins = self._place
        state.line.append(chord)
        state.last = chord
        if notes and not state.line_number:
            state.sung.append((chord, len(state.voice.bars)))
        self._count(chord)
        state.graces, state.grace_lengths, state.symbol, state.slurs, state.broken = (), (), None, 0, Fraction(1)
        state.annotations, state.decorations, state.new_tempo = [], [], None

    def _count(self, chord: Chord) -> None:
        self.size.notes += max(1, len(chord.pitches)) + len(chord.graces)
        if chord.length.denominator not in self._denominators:
            self._denominators.add(chord.length.denominator)
            self.size.divisions = lcm(self.size.divisions, chord.length.denominator)


_GROUPS = {"number": "bar"}


def read(abc: str) -> Score:
    """The score of one tune."""
    return Reader(abc).score
