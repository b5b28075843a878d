"""MIDI messages and notes by tick, and a performance of them: as a timeline in seconds, or as a MIDI file."""

import io
from bisect import bisect_right
from collections.abc import Iterable
from dataclasses import dataclass, replace

import mido

from app.rendering.synth import Timed

PERCUSSION = 9
CHANNELS = 16
CHANNEL_MESSAGES = {"note_on", "note_off", "program_change", "control_change", "pitchwheel"}
USUAL_TEMPO = 500_000  # of a MIDI file that says none
TUNE = "Tune"
"""the name of the part that is accompanied"""
_MAX_VELOCITY = 127
_EXCERPTS = 12


@dataclass(frozen=True)
class Event:
    """A message and its time."""

    tick: int
    message: mido.Message


@dataclass(frozen=True, slots=True)
class Note:
    """A note from its beginning to its end, in ticks."""

    start: int
    end: int
    pitch: int
    velocity: int
    channel: int
    softer: int = 0
    """how much weaker an ornament's note is than its place would have it"""

    def struck(self, velocity: float) -> "Note":
        """The same with another velocity, held to what MIDI has."""
        return replace(self, velocity=max(1, min(_MAX_VELOCITY, round(velocity))))


class Performance:
    """What sounds, in the order in which it does.

    Attributes:
        timeline: the messages that a synthesiser hears, each with its time.
        duration_s: to the last of all messages.
        notes: as played.
        events: all messages by their ticks.
        ticks_per_beat: ticks of a quarter note.
        parts: channels that the file has on tracks of their own, each with its name; none for a file of one track.
        begins: the tick at which the tune does, after its count-in.
        accompanists: channels of those who accompany.
    """

    def __init__(
        self, events: list[Event], ticks_per_beat: int, parts: dict[int, str] | None = None, begins: int = 0
    ) -> None:
        self.events = sorted(events, key=lambda event: event.tick)
        self.ticks_per_beat = ticks_per_beat
        self.parts = parts or {}
        self.begins = begins
        self.accompanists = frozenset(channel for channel, name in self.parts.items() if name != TUNE)
        timeline: list[Timed] = []
        self.duration_s, self.notes = 0.0, 0
        since, since_s, tempo = 0, 0.0, USUAL_TEMPO
        for event in self.events:
            message = event.message
            self.duration_s = since_s + mido.tick2second(event.tick - since, ticks_per_beat, tempo)
            if message.type == "set_tempo":
                since, since_s, tempo = event.tick, self.duration_s, message.tempo
            elif message.type in CHANNEL_MESSAGES:
                timeline.append(Timed(self.duration_s, message))
                self.notes += message.type == "note_on" and message.velocity > 0
        self.timeline = tuple(timeline)

    def excerpts(self, length_s: float) -> "Performance":
        """Passages from all over it, `length_s` altogether, one after another; itself where it is no longer.

        Notes that begin outside them are left out, and those that last beyond one end with it.
        """
        if self.duration_s <= length_s:
            return self
        each_s = length_s / _EXCERPTS
        starts = [passage * (self.duration_s - each_s) / (_EXCERPTS - 1) for passage in range(_EXCERPTS)]
        per_second = self.ticks_per_beat * 1_000_000 / USUAL_TEMPO
        kept: list[Event] = []
        sounding: set[tuple[int, int]] = set()
        for timed in self.timeline:
            passage = bisect_right(starts, timed.at_s) - 1
            within_s = timed.at_s - starts[passage]
            if _is_heard(timed.message, sounding, within=within_s < each_s):
                at_s = passage * each_s + min(within_s, each_s)
                kept.append(Event(round(at_s * per_second), timed.message))
        return Performance(kept, self.ticks_per_beat, self.parts)

    def as_midi(self, title: str | None = None) -> bytes:
        """A Standard MIDI File: of one track, or where there are parts with a track for each, the tune's own first.

        Args:
            title: which the first track bears, as the name of all of it (RP-001, FF 03).
        """
        tracks: dict[str | None, list[Event]] = {None: []}
        for event in self.events:
            channel = getattr(event.message, "channel", None)
            tracks.setdefault(self.parts.get(channel) if channel is not None else None, []).append(event)
        file = mido.MidiFile(type=1 if self.parts else 0, ticks_per_beat=self.ticks_per_beat)
        file.tracks += [_track(name or title, events) for name, events in tracks.items()]
        buffer = io.BytesIO()
        file.save(file=buffer)
        return buffer.getvalue()


def _is_heard(message: mido.Message, sounding: set[tuple[int, int]], *, within: bool) -> bool:
    """Whether an excerpt has a message: what sets an instrument, or a note that begins within it, and its end."""
    if message.type not in ("note_on", "note_off"):
        return True
    note = message.channel, message.note
    if message.type == "note_on" and message.velocity:
        if within:
            sounding.add(note)
        return within
    is_heard = note in sounding
    sounding.discard(note)
    return is_heard


def _track(name: str | None, events: list[Event]) -> mido.MidiTrack:
    track = mido.MidiTrack()
    if name is not None:
        track.append(mido.MetaMessage("track_name", name=name.encode().decode("latin-1")))  # so that the file has UTF-8
    tick = 0
    for event in events:
        track.append(event.message.copy(time=event.tick - tick))
        tick = event.tick
    return track


def split_notes(events: list[Event]) -> tuple[list[Note], list[Event]]:
    """The notes of a performance but for percussion, by their beginnings, and all other events."""
    notes: list[Note] = []
    others: list[Event] = []
    sounding: dict[tuple[int, int], list[Event]] = {}
    for event in events:
        message = event.message
        if message.type not in ("note_on", "note_off") or message.channel == PERCUSSION:
            others.append(event)
        elif message.type == "note_on" and message.velocity:
            sounding.setdefault((message.channel, message.note), []).append(event)
        elif begun := sounding.get((message.channel, message.note)):
            notes.append(_note(begun.pop(0), event.tick))
    for begun in sounding.values():
        notes += [_note(event, events[-1].tick) for event in begun]
    return sorted(notes, key=lambda note: (note.start, note.channel, note.pitch)), others


def _note(begun: Event, end: int) -> Note:
    message = begun.message
    return Note(begun.tick, end, message.note, message.velocity, message.channel)


def note_events(notes: Iterable[Note]) -> list[Event]:
    """Notes as messages by time, what ends before what begins."""
    found: list[tuple[int, int, int, Event]] = []
    for note in notes:
        on = mido.Message("note_on", channel=note.channel, note=note.pitch, velocity=note.velocity)
        off = mido.Message("note_off", channel=note.channel, note=note.pitch)
        found.append((note.start, 1, note.channel, Event(note.start, on)))
        found.append((max(note.end, note.start + 1), 0, note.channel, Event(max(note.end, note.start + 1), off)))
    return [event for *_, event in sorted(found, key=lambda each: each[:3])]
