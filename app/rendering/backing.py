"""Accompaniment: chords played in the pattern of the dance by guitar or piano, and a bodhrán in a session.

Patterns are those that abc2midi and abctools play, bass and chord in turn: boom-chuck in twos, bass on the beat and
chord on its last eighth in jigs, one bass and two chords in waltzes, held chords in airs, in whatever metre. The bass
begins on the root and goes to the fifth; chords lie under the tune, each as near as it can be to the one before. The
last chord rings from where the tune's last note begins until that ends.
"""

from bisect import bisect_left, bisect_right
from dataclasses import dataclass, replace
from enum import StrEnum
from fractions import Fraction

import mido

from app.abc.chord_symbols import Harmony
from app.abc.harmony import Changes, harmonize, harmony_at
from app.abc.pitch import MIDDLE_C, Pitch
from app.abc.playing_order import PlayedBar
from app.abc.score import Bar, Chord, Score, Voice
from app.rendering.feel import onsets_of
from app.rendering.layout import Layout
from app.rendering.midi_events import CHANNELS, PERCUSSION, Event, Note

_SLOW = {"air", "slow air", "lament", "planxty", "carolan"}
_DOTTED = {"hornpipe", "set dance", "clog", "fling", "barndance", "barn dance", "schottische", "strathspey"}
"""whose tunes are often written dotted, so that a drum's even eighths would fall between their notes"""
_VOLUME, _PAN = 7, 10  # controllers
_LOW_TOM, _HIGH_TOM = 41, 43  # the nearest that General MIDI has to a bodhrán
_SEVENTH_AND_MORE = 4
_GRID = 24  # parts of a quarter note to which what is heard is rounded
_TOP, _MIN_TOP, _CHORD_FLOOR = 64, 57, 48
_NEARLY = 0.05  # of an eighth
_STRUM_TICKS = 6  # from string to string
_MAX_NOTES_AN_EIGHTH, _MAX_NOTES_A_BAR = 2, 8
"""which no pattern exceeds: so much is counted with before any note is made"""


class Backing(StrEnum):
    """Who accompanies."""

    NONE = "none"
    GUITAR = "guitar"
    PIANO = "piano"
    SESSION = "session"


@dataclass(frozen=True)
class _Instrument:
    """`name` of its track, General MIDI program, the bass's range, volume and place from left to right (64 middle)."""

    name: str
    program: int
    bass: tuple[int, int]
    volume: int
    pan: int
    is_strummed: bool


_GUITAR = _Instrument("Guitar", 25, (40, 51), 94, 42, is_strummed=True)
_PIANO = _Instrument("Piano", 0, (36, 47), 100, 46, is_strummed=False)
_BODHRAN = "Bodhrán"
_BODHRAN_VOLUME, _BODHRAN_PAN = 82, 86
_LOUD = range(72, 80)
_LOUDER = 1.3
"""how much more the accompaniment is turned up under flutes and whistles, of which fonts make more than of fiddles"""

_MAX_VALUE = 127


@dataclass(frozen=True)
class _Hit:
    """What is struck at an eighth of a bar: `bass`, `fifth` or `chord`; for how many eighths, and how strongly."""

    at: float
    what: str
    lasts: float
    velocity: int


@dataclass(frozen=True)
class Accompaniment:
    """Its notes, the messages before them, and its channels with their names."""

    notes: list[Note]
    events: list[Event]
    parts: dict[int, str]


