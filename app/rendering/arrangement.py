"""Arranges a MIDI performance: swing, times through, a count-in, tempo and instrument; and lays it out in seconds."""

import io
from dataclasses import dataclass
from fractions import Fraction
from math import inf

import mido

from app.abc.dances import dance_of, quarters_a_minute
from app.abc.meters import Meter
from app.abc.score import Score
from app.errors import RenderError
from app.rendering.synth import Timed

_PERCUSSION_CHANNEL = 9
_HIGH_WOOD_BLOCK, _LOW_WOOD_BLOCK = 76, 77
_CLICK_TICKS_PER_BEAT = 0.25
_LARGEST_TEMPO = 0xFFFFFF  # a set_tempo event holds three bytes of microseconds a quarter note
_USUAL_TEMPO = 500_000  # of a MIDI file that says none
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


class Performance:
    """What sounds, in the order in which it does.

    Attributes:
        timeline: the messages that a synthesiser hears, each with its time.
        duration_s: to the last of all messages.
        notes: as played.
    """

    def __init__(self, events: list[_Event], ticks_per_beat: int) -> None:
        self._events = sorted(events, key=lambda event: event.tick)
        self._ticks_per_beat = ticks_per_beat
        timeline: list[Timed] = []
        self.duration_s, self.notes = 0.0, 0
        tick, tempo = 0, _USUAL_TEMPO
        for event in self._events:
            message = event.message
            self.duration_s += mido.tick2second(event.tick - tick, ticks_per_beat, tempo)
            tick = event.tick
            if message.type == "set_tempo":
                tempo = message.tempo
            elif message.type in _CHANNEL_MESSAGES:
                timeline.append(Timed(self.duration_s, message))
                self.notes += message.type == "note_on" and message.velocity > 0
        self.timeline = tuple(timeline)

    def as_midi(self) -> bytes:
        """A Standard MIDI File of one track."""
        track = mido.MidiTrack()
        tick = 0
        for event in self._events:
            track.append(event.message.copy(time=event.tick - tick))
            tick = event.tick
        file = mido.MidiFile(type=0, ticks_per_beat=self._ticks_per_beat)
        file.tracks.append(track)
        buffer = io.BytesIO()
        file.save(file=buffer)
        return buffer.getvalue()


def arrange(content: bytes, score: Score, wanted: Arrangement, max_notes: float = inf) -> Performance:
    """A performance as it is wanted.

    Args:
        content: what abc2midi made of the tune, repeats played.
        score: the tune, for its metre, rhythm and pickup.
        wanted: how to play it.
        max_notes: as played, all times through together.

    Raises:
        ValueError: the content is no MIDI file.
        RenderError: there are more notes.
    """
    file = _parse(content)
    beat = file.ticks_per_beat
    events = _events(file)
    notes = wanted.repeats * sum(event.message.type == "note_on" and event.message.velocity > 0 for event in events)
    if notes > max_notes:
        raise RenderError(f"it has {notes:,} notes as played; {max_notes:,} are allowed")
    tempo = wanted.tempo or (None if _says_tempo(score) else quarters_a_minute(score))
    if tempo is not None:
        events = [event for event in events if event.message.type != "set_tempo"]
        events.insert(0, _Event(0, mido.MetaMessage("set_tempo", tempo=_tempo_event(tempo))))
    program = wanted.program
    if program is None and not any(event.message.type == "program_change" for event in events):
        program = dance_of(score.rhythm, score.meter).program
    if program is not None:
        events = _on_program(events, program)
    if wanted.swing:
        events = _swung(events, _pickup_ticks(score, beat), beat, wanted.swing)
    if wanted.repeats > 1:
        events = _repeated(events, wanted.repeats, _length_ticks(file))
    if wanted.click:
        events = _counted_in(events, score, beat)
    return Performance(events, beat)


def _parse(content: bytes) -> mido.MidiFile:
    try:
        return mido.MidiFile(file=io.BytesIO(content), clip=True)
    except (OSError, EOFError, ValueError, KeyError, IndexError, TypeError) as error:
        raise ValueError(f"not a readable MIDI file ({error})") from None


def _tempo_event(tempo: float) -> int:
    """A tempo in quarter notes a minute as MIDI says it: microseconds a quarter note."""
    return min(_LARGEST_TEMPO, int(mido.bpm2tempo(tempo)))


def _says_tempo(score: Score) -> bool:
    return bool(score.tempo) or any(bar.tempo for voice in score.voices for bar in voice.bars)


def _events(file: mido.MidiFile) -> list[_Event]:
    """What sounds in all tracks, by time, and at one time by track."""
    events = []
    for track in file.tracks:
        tick = 0
        for message in track:
            tick += message.time
            if message.type in _CHANNEL_MESSAGES or message.type in _META_KEPT:
                events.append(_Event(tick, message))
    return sorted(events, key=lambda event: event.tick)


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
    opening = [event for event in events if _opens(event)]
    rest = [event for event in events if not _opens(event)]
    return opening + clicks + [_Event(event.tick + length, event.message) for event in rest]


def _opens(event: _Event) -> bool:
    return event.tick == 0 and event.message.type in ("set_tempo", "program_change")


def _beats(meter: Meter) -> tuple[int, Fraction]:
    """How many beats a bar has, and how long each is in whole notes."""
    if meter.length is None:
        return 4, Fraction(1, 4)
    return int(meter.length / meter.beat), meter.beat
