"""A tune as the bars that are compared when it is asked where else they stand.

A shared bar is one whose notes are the same to the ear of a player: the same intervals, in semitones, between the notes
and the same share of the bar for each. What makes no difference: the key it is played in and how it is written (the
signature, accidentals held from earlier in the bar, the octave of the whole), the unit length, 2/4 in sixteenths for
4/4 in eighths, a note written as two that are tied, slurs, beams, grace notes and ornaments, chord symbols, and the
lower notes of chords. What does: one note more, less, longer, or a semitone higher.

Two bars in a row are shared as a run if the step from the first to the second is the same too. A pickup, half a bar
at the most, is passed over: two or three notes say nothing, and one setting of a tune has it where another has not.
"""

import hashlib
from collections.abc import Iterator, Sequence
from fractions import Fraction
from functools import lru_cache
from math import gcd
from typing import NamedTuple

from app.notation import FIELD
from app.reader import Header, parse_key, parse_meter, parse_unit, parse_voice, read_header
from app.score import STEPS, Key, Meter
from app.tokens import TOKEN, Note, broken, chord, notes, rest, tuplet

_WHOLE_NOTE = 2**18 * 3**3 * 5 * 7
"""Ticks; what ABC's notes, tuplets and broken rhythms last is a whole number of them, and an odder length rounded."""


class MelodyBar(NamedTuple):
    """A bar to compare.

    `number` is its place among the tune's bars (0 for a pickup, else from 1 up, whatever their length), `shape` 64 bits
    that equal bars have in common, `high` the MIDI number of its first note.
    """

    number: int
    shape: int
    high: int


class Sound:
    """A note, of a chord the highest, or a rest (None), and its length in ticks."""

    __slots__ = ("is_tied", "pitch", "ticks")

    def __init__(self, pitch: int | None, ticks: int) -> None:
        self.pitch, self.ticks, self.is_tied = pitch, ticks, False


class Bar(NamedTuple):
    """What sounds between two bar lines, and how many ticks its metre has for it."""

    sounds: list[Sound]
    whole: int

    @property
    def ticks(self) -> int:
        return sum([sound.ticks for sound in self.sounds])


def melody(abc: str) -> list[MelodyBar]:
    """The bars of a tune's first voice that are longer than half of its metre."""
    voices = read_voices(abc)
    bars: list[MelodyBar] = []
    for number, bar in enumerate(voices[0], first_number(voices[0])) if voices else ():
        if 2 * bar.ticks > bar.whole:
            bars.append(_melody_bar(bar, number, bars[-1].high if bars else 60))
    return bars


def first_number(bars: list[Bar]) -> int:
    """The number of a voice's first bar: 0 for a pickup, which is shorter than its metre, else 1."""
    return int(bars[0].ticks >= bars[0].whole)


def _melody_bar(bar: Bar, number: int, before: int) -> MelodyBar:
    sounds = _joined(bar.sounds)
    high = next((pitch for pitch, _ in sounds if pitch is not None), before)
    described = ",".join(
        [f"{'z' if pitch is None else pitch - high}:{_share(ticks, bar.whole)}" for pitch, ticks in sounds]
    )
    digest = hashlib.blake2b(described.encode(), digest_size=8).digest()
    return MelodyBar(number, int.from_bytes(digest), high)


def _joined(sounds: list[Sound]) -> list[tuple[int | None, int]]:
    """Pitches and ticks; tied notes and rests in a row are one."""
    joined: list[tuple[int | None, int]] = []
    is_held = False
    for sound in sounds:
        if joined and joined[-1][0] == sound.pitch and (is_held or sound.pitch is None):
            joined[-1] = sound.pitch, joined[-1][1] + sound.ticks
        else:
            joined.append((sound.pitch, sound.ticks))
        is_held = sound.is_tied
    return joined


@lru_cache(1024)
def _share(ticks: int, whole: int) -> tuple[int, int]:
    """The share of a bar as a fraction in lowest terms."""
    divisor = gcd(ticks, whole)
    return ticks // divisor, whole // divisor


