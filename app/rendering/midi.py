"""Inspect and adjust a MIDI file: how long it lasts, how many notes it has, its tempo, instrument and pitch."""

import io
from dataclasses import dataclass

import mido

_PERCUSSION_CHANNEL = 9
_LARGEST_TEMPO = 0xFFFFFF  # a set_tempo event holds three bytes of microseconds a quarter note


@dataclass(frozen=True)
class Performance:
    """What a MIDI file will sound like, before anything is synthesised."""

    duration_s: float
    notes: int


def inspect(midi: bytes) -> Performance:
    """Length and note count of a Standard MIDI File.

    Raises:
        ValueError: it cannot be read as one.
    """
    return measure(parse(midi))


def measure(file: mido.MidiFile) -> Performance:
    """Length and note count of a parsed file."""
    notes = sum(m.type == "note_on" and m.velocity > 0 for track in file.tracks for m in track)
    return Performance(duration_s=file.length, notes=notes)


def adjust(midi: bytes, *, tempo: float | None = None, program: int | None = None, transpose: int = 0) -> bytes:
    """The same performance at another tempo (quarter notes a minute), on another instrument (General MIDI, 0–127) or
    moved by semitones; notes moved past the MIDI range are dropped, percussion is left alone.

    Raises:
        ValueError: it cannot be read as a Standard MIDI File.
    """
    if tempo is None and program is None and not transpose:
        return midi
    file = parse(midi)
    for track in file.tracks:
        delay = 0  # ticks of the messages that were dropped since the last one kept
        kept = []
        for message in track:
            changed = _changed(message, tempo is not None, program is not None, transpose)
            if changed is None:
                delay += message.time
            else:
                kept.append(changed.copy(time=changed.time + delay))
                delay = 0
        track[:] = kept
    opening: list[mido.Message] = []
    if tempo is not None:
        opening.append(mido.MetaMessage("set_tempo", tempo=tempo_event(tempo), time=0))
    if program is not None:
        channels = sorted({m.channel for t in file.tracks for m in t if m.type == "note_on"} - {_PERCUSSION_CHANNEL})
        opening += [mido.Message("program_change", channel=c, program=program, time=0) for c in channels]
    if file.tracks:
        file.tracks[0][:0] = opening
    buffer = io.BytesIO()
    file.save(file=buffer)
    return buffer.getvalue()


def _changed(message: mido.Message, drop_tempo: bool, drop_program: bool, transpose: int) -> mido.Message | None:
    """The message as it should be; None if it has to go."""
    if message.type == "set_tempo":
        return None if drop_tempo else message
    if message.type == "program_change":
        return None if drop_program and message.channel != _PERCUSSION_CHANNEL else message
    if message.type in ("note_on", "note_off", "polytouch") and message.channel != _PERCUSSION_CHANNEL:
        note = message.note + transpose
        return message.copy(note=note) if 0 <= note <= 127 else None
    return message


def tempo_event(tempo: float) -> int:
    """A tempo in quarter notes a minute as MIDI says it: microseconds a quarter note."""
    return min(_LARGEST_TEMPO, int(mido.bpm2tempo(tempo)))


def parse(midi: bytes) -> mido.MidiFile:
    """A Standard MIDI File's content.

    Raises:
        ValueError: it cannot be read as one.
    """
    try:
        return mido.MidiFile(file=io.BytesIO(midi), clip=True)
    except (OSError, EOFError, ValueError, KeyError, IndexError, TypeError) as error:
        raise ValueError(f"not a readable MIDI file ({error})") from None
