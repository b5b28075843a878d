"""Reading and adjusting MIDI files."""

import io

import mido
import pytest

from app.rendering import midi

CONCERT_PITCH = 69


def score(program: int = 5) -> bytes:
    """Two quarter notes at 60 a minute, and a drum."""
    file = mido.MidiFile(ticks_per_beat=480)
    track = mido.MidiTrack()
    track.append(mido.MetaMessage("set_tempo", tempo=1_000_000))
    track.append(mido.Message("program_change", channel=0, program=program, time=0))
    for channel, note in ((0, CONCERT_PITCH), (9, 40)):
        track.append(mido.Message("note_on", channel=channel, note=note, velocity=64, time=0))
        track.append(mido.Message("note_off", channel=channel, note=note, time=480))
    file.tracks.append(track)
    buffer = io.BytesIO()
    file.save(file=buffer)
    return buffer.getvalue()


def messages(content: bytes, kind: str) -> list[mido.Message]:
    file = mido.MidiFile(file=io.BytesIO(content))
    return [message for track in file.tracks for message in track if message.type == kind]


def test_inspect_tells_length_and_notes() -> None:
    assert midi.inspect(score()) == midi.Performance(duration_s=2.0, notes=2)


def test_no_options_no_change() -> None:
    assert midi.adjust(score()) == score()


def test_tempo_is_in_quarter_notes_a_minute() -> None:
    assert midi.inspect(midi.adjust(score(), tempo=120)).duration_s == pytest.approx(1.0)


def test_program_changes_the_instrument() -> None:
    assert [m.program for m in messages(midi.adjust(score(), program=73), "program_change")] == [73]


def test_transpose_moves_melody_and_not_drums() -> None:
    moved = midi.adjust(score(), transpose=-12)
    assert [m.note for m in messages(moved, "note_on")] == [CONCERT_PITCH - 12, 40]
    assert midi.inspect(moved).duration_s == pytest.approx(2.0)


def test_a_note_moved_out_of_range_is_dropped_and_time_is_kept() -> None:
    moved = midi.adjust(score(), transpose=60)
    assert [m.note for m in messages(moved, "note_on")] == [40]
    assert midi.inspect(moved).duration_s == pytest.approx(2.0)


@pytest.mark.parametrize("content", [b"", b"MThd", b"not a midi file at all", score()[:30]])
def test_what_is_no_midi_file_is_said_to_be_none(content: bytes) -> None:
    with pytest.raises(ValueError, match="not a readable MIDI file"):
        midi.inspect(content)