def read_voices(abc: str) -> list[list[Bar]]:
    """The bars of each voice that has any; the same bars as those of `app.reader`, which reads all else too."""
    header, body = read_header(abc)
    voices: dict[str, _Voice] = {}
    now: _Voice | None = None
    for line in body:
        for kind, text in _tokens(line):
            if now is None or kind == "V":
                name = parse_voice(text) if kind == "V" else "1"
                now = voices[name] = voices.get(name) or _Voice(header)
            now.take(kind, text)
    for voice in voices.values():
        voice.close_bar()
    return [voice.bars for voice in voices.values() if voice.bars]


def _tokens(line: str) -> Iterator[tuple[str, str]]:
    """The kinds and texts of a line's tokens; fields by their letters and values."""
    if match := FIELD.match(line):
        yield match[1], match[2].split("%")[0]
    elif not line.startswith("%"):
        for token in TOKEN.finditer(line.split("%")[0].rstrip()):
            text = token[0]
            if token.lastgroup == "field":
                yield text[1], text[3:-1]
            else:
                yield token.lastgroup or "", text


class _Voice:
    """One voice as it is being read."""

    def __init__(self, header: Header) -> None:
        self.bars: list[Bar] = []
        self._sounds: list[Sound] = []  # of the bar
        self._held: dict[str, int] = {}  # accidentals, by step
        self._turn_key(header.key)
        self._turn_meter(header.meter)
        self._unit = _ticks(_WHOLE_NOTE, header.unit)
        self._tuplet, self._tuplet_left = (1, 1), 0
        self._broken: Fraction | None = None

    def take(self, kind: str, text: str) -> None:
        if kind == "note":
            (note,) = notes(text)
            self._add(self._pitch(note), note.length)
        elif kind in ("bar", "number", "ending"):
            self.close_bar()
            if kind != "ending":
                self._held.clear()
        elif kind == "grace":
            for note in notes(text):
                self._pitch(note)
        elif kind == "tuplet":
            if said := tuplet(text, self._meter.is_compound):
                actual, normal, self._tuplet_left = said
                self._tuplet = actual, normal
        elif kind == "rest":
            self._rest(*rest(text))
        elif kind == "chord":
            self._chord(*chord(text))
        elif kind == "broken" and self._sounds:
            first, self._broken = broken(text)
            self._sounds[-1].ticks = _ticks(self._sounds[-1].ticks, first)
        elif kind == "tie" and self._sounds:
            self._sounds[-1].is_tied = self._sounds[-1].pitch is not None
        elif kind in ("K", "M", "P"):
            self.close_bar()
            if kind == "K":
                self._turn_key(parse_key(text))
            elif kind == "M":
                self._turn_meter(parse_meter(text))
        elif kind == "L" and (unit := parse_unit(text)):
            self._unit = _ticks(_WHOLE_NOTE, unit)

    def close_bar(self) -> None:
        if self._sounds:
            self.bars.append(Bar(self._sounds, self._whole))
            self._sounds = []
            self._held.clear()

    def _turn_key(self, key: Key) -> None:
        self._signature = {step: key.alter(step) for step in STEPS}

    def _turn_meter(self, meter: Meter) -> None:
        self._meter = meter
        self._whole = _ticks(_WHOLE_NOTE, meter.length or Fraction(1))

    def _pitch(self, note: Note) -> int:
        if note.accidental is not None:
            self._held[note.step] = note.accidental
        return note.natural + self._held.get(note.step, self._signature[note.step])

    def _rest(self, bars: int, length: Fraction | None) -> None:
        for index in range(bars):
            if index:
                self.close_bar()
            self._add(None, length)

    def _chord(self, found: Sequence[Note], length: Fraction, is_tied: bool) -> None:
        if found:
            self._add(max([self._pitch(note) for note in found]), length)
            self._sounds[-1].is_tied = is_tied

    def _add(self, pitch: int | None, length: Fraction | None) -> None:
        """A note or rest of so many unit lengths; None: of a bar."""
        ticks = self._whole if length is None else _ticks(self._unit, length)
        if self._broken is not None:
            ticks, self._broken = _ticks(ticks, self._broken), None
        if self._tuplet_left:
            actual, normal = self._tuplet
            ticks = ticks * normal // actual
            self._tuplet_left -= 1
        self._sounds.append(Sound(pitch, ticks))


def _ticks(of: int, share: Fraction) -> int:
    return of * share.numerator // share.denominator
