"""Arranges a MIDI performance: tempo, instrument, times through, feel, swing and a count-in."""

import io
from bisect import bisect_right
from dataclasses import dataclass, replace
from fractions import Fraction
from math import inf

import mido

from app.abc.dances import dance_of, quarters_a_minute
from app.abc.duration import says_tempo
from app.abc.playing_order import tempos_played
from app.abc.score import Score
from app.errors import RenderError
from app.rendering.backing import Backing, accompany, chords_for, notes_at_most
from app.rendering.count_in import count_in_ticks, counted_in
from app.rendering.feel import Timing, accented, articulated, last_held, swelled, swung, uneven, without_lead_back
from app.rendering.instruments import PIPES, instrument_of
from app.rendering.layout import Layout, lay_out, repeat
from app.rendering.midi_events import (
    CHANNEL_MESSAGES,
    CHANNELS,
    PERCUSSION,
    TUNE,
    USUAL_TEMPO,
    Event,
    Note,
    Performance,
    note_events,
    split_notes,
)
from app.rendering.ornaments import Line, drones, has_ornaments, ornamented, seed_of, varied

_LARGEST_TEMPO = 0xFFFFFF  # a set_tempo event holds three bytes of microseconds a quarter note
_META_KEPT = {"set_tempo", "track_name", "time_signature", "key_signature"}
_CHORD_TRACK = "gchord track"


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
    swing: float | None = None
    """0 plays eighths even, 1 plays the first of a pair twice as long as the second; None leaves it to `feel`"""
    feel: float = 0.0
    """0–1, how much of a player is in it; 0 is the grid"""
    variation: bool = False
    """whether second times differ"""
    backing: Backing = Backing.NONE
    """who accompanies"""


def arrange(
    content: bytes,
    score: Score,
    wanted: Arrangement,
    semitones: int = 0,
    max_notes: float = inf,
    *,
    goes_on: bool = False,
) -> Performance:
    """A performance as it is wanted.

    Args:
        content: what abc2midi made of the tune, repeats played.
        score: the tune, for its metre, rhythm and bars.
        wanted: how to play it.
        semitones: by which the content is higher than the score.
        max_notes: as played, all times through and accompaniment together.
        goes_on: whether another tune follows, so that nothing is held at the end.

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
    events = _tempos(score, wanted.tempo, beat) + [event for event in events if event.message.type != "set_tempo"]
    program = wanted.program
    if program is None and not any(event.message.type == "program_change" for event in events):
        program = dance_of(score.rhythm, score.meter).program
    if program is not None:
        events = _on_program(events, program)
    once = lay_out(score, beat, _sounds_until(events))
    if wanted.repeats > 1:
        events = _repeated(events, wanted.repeats, _length_ticks(file, once))
    layout = repeat(once, wanted.repeats)
    if wanted.feel or wanted.variation:
        events = _played(events, score, layout, wanted, semitones, _accompaniment(file), goes_on=goes_on)
    parts: dict[int, str] = {}
    if wanted.backing is not Backing.NONE:
        if notes + notes_at_most(layout) > max_notes:
            raise RenderError(f"it may have more notes with accompaniment than the {max_notes:,} that are allowed")
        events, parts = _accompanied(events, score, layout, wanted, semitones, goes_on=goes_on)
    if timing := _timing(events, layout, wanted):
        events = [event if _sets_up(event) else Event(timing.moved(event.tick), event.message) for event in events]
    if wanted.click:
        return Performance(counted_in(events, score, beat), beat, parts, count_in_ticks(score, beat))
    return Performance(events, beat, parts)


def _accompanied(
    events: list[Event], score: Score, layout: Layout, wanted: Arrangement, semitones: int, *, goes_on: bool
) -> tuple[list[Event], dict[int, str]]:
    """The tune with those who accompany it, and the names of all."""
    tune, _ = split_notes(events)
    programs = dict.fromkeys(sorted(_channels(events)), 0) | _programs(events)
    changes = chords_for(score, layout, tune, semitones)
    made = accompany(
        layout, changes, wanted.backing, tune, semitones, programs, is_strummed=wanted.feel > 0, goes_on=goes_on
    )
    notes = swelled(made.notes, layout, wanted.feel) if wanted.feel else made.notes
    added = sorted([*made.events, *note_events(notes)], key=lambda event: event.tick)
    return events + added, dict.fromkeys(programs, TUNE) | made.parts


def _played(
    events: list[Event],
    score: Score,
    layout: Layout,
    wanted: Arrangement,
    semitones: int,
    accompaniment: set[int],
    *,
    goes_on: bool,
) -> list[Event]:
    """The notes as players have them, but for their uneven eighths."""
    notes, others = split_notes(events)
    second = _Tempos(events, layout.ticks_per_beat).ticks_a_second
    programs = _programs(others)
    lines: list[Note] = []
    channels = sorted({note.channel for note in notes} - accompaniment)
    for channel in channels:
        instrument = instrument_of(programs.get(channel, 0))
        line = Line(
            [note for note in notes if note.channel == channel], layout, instrument, semitones, second, seed_of(score)
        )
        if wanted.feel and not goes_on:
            line = replace(line, notes=without_lead_back(line.notes, layout))
        if wanted.variation and channel == channels[0]:
            line = replace(line, notes=varied(line))
        if wanted.feel and channel == channels[0] and not has_ornaments(score):
            line = replace(line, notes=ornamented(line, wanted.feel, varied=wanted.variation))
        if wanted.feel:
            line = replace(line, notes=accented(line.notes, layout, wanted.feel))
            line = replace(line, notes=articulated(line.notes, layout, instrument, wanted.feel, second))
        lines += line.notes
    if wanted.feel:
        lines = lines if goes_on else last_held(lines, wanted.feel, second)
        pipers = {channel for channel in channels if programs.get(channel) == PIPES}
        free = next((channel for channel in range(CHANNELS) if channel not in {*_channels(events), PERCUSSION}), None)
        if pipers and free is not None:
            others.append(Event(0, mido.Message("program_change", channel=free, program=PIPES)))
            lines += drones(layout, max(note.end for note in lines), free, semitones, wanted.feel)
    rest = [note for note in notes if note.channel in accompaniment]
    return sorted(others, key=lambda event: event.tick) + note_events(lines + rest)


def _timing(events: list[Event], layout: Layout, wanted: Arrangement) -> Timing | None:
    """The chosen swing, or else the uneven eighths of the tune's kind."""
    if wanted.swing is not None:
        return swung(layout, wanted.swing) if wanted.swing else None
    if not wanted.feel:
        return None
    return uneven(layout, wanted.feel, _Tempos(events, layout.ticks_per_beat).ticks_a_second)


