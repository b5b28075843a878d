"""Accompaniment: under the tune and quieter, on the tune's chords, in the dance's pattern, on tracks with names."""

import io
import subprocess
from collections.abc import Callable
from pathlib import Path

import mido
import pytest

from app.abc.reader import read
from app.errors import RenderError
from app.rendering.arrangement import Arrangement, arrange
from app.rendering.backing import Backing
from app.rendering.midi_events import Performance

JIG = "X:1\nT:A Jig\nR:jig\nM:6/8\nL:1/8\nK:D\nA|:dfd edB|AFA AFA|GBG FAF|EFE E2A:|\n"
REEL = "X:1\nT:A Reel\nR:reel\nM:4/4\nL:1/8\nK:D\ndfaf dfaf|gfge afdf|eAce afec|d4 d4|\n"
WALTZ = "X:1\nT:A Waltz\nR:waltz\nM:3/4\nL:1/4\nK:G\nGBd|ceg|dfa|G3|\n"
BACKED = [Backing.GUITAR, Backing.PIANO, Backing.SESSION]
BEAT = 480

Midi = Callable[[str], bytes]


@pytest.fixture(name="midi")
def _midi(tmp_path: Path) -> Midi:
    def make(abc: str) -> bytes:
        (tmp_path / "tune.abc").write_text(abc.replace("\nR:", "\n%"))
        argv = ["/usr/bin/abc2midi", "tune.abc", "-o", "tune.mid", "-NGUI"]
        subprocess.run(argv, cwd=tmp_path, check=True, capture_output=True)
        return (tmp_path / "tune.mid").read_bytes()

    return make


def tracks(performance: Performance) -> dict[str, list[tuple[int, int, int]]]:
    """By the track's name, the tick, pitch and velocity of each of its notes."""
    found = {}
    for track in mido.MidiFile(file=io.BytesIO(performance.as_midi()), charset="utf-8").tracks:
        tick, notes, name = 0, [], ""
        for message in track:
            tick += message.time
            if message.type == "track_name":
                name = message.name
            elif message.type == "note_on" and message.velocity:
                notes.append((tick, message.note, message.velocity))
        found[name] = notes
    return found


@pytest.mark.parametrize("backing", BACKED)
@pytest.mark.parametrize("abc", [JIG, REEL, WALTZ])
@pytest.mark.parametrize("feel", [0.0, 0.5])
def test_the_tune_is_as_it_is_without(midi: Midi, abc: str, backing: Backing, feel: float) -> None:
    alone = arrange(midi(abc), read(abc), Arrangement(feel=feel))
    backed = arrange(midi(abc), read(abc), Arrangement(feel=feel, backing=backing))
    assert [t for t in backed.timeline if t.message.channel == 0] == list(alone.timeline)


@pytest.mark.parametrize("backing", BACKED)
@pytest.mark.parametrize("abc", [JIG, REEL, WALTZ])
def test_each_has_a_track_with_its_name_and_lies_under_the_tune_and_is_softer(
    midi: Midi, abc: str, backing: Backing
) -> None:
    found = tracks(arrange(midi(abc), read(abc), Arrangement(backing=backing)))
    player = "Piano" if backing is Backing.PIANO else "Guitar"
    names = ["Tune", player] + (["Bodhrán"] if backing is Backing.SESSION else [])
    assert [name for name in found if found[name]] == names
    assert max(pitch for _, pitch, _ in found[player]) < min(pitch for _, pitch, _ in found["Tune"]) + 1
    assert max(velocity for _, _, velocity in found[player]) < min(velocity for _, _, velocity in found["Tune"])


@pytest.mark.parametrize(
    ("abc", "bass", "chord"),
    [(JIG, {0, 720}, {480, 1200}), (REEL, {0, 960}, {480, 1440}), (WALTZ, {0}, {480, 960})],
)
def test_bass_and_chord_come_in_the_pattern_of_the_dance(midi: Midi, abc: str, bass: set[int], chord: set[int]) -> None:
    found = tracks(arrange(midi(abc), read(abc), Arrangement(backing=Backing.GUITAR)))["Guitar"]
    first = 240 if abc is JIG else 0  # its pickup
    bar = {JIG: 1440, REEL: 1920, WALTZ: 1440}[abc]
    inside = [(tick - first, pitch) for tick, pitch, _ in found if first <= tick < first + bar]
    counts = {tick: sum(at == tick for at, _ in inside) for tick, _ in inside}
    assert {tick for tick, count in counts.items() if count == 1} == bass
    assert {tick for tick, count in counts.items() if count > 1} == chord
    assert inside[0][1] % 12 == {JIG: 2, REEL: 2, WALTZ: 7}[abc]


def test_own_chords_are_played_and_move_with_the_tune(midi: Midi) -> None:
    own = REEL.replace("dfaf dfaf", '"F"dfaf dfaf', 1)
    for semitones in (0, 3):
        found = tracks(arrange(midi(own), read(own), Arrangement(backing=Backing.PIANO), semitones))["Piano"]
        assert {pitch % 12 for tick, pitch, _ in found if tick < 1920} == {(n + semitones) % 12 for n in (5, 9, 0)}


def test_a_bar_that_the_score_does_not_have_is_harmonized_by_ear(midi: Midi) -> None:
    found = tracks(arrange(midi(REEL), read(REEL.replace("d4 d4|", "")), Arrangement(backing=Backing.PIANO)))
    assert max(tick for tick, _, _ in found["Piano"]) >= 3 * 4 * BEAT


def test_more_notes_than_are_allowed_are_refused_before_they_are_made(midi: Midi) -> None:
    wanted = Arrangement(repeats=20, backing=Backing.SESSION)
    with pytest.raises(RenderError, match="more notes with accompaniment than the 1,000"):
        arrange(midi(REEL), read(REEL), wanted, 0, 1000)
    assert arrange(midi(REEL), read(REEL), wanted, 0, 20_000).notes <= 20_000
