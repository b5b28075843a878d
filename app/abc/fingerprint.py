"""Fingerprints of a tune's bars, by which copies and shared passages are found.

A shared bar is one whose notes are the same to the ear of a player: the same intervals, in semitones, between the notes
and the same share of the bar for each. What makes no difference: the key it is played in and how it is written (the
signature, accidentals held from earlier in the bar, the octave of the whole), the unit length, 2/4 in sixteenths for
4/4 in eighths, a note written as two that are tied, slurs, beams, grace notes and ornaments, chord symbols, and the
lower notes of chords. What does: one note more, less, longer, or a semitone higher.

Two bars in a row are shared as a run if the step from the first to the second is the same too. A pickup, half a bar
at the most, is passed over: two or three notes say nothing, and one setting of a tune has it where another has not.
"""

import hashlib
from collections.abc import Callable, Iterable, Mapping, Sequence
from fractions import Fraction
from functools import lru_cache
from math import gcd
from typing import NamedTuple

from app.abc.accidentals import Accidentals
from app.abc.fields import named_key, parse_meter, parse_unit, parse_voice
from app.abc.header import Header, read_header
from app.abc.keys import Key
from app.abc.meters import Meter
from app.abc.overlays import Overlay
from app.abc.pitch import STEPS
from app.abc.score import MAX_BARS
from app.abc.texts import without_comment
from app.abc.tokens import Note, parse_broken, parse_chord, parse_note, parse_notes, parse_rest, parse_tuplet, tokens
from app.abc.tunebook import FIELD, notation_lines

WHOLE_NOTE = 2**18 * 3**3 * 5 * 7
"""Ticks; what ABC's notes, tuplets and broken rhythms last is a whole number of them, and an odder length rounded."""


_NOWHERE: Mapping[int, int] = {}


class MelodyBar(NamedTuple):
    """A bar to compare.

    `number` is its place among the tune's bars (see `first_number`), `shape` 64 bits that equal bars have in common,
    `high` the MIDI number of its first note.
    """

    number: int
    shape: int
    high: int


class Bar(NamedTuple):
    """What sounds between two bar lines, how many ticks its metre has for it, and whether a part ends there."""

    pitches: list[int | None]
    """of each note or rest: of a chord the highest, of a rest None"""
    ticks: list[int]
    ties: set[int]
    """which of them are tied to the next"""
    whole: int
    bars: int = 1
    """how many a rest of several bars stands for"""
    ends_part: bool = False


def melody(abc: str) -> list[MelodyBar]:
    """The bars of a tune's first voice that are longer than half of its metre, of the first `MAX_BARS`."""
    voices = read_voices(abc)
    bars: list[MelodyBar] = []
    number = first_number(voices[0]) if voices else 1
    for bar in voices[0] if voices else ():
        following = min(number + bar.bars, MAX_BARS + 1)
        if 2 * sum(bar.ticks) > bar.whole and number < following:
            first = _melody_bar(bar, number, bars[-1].high if bars else 60)
            bars += [first, *(first._replace(number=later) for later in range(number + 1, following))]
        number = following
    return bars


def first_number(bars: list[Bar]) -> int:
    """The number of a voice's first bar: 0 for a pickup, shorter than its metre, else 1. Others count from there."""
    return int(sum(bars[0].ticks) >= bars[0].whole)


def _melody_bar(bar: Bar, number: int, before: int) -> MelodyBar:
    high = next((pitch for pitch in bar.pitches if pitch is not None), before)
    described = ",".join(
        [_described(None if pitch is None else pitch - high, ticks, bar.whole) for pitch, ticks in _joined(bar)]
    )
    digest = hashlib.blake2b(described.encode(), digest_size=8).digest()
    return MelodyBar(number, int.from_bytes(digest), high)


def _joined(bar: Bar) -> list[tuple[int | None, int]]:
    """Pitches and ticks; tied notes and rests in a row are one."""
    if not bar.ties and None not in bar.pitches:
        return list(zip(bar.pitches, bar.ticks, strict=True))
    joined: list[tuple[int | None, int]] = []
    last: int | None = None
    for index, (pitch, ticks) in enumerate(zip(bar.pitches, bar.ticks, strict=True)):
        if index and pitch == last and (pitch is None or index - 1 in bar.ties):
            joined[-1] = pitch, joined[-1][1] + ticks
        else:
            joined.append((pitch, ticks))
        last = pitch
    return joined


