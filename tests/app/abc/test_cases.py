"""ABC of every kind that people write, each with what is right beside it: sound, score, duration and check agree.

A case is a tune in `cases` and a file of the same name: its notes as they begin when it is played, in quarter notes,
and their MIDI numbers; bars as written, all voices together; seconds; what a check says; and which others read it so
(abcjs the tune, music21 the score).
"""

import json
import subprocess
from functools import cache
from pathlib import Path
from typing import Any

import mido
import music21
import pytest

from app.abc.duration import duration_s
from app.abc.reader import Reader
from app.interchange import musicxml_writer
from app.rendering import abc2midi_text
from tests import judges

CASES = sorted(Path(__file__).parent.joinpath("cases").glob("*.abc"))
ABCJS_SOUNDS = """
const abcjs = require(process.argv[1]);
const tunes = JSON.parse(require("fs").readFileSync(0, "utf8"));
const sounds = (abc) => abcjs.parseOnly(abc)[0].setUpAudio({}).tracks.flatMap((track) =>
  track.filter((event) => event.cmd === "note").map((event) => [event.start * 4, event.pitch]));
console.log(JSON.stringify(tunes.map((abc) => { try { return sounds(abc); } catch { return null; } })));
"""

Sounds = list[list[float]]
"""Quarter notes from the beginning and MIDI numbers"""


def right(case: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(case.with_suffix(".json").read_text("utf-8"))
    return found


def in_order(sounds: Sounds) -> Sounds:
    return sorted([round(start, 1), pitch] for start, pitch in sounds)


@pytest.fixture(params=CASES, ids=lambda case: case.stem)
def case(request: pytest.FixtureRequest) -> Path:
    found: Path = request.param
    return found


def test_what_is_read_is_what_is_right(case: Path) -> None:
    reader, expected = Reader(case.read_text("utf-8")), right(case)
    assert sum(bar.count for voice in reader.score.voices for bar in voice.bars) == expected["bars"]
    assert duration_s(reader.score) == pytest.approx(expected["seconds"], abs=0.002)
    assert [fault.message for fault in reader.faults] == expected["problems"]


def test_the_sound_is_right(case: Path, tmp_path: Path) -> None:
    (tmp_path / "tune.abc").write_text(abc2midi_text.write(Reader(case.read_text("utf-8")).score), "utf-8")
    argv = ["/usr/bin/abc2midi", "tune.abc", "-o", "tune.mid"]
    said = subprocess.run(argv, cwd=tmp_path, check=True, capture_output=True, text=True)
    assert "Error" not in said.stdout
    file = mido.MidiFile(tmp_path / "tune.mid")
    sounds: Sounds = []
    for track in file.tracks:
        tick = 0
        for message in track:
            tick += message.time
            if message.type == "note_on" and message.velocity:
                sounds.append([tick / file.ticks_per_beat, message.note])
    assert in_order(sounds) == in_order(right(case)["sounds"])


def test_the_score_is_right(case: Path) -> None:
    expected = right(case)
    if "score" not in expected["also"]:
        pytest.skip("music21 expands the score of this case otherwise; the sound is from the same reading")
    document = musicxml_writer.write(Reader(case.read_text("utf-8")).score)
    score = music21.converter.parseData(document, format="musicxml")
    sounds: Sounds = []
    for part in score.parts:
        played = part.toSoundingPitch().expandRepeats()
        for note in played.recurse().notes:
            if not isinstance(note, music21.harmony.Harmony):
                start = float(note.getOffsetInHierarchy(played))
                single = note.notes if isinstance(note, music21.chord.Chord) else [note]
                sounds += [[start, each.pitch.midi] for each in single if each.tie is None or each.tie.type == "start"]
    assert in_order(sounds) == in_order(expected["sounds"])


@cache
def sounds_by_abcjs() -> list[Sounds | None]:
    command = [judges.node(), "-e", ABCJS_SOUNDS, str(judges.ABCJS)]
    tunes = json.dumps([case.read_text("utf-8") for case in CASES])
    said = subprocess.run(command, input=tunes, capture_output=True, text=True, timeout=120, check=True)
    found: list[Sounds | None] = json.loads(said.stdout)
    return found


def test_abcjs_plays_the_same(case: Path) -> None:
    if reason := judges.missing(judges.abcjs):
        pytest.skip(reason)
    if "abcjs" not in right(case)["also"]:
        pytest.skip("abcjs plays this case otherwise than the standard says")
    heard = sounds_by_abcjs()[CASES.index(case)]
    assert heard is not None
    assert in_order(heard) == in_order(right(case)["sounds"])
