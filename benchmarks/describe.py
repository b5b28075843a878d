"""`python -m benchmarks.describe [TUNEBOOK]`: twenty seconds of six tunes in numbers, before and after; a set of three.

Before are the notebook's two programs (abc2midi, then timidity into a file), after is the service: on the grid, as it
plays by default, and with a guitar and a bodhrán. Of the sound: loudness, how far its level wanders, its spectrum's
centroid, how wide it is, and how often it sets in. Of the MIDI file: how far onsets lie from whole sixteenths, and how
many velocities there are. The set is described by where its tunes begin.

The tunes are the plainest known ones of six rhythms, or the first of each in a tunebook. With `--out FOLDER` the files
are kept, to be listened to.
"""

import argparse
import io
import subprocess
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import httpx
import mido
import numpy as np
import pyloudnorm
import soundfile
from numpy.typing import NDArray

from app.abc.reader import read
from benchmarks.chords import tunes_of
from benchmarks.feel import known_tunes
from benchmarks.render import SOUNDFONT
from tests.servers import serving

RHYTHMS = ("jig", "reel", "hornpipe", "waltz", "polka", "slip jig")
LASTS_S = 20.0
AFTER: dict[str, dict[str, object]] = {
    "after, on the grid": {"feel": 0},
    "after": {},
    "after, guitar and bodhrán": {"backing": "session"},
}
_ENVELOPE_S = 0.01
_RISE_DB = 3.0
_MIN_APART_S = 0.06


@dataclass(frozen=True)
class Played:
    """A WAV file, and the MIDI file that it was made from."""

    wav: bytes
    midi: bytes


def notebook(abc: str) -> Played:
    """What the lab's two commands make of a tune."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "tune.abc").write_text(abc)
        (folder / "timidity.cfg").write_text(f'soundfont "{SOUNDFONT}"\n')
        for command in (
            ["abc2midi", "tune.abc", "-o", "tune.mid"],
            ["timidity", "-c", "timidity.cfg", "-Ow", "-o", "tune.wav", "tune.mid"],
        ):
            subprocess.run(command, cwd=folder, check=True, capture_output=True)  # noqa: S603
        return Played((folder / "tune.wav").read_bytes(), (folder / "tune.mid").read_bytes())


def service(client: httpx.Client, abc: str, options: dict[str, object]) -> Played:
    """What the service makes of it."""
    made = [
        client.post("/render", json={"abc": abc, "format": format_} | options, timeout=120).raise_for_status().content
        for format_ in ("wav", "midi")
    ]
    return Played(*made)


def describe(played: Played) -> str:
    """A line of numbers."""
    samples, rate = soundfile.read(io.BytesIO(played.wav), always_2d=True)
    samples = samples[: round(LASTS_S * rate)]
    loudness = pyloudnorm.Meter(rate).integrated_loudness(samples)
    middle, side = samples.mean(axis=1), (samples[:, 0] - samples[:, -1]) / 2
    levels = _levels_db(middle, rate)
    spectrum = np.abs(np.fft.rfft(middle * np.hanning(len(middle)))) ** 2
    centroid = (spectrum * np.fft.rfftfreq(len(middle), 1 / rate)).sum() / spectrum.sum()
    width = 10 * np.log10((side**2).mean() / (middle**2).mean() + 1e-12)
    off_ms, velocities = _off_the_grid(played.midi)
    return (
        f"{loudness:6.1f} LUFS, level ± {levels[levels > -60].std():3.1f} dB, centroid {centroid:5.0f} Hz, "
        f"side to middle {width:6.1f} dB, {_set_ins(levels) / LASTS_S:4.1f} onsets a second; "
        f"{off_ms:5.1f} ms off the grid, {len(velocities):2} velocities ({min(velocities)} to {max(velocities)})"
    )


def _levels_db(samples: NDArray[np.float64], rate: int) -> NDArray[np.float64]:
    step = round(_ENVELOPE_S * rate)
    blocks = samples[: len(samples) // step * step].reshape(-1, step)
    return np.asarray(10 * np.log10((blocks**2).mean(axis=1) + 1e-9))


def _set_ins(levels: NDArray[np.float64]) -> int:
    """How often the level rises steeply above what it was three hundredths of a second before."""
    found, last = 0, -1.0
    for index in range(3, len(levels)):
        at_s = index * _ENVELOPE_S
        if levels[index] - levels[index - 3 : index].min() > _RISE_DB and at_s - last >= _MIN_APART_S:
            found, last = found + 1, at_s
    return found


def _off_the_grid(content: bytes) -> tuple[float, set[int]]:
    """How far the tune's onsets are from whole sixteenths in milliseconds, on the average, and its velocities."""
    now_s, sixteenth_s, off_s, velocities = 0.0, 0.125, [], set()
    for message in mido.MidiFile(file=io.BytesIO(content)):
        now_s += message.time
        if message.type == "set_tempo":
            sixteenth_s = message.tempo / 4e6
        elif message.type == "note_on" and message.velocity and message.channel == 0 and now_s < LASTS_S:
            off_s.append(abs(now_s - sixteenth_s * round(now_s / sixteenth_s)))
            velocities.add(message.velocity)
    return 1000 * float(np.mean(off_s)), velocities


def chosen(book: Path | None) -> dict[str, str]:
    """A tune of each rhythm."""
    if book is None:
        known = known_tunes()
    else:
        known = {}
        for tune in tunes_of(book):
            known.setdefault((read(tune).rhythm or "").lower(), tune)
    return {rhythm: known[rhythm] for rhythm in RHYTHMS if rhythm in known}


def markers(content: bytes) -> Iterator[str]:
    """Where the tunes of a set begin."""
    now_s = 0.0
    for message in mido.MidiFile(file=io.BytesIO(content), charset="utf-8"):
        now_s += message.time
        if message.type == "marker":
            yield f"{message.text} at {now_s:.1f} s"


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("tunebook", type=Path, nargs="?")
    parser.add_argument("--out", type=Path, help="a folder for the files")
    arguments = parser.parse_args()
    tunes = chosen(arguments.tunebook)
    with serving() as server, server.client() as client:
        for rhythm, abc in tunes.items():
            print(f"{rhythm}: {next(iter(read(abc).titles), '?')}")
            made = {"before": notebook(abc)} | {name: service(client, abc, own) for name, own in AFTER.items()}
            for name, played in made.items():
                print(f"  {name:26}{describe(played)}", flush=True)
                if arguments.out:
                    arguments.out.mkdir(parents=True, exist_ok=True)
                    (arguments.out / f"{rhythm}, {name}.wav").write_bytes(played.wav)
        together = "\n".join(abc.strip("\n") + "\n" for abc in list(tunes.values())[:3])
        played = service(client, together, {"backing": "session"})
        samples, rate = soundfile.read(io.BytesIO(played.wav))
        loudness = pyloudnorm.Meter(rate).integrated_loudness(samples)
        print(f"set, {len(samples) / rate:.1f} s, {loudness:.1f} LUFS: " + ", ".join(markers(played.midi)))


if __name__ == "__main__":
    main()