@lru_cache(4096)
def _described(interval: int | None, ticks: int, whole: int) -> str:
    """A note by its interval from the first, or a rest, with its share of the bar in lowest terms."""
    divisor = gcd(ticks, whole)
    return f"{'z' if interval is None else interval}:({ticks // divisor}, {whole // divisor})"


def read_voices(abc: str) -> list[list[Bar]]:
    """The bars of each voice that has any; the same bars as those of `app.abc.reader`, which reads all else too.

    Its work is linear in the text's length.
    """
    header, body = read_header(abc)
    voices: dict[str, _Voice] = {}
    now: _Voice | None = None
    for _, _, line in notation_lines(body):
        if match := FIELD.match(line):
            found = [(match[1], without_comment(match[2]))]
            if now is None and match[1] != "V":
                header = header.after(*found[0])
                continue
        elif line.strip():
            now = now or voices.setdefault("1", _Voice(header))
            found = [(token.lastgroup or "", token[0]) for token in tokens(line)]
        else:
            continue
        for kind, text in found:
            if kind == "field":
                kind, text = text[1], text[3:-1]
            if now is None or kind == "V":
                now = voices.setdefault(parse_voice(text) if kind == "V" else "1", _Voice(header))
            if take := _TAKE.get(kind):
                take(now, text)
        if now is not None:
            now.end_line(line)
    for voice in voices.values():
        voice.close_bar()
    return [voice.bars for voice in voices.values() if voice.bars]


