"""Arranges a MIDI performance: swing, times through, a count-in, tempo and instrument; and lays it out in seconds."""

import io
from collections.abc import Iterable
from dataclasses import dataclass
from fractions import Fraction

import mido

from app.music.performance import manner
from app.music.score import Meter, Score
from app.rendering import midi
from app.rendering.synth import Timed

_PERCUSSION_CHANNEL = 9
_HIGH_WOOD_BLOCK, _LOW_WOOD_BLOCK = 76, 77
_CLICK_TICKS_PER_BEAT = 0.25
_META_KEPT = {"set_tempo", "track_name", "time_signature", "key_signature"}
_CHANNEL_MESSAGES = {"note_on", "note_off", "program_change", "control_change", "pitchwheel"}


@dataclass(frozen=True)
class Arrangement:
    """How a tune is played; None leaves it to the tune, or to its rhythm."""

    tempo: float | None = None
    """quarter notes a minute"""
    program: int | None = None
    """General MIDI, 0–127"""
    repeats: int = 1
    """times through the whole tune"""
    click: bool = False
    """a bar's count-in"""
    swing: float = 0.0
    """0 plays eighths even, 1 plays the first of a pair twice as long as the second"""


@dataclass(frozen=True)
class _Event:
    tick: int
    message: mido.Message


def arrange(content: bytes, score: Score, wanted: Arrangement) -> mido.MidiFile:
    """A performance as it is wanted: one track of what sounds.

    Args:
        content: what abc2midi made of the tune, repeats played.
        score: the tune, for its metre, rhythm and pickup.
        wanted: how to play it.

    Raises:
        ValueError: the content is no MIDI file.
    """
    file = midi.parse(content)
    beat = file.ticks_per_beat
    events = _events(file)
    usual = manner(score.rhythm, score.meter)
    tempo = wanted.tempo or (None if _says_tempo(score) else usual.tempo)
    if tempo is not None:
        events = [event for event in events if event.message.type != "set_tempo"]
        events.insert(0, _Event(0, mido.MetaMessage("set_tempo", tempo=midi.tempo_event(tempo))))
    program = wanted.program
    if program is None and not any(event.message.type == "program_change" for event in events):
        program = usual.program
    if program is not None:
        events = _on_program(events, program)
    if wanted.swing:
        events = _swung(events, _pickup_ticks(score, beat), beat, wanted.swing)
    if wanted.repeats > 1:
        events = _repeated(events, wanted.repeats, _length_ticks(file))
    if wanted.click:
        events = _counted_in(events, score, beat)
    return _file(events, beat)


def timeline(file: mido.MidiFile) -> tuple[Timed, ...]:
    """The messages of a one-track file that a synthesiser hears, each with its time in seconds."""
    made, seconds, tempo = [], 0.0, 500_000
    for message in file.tracks[0]:
        seconds += mido.tick2second(message.time, file.ticks_per_beat, tempo)
        if message.type == "set_tempo":
            tempo = message.tempo
        elif message.type in _CHANNEL_MESSAGES:
            made.append(Timed(seconds, message))
    return tuple(made)


def as_bytes(file: mido.MidiFile) -> bytes:
    """The file as it is stored."""
    buffer = io.BytesIO()
    file.save(file=buffer)
    return buffer.getvalue()


def _says_tempo(score: Score) -> bool:
    return bool(score.tempo) or any(bar.tempo for voice in score.voices for bar in voice.bars)


def _events(file: mido.MidiFile) -> list[_Event]:
    events, tick = [], 0
    for message in mido.merge_tracks(file.tracks):
        tick += message.time
        if message.type in _CHANNEL_MESSAGES or message.type in _META_KEPT:
            events.append(_Event(tick, message))
    return events


def _length_ticks(file: mido.MidiFile) -> int:
    return max((sum(message.time for message in track) for track in file.tracks), default=0)


def _on_program(events: list[_Event], program: int) -> list[_Event]:
    channels = sorted({event.message.channel for event in events if event.message.type == "note_on"})
    kept = [
        event
        for event in events
        if event.message.type != "program_change" or event.message.channel == _PERCUSSION_CHANNEL
    ]
    changes = [mido.Message("program_change", channel=c, program=program) for c in channels if c != _PERCUSSION_CHANNEL]
    return [_Event(0, change) for change in changes] + kept


def _pickup_ticks(score: Score, beat: int) -> int:
    """How much music comes before the first whole bar."""
    first = next((voice.bars[0] for voice in score.voices), None)
    whole = score.meter.length
    if first is None or whole is None or first.length >= whole:
        return 0
    return round(first.length * 4 * beat)


def _swung(events: list[_Event], pickup: int, beat: int, swing: float) -> list[_Event]:
    """Each beat's first half made longer and its second shorter, beats being counted from the first whole bar."""
    half = beat / 2
    long = half * (1 + swing / 3)

    def moved(tick: int) -> int:
        beats, within = divmod(tick - pickup, beat)
        later = within * long / half if within < half else long + (within - half) * (beat - long) / half
        return max(0, pickup + beats * beat + round(later))

    return [_Event(moved(event.tick), event.message) for event in events]


def _repeated(events: list[_Event], times: int, length: int) -> list[_Event]:
    return [_Event(event.tick + turn * length, event.message) for turn in range(times) for event in events]


def _counted_in(events: list[_Event], score: Score, beat: int) -> list[_Event]:
    """Clicks for a bar, which a pickup completes."""
    count, each = _beats(score.meter)
    pickup = Fraction(_pickup_ticks(score, beat), 4 * beat)
    bar = count * each
    length = round((bar - pickup) * 4 * beat)
    clicks: list[_Event] = []
    for index in range(count):
        tick = round(index * each * 4 * beat)
        if tick < length:
            note = _LOW_WOOD_BLOCK if index else _HIGH_WOOD_BLOCK
            on = mido.Message("note_on", channel=_PERCUSSION_CHANNEL, note=note, velocity=100)
            off = mido.Message("note_off", channel=_PERCUSSION_CHANNEL, note=note)
            clicks += [_Event(tick, on), _Event(tick + round(_CLICK_TICKS_PER_BEAT * beat), off)]
    opening = [event for event in events if event.tick == 0 and event.message.type in ("set_tempo", "program_change")]
    rest = [event for event in events if event not in opening]
    return opening + clicks + [_Event(event.tick + length, event.message) for event in rest]


def _beats(meter: Meter) -> tuple[int, Fraction]:
    """How many beats a bar has, and how long each is in whole notes."""
    if meter.beats is None:
        return 4, Fraction(1, 4)
    if meter.is_compound:
        return meter.beats // 3, Fraction(3, meter.unit)
    return meter.beats, Fraction(1, meter.unit)


def _file(events: Iterable[_Event], beat: int) -> mido.MidiFile:
    track = mido.MidiTrack()
    tick = 0
    for event in sorted(events, key=lambda event: event.tick):
        track.append(event.message.copy(time=event.tick - tick))
        tick = event.tick
    file = mido.MidiFile(type=0, ticks_per_beat=beat)
    file.tracks.append(track)
    return file