def _sets_up(event: Event) -> bool:
    """Whether a message comes before all notes."""
    return event.tick == 0 and event.message.type not in ("note_on", "note_off")


class _Tempos:
    """How fast a performance is where."""

    def __init__(self, events: list[Event], ticks_per_beat: int) -> None:
        changes = [event for event in events if event.message.type == "set_tempo"]
        self._ticks = [event.tick for event in changes]
        self._speeds = [ticks_per_beat * 1e6 / max(1, event.message.tempo) for event in changes]  # µs a beat
        self._first = ticks_per_beat * 1e6 / USUAL_TEMPO

    def ticks_a_second(self, tick: int) -> float:
        """At a tick."""
        at = bisect_right(self._ticks, tick) - 1
        return self._speeds[at] if at >= 0 else self._first


def _programs(events: list[Event]) -> dict[int, int]:
    return {e.message.channel: e.message.program for e in events if e.message.type == "program_change"}


def _channels(events: list[Event]) -> set[int]:
    return {event.message.channel for event in events if not event.message.is_meta}


def _accompaniment(file: mido.MidiFile) -> set[int]:
    """The channels on which abc2midi plays chord symbols: each of its tracks says what it holds."""
    return {
        message.channel
        for track in file.tracks
        if any(message.type == "text" and message.text == _CHORD_TRACK for message in track)
        for message in track
        if message.type == "note_on"
    }


def _parse(content: bytes) -> mido.MidiFile:
    try:
        return mido.MidiFile(file=io.BytesIO(content), clip=True)
    except (OSError, EOFError, ValueError, KeyError, IndexError, TypeError) as error:
        raise ValueError(f"not a readable MIDI file ({error})") from None


def _tempo_event(tempo: float) -> int:
    """A tempo in quarter notes a minute as MIDI says it: microseconds a quarter note."""
    return min(_LARGEST_TEMPO, int(mido.bpm2tempo(tempo)))


def _tempos(score: Score, wanted: float | None, beat: int) -> list[Event]:
    """The tempo that is wanted, or else all that the tune says, or that of its rhythm."""
    steady = wanted or (None if says_tempo(score) else quarters_a_minute(score))
    changes = [(Fraction(0), steady)] if steady else tempos_played(score)
    return [
        Event(round(start * 4 * beat), mido.MetaMessage("set_tempo", tempo=_tempo_event(tempo)))
        for start, tempo in changes
    ]


def _events(file: mido.MidiFile) -> list[Event]:
    """What sounds in all tracks, by time, and at one time by track."""
    events = []
    for track in file.tracks:
        tick = 0
        for message in track:
            tick += message.time
            if message.type in CHANNEL_MESSAGES or message.type in _META_KEPT:
                events.append(Event(tick, message))
    return sorted(events, key=lambda event: event.tick)


def _sounds_until(events: list[Event]) -> int:
    return max((event.tick for event in events if event.message.type == "note_off"), default=0)


def _length_ticks(file: mido.MidiFile, once: Layout) -> int:
    """How long one time through is: as long as its bars, or else as the file says."""
    if once.follows_score:
        return once.ticks(once.bars[-1].start + once.bars[-1].length)
    return max((sum(message.time for message in track) for track in file.tracks), default=0)


def _on_program(events: list[Event], program: int) -> list[Event]:
    channels = sorted({event.message.channel for event in events if event.message.type == "note_on"})
    kept = [event for event in events if event.message.type != "program_change" or event.message.channel == PERCUSSION]
    changes = [mido.Message("program_change", channel=c, program=program) for c in channels if c != PERCUSSION]
    return [Event(0, change) for change in changes] + kept


def _repeated(events: list[Event], times: int, length: int) -> list[Event]:
    return [Event(event.tick + turn * length, event.message) for turn in range(times) for event in events]