class _Voice:
    """One voice as it is being read."""

    def __init__(self, header: Header) -> None:
        self.bars: list[Bar] = []
        self._unit = _ticks(WHOLE_NOTE, header.unit)
        self._turn_key(header.key)
        self._turn_meter(header.meter)
        self._accidentals = Accidentals(header.reach)
        self._tuplet, self._tuplet_left = (1, 1), 0
        self._broken: Fraction | None = None
        self._last: tuple[Sequence[Note], list[int]] = (), []
        self._led: dict[int, int] = {}  # pitches by place that ties lead on to the next notes
        self._overlay = Overlay()
        self._begin_bar()

    def _begin_bar(self) -> None:
        self._pitches: list[int | None] = []
        self._lengths: list[int] = []
        self._ties: set[int] = set()
        self._count = 1
        self._overlay.end()

    def close_bar(self) -> None:
        if self._pitches:
            self.bars.append(Bar(self._pitches, self._lengths, self._ties, self._whole, self._count))
            self._accidentals.begin_bar()
            self._begin_bar()

    def take_bar_line(self, text: str) -> None:
        if self._overlay.passes(has_music=bool(self._pitches)):
            return
        self.close_bar()
        self._accidentals.begin_bar()
        if self.bars and not text.isdecimal() and any(mark in text for mark in _PART_ENDS):
            self.bars[-1] = self.bars[-1]._replace(ends_part=True)

    def take_ending(self, _: str) -> None:
        self.close_bar()

    def take_overlay(self, signs: str) -> None:
        self._overlay.begin(signs, has_music=bool(self._pitches), bars=len(self.bars))
        if self._overlay.is_on:
            self._tuplet_left = 0

    def end_line(self, line: str) -> None:
        self._overlay.end_line(line, has_music=bool(self._pitches))

    def take_key(self, text: str) -> None:
        self.close_bar()
        if (key := named_key(text)) is not None:
            self._turn_key(key)

    def take_meter(self, text: str) -> None:
        self.close_bar()
        self._turn_meter(parse_meter(text))

    def take_unit(self, text: str) -> None:
        if unit := parse_unit(text):
            self._unit = _ticks(WHOLE_NOTE, unit)

    def take_note(self, text: str) -> None:
        if self._overlay.is_on:
            return
        note, ticks = _note(text, self._unit)
        led, self._led = self._led, {}
        pitch = self._pitch(note, led)
        self._add(pitch, ticks)
        self._last = (note,), [pitch]

    def take_grace(self, text: str) -> None:
        for note in parse_notes(text):
            self._pitch(note)

    def take_chord(self, text: str) -> None:
        found, length, tied = parse_chord(text)
        if found:
            self._strike(found, _ticks(self._unit, length))
            self._tie(tied)

    def take_rest(self, text: str) -> None:
        bars, length = parse_rest(text)
        if length is not None:
            self._strike((), _ticks(self._unit, length))
        elif bars and not (self._overlay.is_on and (bars == 1 or not self._pitches)):
            if bars > 1:
                self.close_bar()
            self._add(None, self._whole)
            self._count = bars

    def take_tuplet(self, text: str) -> None:
        if said := parse_tuplet(text, self._is_compound):
            actual, normal, self._tuplet_left = said
            self._tuplet = actual, normal

    def take_broken(self, text: str) -> None:
        if self._pitches and self._broken is None:
            first, self._broken = parse_broken(text)
            self._lengths[-1] = _ticks(self._lengths[-1], first)

    def take_tie(self, _: str) -> None:
        self._tie(range(len(self._last[0])))

    def _tie(self, indices: Iterable[int]) -> None:
        notes, pitches = self._last
        led = {notes[index].place: pitches[index] for index in indices}
        if self._overlay.is_on or not led or not (self._pitches or self.bars):
            return
        self._led |= led
        if self._pitches:
            self._ties.add(len(self._pitches) - 1)
        else:
            self.bars[-1].ties.add(len(self.bars[-1].pitches) - 1)

    def _turn_key(self, key: Key) -> None:
        self._signature = {step: key.alter(step) for step in STEPS}

    def _turn_meter(self, meter: Meter) -> None:
        self._whole, self._is_compound = _ticks(WHOLE_NOTE, meter.length or Fraction(1)), meter.is_compound

    def _pitch(self, note: Note, led: Mapping[int, int] = _NOWHERE) -> int:
        if note.accidental is not None:
            self._accidentals.take(note)
            return note.natural + note.accidental
        if note.place in led:
            return led[note.place]
        alter = self._accidentals.alter(note)
        return note.natural + (self._signature[note.step] if alter is None else alter)

    def _strike(self, notes: Sequence[Note], ticks: int) -> None:
        if self._overlay.is_on:
            return
        led, self._led = self._led, {}
        pitches = [self._pitch(note, led) for note in notes]
        self._add(max(pitches, default=None), ticks)
        self._last = notes, pitches

    def _add(self, pitch: int | None, ticks: int) -> None:
        if self._count > 1:
            self.close_bar()
        if self._broken is not None:
            ticks, self._broken = _ticks(ticks, self._broken), None
        if self._tuplet_left:
            actual, normal = self._tuplet
            ticks = ticks * normal // actual
            self._tuplet_left -= 1
        self._pitches.append(pitch)
        self._lengths.append(ticks)


_PART_ENDS = (":", "||", "]", "[|")

_TAKE: dict[str, Callable[[_Voice, str], None]] = {
    "note": _Voice.take_note,
    "rest": _Voice.take_rest,
    "chord": _Voice.take_chord,
    "grace": _Voice.take_grace,
    "tuplet": _Voice.take_tuplet,
    "broken": _Voice.take_broken,
    "tie": _Voice.take_tie,
    "overlay": _Voice.take_overlay,
    "bar": _Voice.take_bar_line,
    "number": _Voice.take_bar_line,
    "ending": _Voice.take_ending,
    "P": _Voice.take_ending,
    "K": _Voice.take_key,
    "M": _Voice.take_meter,
    "L": _Voice.take_unit,
}
"""What is done with a token or field of each kind; others are not of the melody."""


@lru_cache(1024)
def _note(text: str, unit: int) -> tuple[Note, int]:
    found = parse_note(text)
    return found, _ticks(unit, found.length)


def _ticks(of: int, share: Fraction) -> int:
    return of * share.numerator // share.denominator
