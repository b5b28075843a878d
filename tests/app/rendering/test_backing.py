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
from app.rendering.midi_events import Note, Performance, split_notes

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


def test_silent_bars_that_the_score_does_not_have_are_accompanied(midi: Midi) -> None:
    sound = midi(WALTZ.replace("ceg|", "ceg|z3|z3|"))
    played = tracks(arrange(sound, read(WALTZ), Arrangement(backing=Backing.GUITAR)))
    assert {tick // (3 * BEAT) for tick, *_ in played["Guitar"]} == set(range(6))


def test_more_notes_than_are_allowed_are_refused_before_they_are_made(midi: Midi) -> None:
    wanted = Arrangement(repeats=20, backing=Backing.SESSION)
    with pytest.raises(RenderError, match="more notes with accompaniment than the 1,000"):
        arrange(midi(REEL), read(REEL), wanted, 0, 1000)
    assert arrange(midi(REEL), read(REEL), wanted, 0, 20_000).notes <= 20_000


def sounding(performance: Performance, channel: int) -> list[Note]:
    return [note for note in split_notes(performance.events)[0] if note.channel == channel]


ENDINGS = {
    "half a bar": "X:1\nR:reel\nM:4/4\nL:1/8\nK:D\ndfaf dfaf|gfge afdf|eAce afec|AGFE D4|\n",
    "with a rest": "X:1\nR:jig\nM:6/8\nL:1/8\nK:D\ndfd edB|AFA AFA|GBG FAF|ABc d2z|\n",
    "a whole bar": "X:1\nR:waltz\nM:3/4\nL:1/8\nK:D\nd2f2a2|g2e2c2|A2B2c2|d6|\n",
    "its pickup again": "X:1\nR:hornpipe\nM:4/4\nL:1/8\nK:D\nFA|:dfaf dfaf|gfge afdf|eAce afec|d2d2 d2FA:|\n",
}


@pytest.mark.parametrize("backing", [Backing.GUITAR, Backing.PIANO])
@pytest.mark.parametrize("feel", [0.0, 0.5])
@pytest.mark.parametrize("abc", ENDINGS.values(), ids=ENDINGS)
def test_the_last_chord_is_that_of_the_last_note_and_rings_as_long(
    midi: Midi, abc: str, backing: Backing, feel: float
) -> None:
    performance = arrange(midi(abc), read(abc), Arrangement(feel=feel, backing=backing))
    tune, chords = sounding(performance, 0), sounding(performance, 15)
    last = [note for note in chords if note.end == max(note.end for note in chords)]
    assert {note.pitch % 12 for note in last} == {2, 6, 9}
    assert abs(last[0].end - tune[-1].end) <= 2
    if feel:
        assert tune[-1].pitch % 12 == 2


@pytest.mark.parametrize("backing", BACKED)
@pytest.mark.parametrize("abc", [JIG, REEL, WALTZ, *ENDINGS.values(), REEL.replace("R:reel", "R:slow air")])
def test_no_pitch_is_struck_while_it_sounds(midi: Midi, abc: str, backing: Backing) -> None:
    performance = arrange(midi(abc), read(abc), Arrangement(feel=0.5, backing=backing))
    for channel in (0, 15):
        ends: dict[int, int] = {}
        for note in sounding(performance, channel):
            assert note.start >= ends.get(note.pitch, 0)
            ends[note.pitch] = note.end


@pytest.mark.parametrize("meter", ["6/8", "9/8", "12/8"])
def test_chords_are_held_in_slow_airs_of_whatever_metre(midi: Midi, meter: str) -> None:
    bar = "dfd edB AFA AFA"[: 4 * (int(meter.split("/")[0]) // 3) - 1]
    abc = f"X:1\nR:slow air\nM:{meter}\nL:1/8\nK:D\n{bar}|{bar}|{bar}|\n"
    notes = sounding(arrange(midi(abc), read(abc), Arrangement(backing=Backing.GUITAR)), 15)
    beat = 3 * BEAT // 2
    assert {note.end % beat for note in notes} <= {0}
    assert {note.start % beat for note in notes} == {0, BEAT // 2}


def drum(performance: Performance) -> list[float]:
    """When the bodhrán is struck, in eighths."""
    return [
        event.tick / (BEAT / 2)
        for event in performance.events
        if event.message.type == "note_on" and event.message.channel == 9
    ]


def test_a_bodhran_has_crotchets_in_waltzes_and_is_silent_in_airs(midi: Midi) -> None:
    abc = WALTZ
    assert drum(arrange(midi(abc), read(abc), Arrangement(backing=Backing.SESSION)))[:6] == [0, 2, 4, 6, 8, 10]
    air = abc.replace("R:waltz", "R:air")
    assert not drum(arrange(midi(air), read(air), Arrangement(backing=Backing.SESSION)))


def test_a_bodhran_goes_with_the_snaps_and_dots_of_a_strathspey(midi: Midi) -> None:
    abc = "X:1\nR:strathspey\nM:4/4\nL:1/8\nK:D\nd<f a>f d2 ag|d4 d4|d4 d4|\n"
    found = drum(arrange(midi(abc), read(abc), Arrangement(backing=Backing.SESSION)))
    assert found[:9] == [0, 0.5, 2, 3.5, 4, 5, 6, 7, 8]


def test_who_accompanies_grows_to_the_middle_of_a_phrase(midi: Midi) -> None:
    even, played = (
        sounding(arrange(midi(REEL), read(REEL), Arrangement(feel=feel, backing=Backing.GUITAR)), 15) for feel in (0, 1)
    )
    by_bar = [{note.velocity for note in even if note.start // 1920 == bar} for bar in range(3)]
    assert by_bar[0] == by_bar[1] == by_bar[2]
    means = [[note.velocity for note in played if note.start // 1920 == bar] for bar in range(3)]
    first, second, _ = (sum(bar) / len(bar) for bar in means)
    assert second > first + 4


def test_what_sets_instruments_comes_before_a_pickup_that_is_played_late(midi: Midi) -> None:
    performance = arrange(midi(JIG), read(JIG), Arrangement(feel=1, backing=Backing.SESSION))
    settings = [event for event in performance.events if event.message.type not in ("note_on", "note_off")]
    assert {event.tick for event in settings} == {0}