def notes_at_most(layout: Layout) -> int:
    """How many notes an accompaniment may have, at the most."""
    eighths = sum(layout.ticks(bar.length) // layout.eighth + 1 for bar in layout.bars)
    return _MAX_NOTES_AN_EIGHTH * eighths + _MAX_NOTES_A_BAR * len(layout.bars)


def chords_for(score: Score, layout: Layout, tune: list[Note], semitones: int) -> list[Changes]:
    """Chords by bar of the layout's: the score's, or where the layout does not follow it of what is heard."""
    if layout.follows_score:
        return harmonize(score)
    starts = [note.start for note in tune]
    bars = []
    for bar in layout.bars:
        start, end = layout.start(bar), layout.start(bar) + layout.ticks(bar.length)
        heard = tune[bisect_left(starts, start) : bisect_left(starts, end)]
        bars.append(_heard(bar, heard, start, layout, semitones))
    return harmonize(replace(score, voices=[Voice("1", bars)]))


def _heard(bar: PlayedBar, notes: list[Note], start: int, layout: Layout, semitones: int) -> Bar:
    """A bar as it would be written that sounds so."""
    onsets = sorted({note.start: note.pitch - semitones for note in notes}.items())
    chords = []
    position = start
    ends = [*(at for at, _ in onsets), start + layout.ticks(bar.length)][1:]
    for (at, pitch), until in zip(onsets, ends, strict=True):
        if at - position > 1:
            chords.append(Chord((), _whole_notes(at - position, layout)))
        else:
            at = position
        chords.append(Chord((Pitch(0, pitch - MIDDLE_C),), _whole_notes(until - at, layout)))
        position = until
    return Bar(chords or [Chord((), bar.length)], line_style="||" if bar.ends_section else "|")


def _whole_notes(ticks: int, layout: Layout) -> Fraction:
    return Fraction(round(ticks * _GRID / layout.ticks_per_beat), 4 * _GRID)


def accompany(
    layout: Layout,
    changes: list[Changes],
    backing: Backing,
    tune: list[Note],
    semitones: int,
    programs: dict[int, int],
    *,
    is_strummed: bool,
    goes_on: bool,
) -> Accompaniment:
    """What accompanies a tune.

    Args:
        layout: where its bars fall.
        changes: chords by bar of the score.
        backing: who plays.
        tune: its notes, by their beginnings, which the chords stay under.
        semitones: by which it sounds higher than it is written.
        programs: the instruments of the tune's channels, none of which is free.
        is_strummed: whether a guitar's strings sound one after another.
        goes_on: whether another tune follows, so that the last bar is one like others.
    """
    instrument = _PIANO if backing is Backing.PIANO else _GUITAR
    if not is_strummed:
        instrument = replace(instrument, is_strummed=False)
    channel = next(
        channel for channel in reversed(range(CHANNELS)) if channel not in programs and channel != PERCUSSION
    )
    player = _Player(layout, instrument, channel, tune)
    notes: list[Note] = []
    last = len(layout.bars) if goes_on else len(layout.bars) - 1
    for number, bar in enumerate(layout.bars):
        if bar.number >= 0:
            notes += player.play(bar, changes, semitones, is_last=number == last)
    louder = _LOUDER if any(program in _LOUD for program in programs.values()) else 1.0
    events = _setting(channel, round(instrument.volume * louder), instrument.pan)
    events.insert(0, Event(0, mido.Message("program_change", channel=channel, program=instrument.program)))
    parts = {channel: instrument.name}
    if backing is Backing.SESSION and layout.dance.name not in _SLOW:
        notes += [note for bar in layout.bars[:last] if bar.number >= 0 for note in _bodhran(bar, layout)]
        events += _setting(PERCUSSION, round(_BODHRAN_VOLUME * louder), _BODHRAN_PAN)
        parts[PERCUSSION] = _BODHRAN
    return Accompaniment(notes, events, parts)


def _setting(channel: int, volume: int, pan: int) -> list[Event]:
    return [
        Event(0, mido.Message("control_change", channel=channel, control=control, value=min(_MAX_VALUE, value)))
        for control, value in ((_VOLUME, volume), (_PAN, pan))
    ]


class _Player:
    """One who plays chords, and remembers how the last one lay."""

    def __init__(self, layout: Layout, instrument: _Instrument, channel: int, tune: list[Note]) -> None:
        self._layout = layout
        self._instrument = instrument
        self._channel = channel
        self._tune = tune
        self._starts = [note.start for note in tune]
        self._ends = max((note.end for note in tune), default=0)
        self._last: tuple[int, ...] = ()

    def play(self, bar: PlayedBar, changes: list[Changes], semitones: int, *, is_last: bool) -> list[Note]:
        """One bar."""
        layout = self._layout
        start = layout.start(bar)
        end = start + layout.ticks(bar.length)
        pattern = _pattern(layout, bar)
        closes = self._closes(bar, changes) if is_last else None
        hits = pattern if closes is None else [hit for hit in pattern if hit.at < closes] + _closing(closes)
        notes: list[Note] = []
        sounding: Harmony | None = None
        bass: Note | None = None
        for hit in hits:
            at = start + round(hit.at * layout.eighth)
            if at >= end:
                continue
            position = Fraction(round(hit.at * layout.eighth), 4 * layout.ticks_per_beat)
            harmony = harmony_at(changes, bar.index, position) if bar.index < len(changes) else None
            if harmony is None:
                continue
            harmony = harmony.moved(semitones)
            rings_on = closes is not None and hit.at >= closes
            until = max(self._ends, at + 2 * layout.eighth) if rings_on else at + round(hit.lasts * layout.eighth)
            until = until if rings_on else min(end, until)
            is_root = hit.what == "bass" or (hit.what == "fifth" and (sounding is None or sounding != harmony))
            if hit.what == "chord":
                notes += self._chord(harmony, at, until, hit.velocity, bass if bass and bass.end > at else None)
            else:
                pitch = self._bass(harmony.bass if is_root else harmony.tones[-1 if len(harmony.tones) < 3 else 2])
                bass = Note(at, until, pitch, hit.velocity, self._channel)
                notes.append(bass)
                sounding = harmony
        return notes

    def _closes(self, bar: PlayedBar, changes: list[Changes]) -> float:
        """The eighth of the last bar at which the last chord is struck: with the tune's last note, if on a beat."""
        layout = self._layout
        last = changes[bar.index][-1][0] if bar.index < len(changes) and changes[bar.index] else Fraction(0)
        since = (self._starts[-1] - layout.start(bar)) / layout.eighth if self._starts else 0.0
        size = 3 if bar.meter.is_compound else 2
        beat = size * round(since / size)
        return max(layout.ticks(last) / layout.eighth, float(beat) if abs(since - beat) < _NEARLY else 0.0)

    def _bass(self, tone: int) -> int:
        low, high = self._instrument.bass
        return next(pitch for pitch in range(low, high + 1) if pitch % 12 == tone % 12)

    def _chord(self, harmony: Harmony, at: int, until: int, velocity: int, bass: Note | None) -> list[Note]:
        """A chord without the bass that sounds already."""
        top = max(_MIN_TOP, min(_TOP, self._lowest_of_tune(at, until) - 1))
        pitches = self._voicing(harmony, top)
        self._last = pitches
        spread = _STRUM_TICKS if self._instrument.is_strummed else 0
        return [
            Note(at + spread * index, max(until, at + spread * index + 1), pitch, velocity - 2 * index, self._channel)
            for index, pitch in enumerate(pitches)
            if bass is None or pitch != bass.pitch
        ]

    def _lowest_of_tune(self, at: int, until: int) -> int:
        first = max(0, bisect_right(self._starts, at) - 1)
        last = bisect_right(self._starts, until)
        return min((note.pitch for note in self._tune[first:last]), default=_TOP + 1)

    def _voicing(self, harmony: Harmony, top: int) -> tuple[int, ...]:
        """Three notes below `top`: of those that fit the nearest to the last chord's."""
        tones = harmony.tones[:_SEVENTH_AND_MORE] if len(harmony.tones) > 2 else (*harmony.tones, harmony.tones[0])
        options = []
        for highest in range(top, max(top - 12, _CHORD_FLOOR + 5), -1):
            if highest % 12 not in tones:
                continue
            pitches, pitch = [highest], highest - 1
            while len(pitches) < 3 and pitch >= _CHORD_FLOOR - 2:
                if pitch % 12 in tones:
                    pitches.append(pitch)
                pitch -= 1
            options.append(tuple(reversed(pitches)))
        if not options:
            return (next(pitch for pitch in range(top, top - 12, -1) if pitch % 12 == harmony.root),)
        if not self._last:
            return options[0]
        return min(options, key=lambda option: abs(sum(option) / len(option) - sum(self._last) / len(self._last)))


def _eighths(layout: Layout, bar: PlayedBar) -> float:
    return layout.ticks(bar.meter.length or bar.length) / layout.eighth


def _pattern(layout: Layout, bar: PlayedBar) -> list[_Hit]:
    """What is struck in a bar."""
    eighths = _eighths(layout, bar)
    name = layout.dance.name
    if name in _SLOW:
        parts = round(eighths / 3) if bar.meter.is_compound else 2 if eighths % 4 == 0 else 1
        lasts = eighths / parts
        return [
            hit
            for part in range(parts)
            for hit in (_Hit(part * lasts, "bass", lasts, 58), _Hit(part * lasts + 1, "chord", lasts - 1, 50))
        ]
    if bar.meter.is_compound:
        beats = round(eighths / 3)
        return [
            hit
            for beat in range(beats)
            for hit in (
                _Hit(3 * beat, "fifth" if beat % 2 else "bass", 1.25, 66 if not beat else 60),
                _Hit(3 * beat + 2, "chord", 0.8, 56),
            )
        ]
    if eighths == 6:
        second = 62 if name == "mazurka" else 55  # a mazurka's stress
        return [_Hit(0, "bass", 1.5, 66), _Hit(2, "chord", 1.0, second), _Hit(4, "chord", 1.0, 52)]
    if name == "polka":
        return [
            hit
            for beat in range(round(eighths / 2))
            for hit in (_Hit(2 * beat, "fifth" if beat % 2 else "bass", 0.9, 62), _Hit(2 * beat + 1, "chord", 0.7, 60))
        ]
    return [
        _Hit(2 * beat, "chord", 0.8, 58) if beat % 2 else _Hit(2 * beat, "fifth" if beat % 4 else "bass", 1.6, 64)
        for beat in range(max(1, round(eighths / 2)))
    ]


def _closing(at: float) -> list[_Hit]:
    """One chord that is left to ring."""
    return [_Hit(at, "bass", 0, 64), _Hit(at, "chord", 0, 56)]


def _bodhran(bar: PlayedBar, layout: Layout) -> list[Note]:
    """Every eighth, down and up, the beat's first the lower and louder; crotchets in threes, as waltzes have chords."""
    beat = 3 if bar.meter.is_compound else 2 if layout.dance.name == "polka" else 4
    if is_in_threes := not bar.meter.is_compound and bool(_eighths(layout, bar) % 4):
        beat = 6
    start = layout.start(bar)
    notes = []
    off_beats = _dotted(bar, layout)
    for eighth in range(0, round(layout.ticks(bar.length) / layout.eighth), 2 if is_in_threes else 1):
        at = start + round(off_beats.get(eighth, eighth) * layout.eighth)
        is_strong = eighth % beat == 0
        velocity = (62 if not eighth else 54) if is_strong else 34 if eighth % 2 else 40
        notes.append(Note(at, at + layout.eighth // 2, _LOW_TOM if is_strong else _HIGH_TOM, velocity, PERCUSSION))
    return notes


def _dotted(bar: PlayedBar, layout: Layout) -> dict[int, float]:
    """The off-beats that a tune has a sixteenth late or early, and where, in eighths from the bar's beginning."""
    if layout.dance.name not in _DOTTED or bar.meter.is_compound:
        return {}
    offset = layout.ticks(bar.offset) / layout.eighth
    onsets = {onset - offset for onset in onsets_of(bar, layout) or []}
    found = {}
    for onset in onsets:
        beat = onset // 2 * 2
        if onset - beat in (0.5, 1.5) and beat + 1 not in onsets and beat + 2 - (onset - beat) not in onsets:
            found[round(beat + 1)] = onset
    return found
