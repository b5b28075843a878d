"""Arranging what abc2midi made: the order and the times of what sounds."""

import io

import mido
import pytest

from app.abc.reader import read
from app.abc.score import Score
from app.rendering.arrangement import Arrangement, arrange
from app.rendering.midi_events import Performance

BEAT = 480


def score() -> Score:
    return read("X:1\nM:4/4\nL:1/4\nQ:1/4=60\nK:C\nC[Q:1/4=120]DEF|\n")


def content() -> bytes:
    """A melody with a second voice and a drum beside it; what the score says of the tempo holds for all."""
    file = mido.MidiFile(ticks_per_beat=BEAT)
    for channel, note in ((0, 69), (1, 57), (9, 40)):
        track = mido.MidiTrack()
        if channel == 0:
            track.append(mido.Message("program_change", channel=0, program=5))
        for turn in range(2):
            track.append(mido.Message("note_on", channel=channel, note=note + turn, velocity=64, time=0))
            track.append(mido.Message("note_off", channel=channel, note=note + turn, time=BEAT))
        file.tracks.append(track)
    buffer = io.BytesIO()
    file.save(file=buffer)
    return buffer.getvalue()


def sounding(performance: Performance, channel: int) -> list[tuple[float, int]]:
    return [
        (timed.at_s, timed.message.note)
        for timed in performance.timeline
        if timed.message.type == "note_on" and timed.message.channel == channel
    ]


def test_all_tracks_sound_together_at_the_tempo_of_the_moment() -> None:
    found = arrange(content(), score(), Arrangement())
    for channel, note in ((0, 69), (1, 57), (9, 40)):
        assert sounding(found, channel) == [(0.0, note), (1.0, note + 1)]
    assert found.duration_s == pytest.approx(1.5)
    assert found.notes == 6


def test_what_sounds_is_in_the_order_in_which_mido_merges_tracks() -> None:
    merged = mido.merge_tracks(mido.MidiFile(file=io.BytesIO(content())).tracks)
    expected = [message.copy(time=0) for message in merged if not message.is_meta]
    found = arrange(content(), score(), Arrangement())
    assert [timed.message.copy(time=0) for timed in found.timeline] == expected


def test_a_wanted_tempo_is_in_quarter_notes_a_minute_and_holds_throughout() -> None:
    found = arrange(content(), score(), Arrangement(tempo=240))
    assert found.duration_s == pytest.approx(0.5)


def test_a_wanted_instrument_plays_all_but_the_drums() -> None:
    found = arrange(content(), score(), Arrangement(program=73))
    changes = [t.message for t in found.timeline if t.message.type == "program_change"]
    assert {(change.channel, change.program) for change in changes} == {(0, 73), (1, 73)}


def test_the_midi_file_sounds_alike_and_lasts_as_long() -> None:
    found = arrange(content(), score(), Arrangement(repeats=3, click=True))
    file = mido.MidiFile(file=io.BytesIO(found.as_midi()))
    assert file.type == 0
    assert file.length == pytest.approx(found.duration_s)
    assert [m.copy(time=0) for m in file if not m.is_meta] == [t.message.copy(time=0) for t in found.timeline]


@pytest.mark.parametrize("broken", [b"", b"MThd", b"not a midi file at all", content()[:30]])
def test_what_is_no_midi_file_is_said_to_be_none(broken: bytes) -> None:
    with pytest.raises(ValueError, match="not a readable MIDI file"):
        arrange(broken, score(), Arrangement())
