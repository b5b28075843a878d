"""`python -m benchmarks.backing TUNEBOOK...`: tunes with every backing, in every format of sound.

Judged by pyloudnorm (another maker's BS.1770-4), by the peak of the sound four times oversampled, by the first and last
samples (a click is a step from or to silence), and by the tune's and the backing's loudness, each played alone from the
MIDI file's tracks. Tunes come in an order drawn by a seed, until all are done or the minutes are over. FLAC is decoded
by libsndfile, MP3 and Ogg Vorbis by miniaudio.
"""

import argparse
import asyncio
import io
import random
import re
import sys
import tempfile
import time
from collections import defaultdict
from pathlib import Path

import mido
import miniaudio
import numpy as np
import pyloudnorm
import soundfile
from numpy.typing import NDArray

from app.errors import LiltError
from app.rendering import sandbox
from app.rendering.arrangement import Arrangement
from app.rendering.backing import Backing
from app.rendering.cache import Cache
from app.rendering.formats import Format
from app.rendering.make_sound import SCOUT_RATE, TAIL_S
from app.rendering.render_job import RenderOptions
from app.rendering.renderer import Renderer
from app.rendering.synth import Synth, Timed
from app.settings import Settings
from benchmarks.loudness import judge

SOUNDS = (Format.WAV, Format.FLAC, Format.MP3, Format.OGG)
TARGET_LUFS, TOLERANCE_LU, MAX_PEAK_DB, MAX_STEP = -16.0, 0.7, -1.0, 0.01
TUNE_CHANNEL = 0


def samples_of(content: bytes, format_: Format) -> tuple[NDArray[np.float64], int]:
    """[n, 2] and their rate."""
    if format_ in (Format.WAV, Format.FLAC):
        return soundfile.read(io.BytesIO(content))  # type: ignore[no-any-return]
    sound = miniaudio.decode(content)
    return np.array(sound.samples).reshape(-1, sound.nchannels) / 32768, sound.sample_rate


def above_backing(midi: bytes, soundfont: Path) -> float:
    """By how many LU the tune is louder than what accompanies it."""
    at_s, tune, others = 0.0, list[Timed](), list[Timed]()
    for message in mido.MidiFile(file=io.BytesIO(midi)):
        at_s += message.time
        if not message.is_meta:
            (tune if message.channel == TUNE_CHANNEL else others).append(Timed(at_s, message))
    loudness = []
    for part in (tune, others):
        with Synth(soundfont, SCOUT_RATE, reverb=False) as synth:
            blocks = list(synth.play(tuple(part), at_s + TAIL_S, 32_768))
        loudness.append(pyloudnorm.Meter(SCOUT_RATE).integrated_loudness(np.concatenate(blocks, axis=1).T))
    return float(loudness[0] - loudness[1])


class Results:
    """What was measured, by backing."""

    def __init__(self) -> None:
        self.loudness: dict[str, list[float]] = defaultdict(list)
        self.peaks: dict[str, list[float]] = defaultdict(list)
        self.steps: dict[str, list[float]] = defaultdict(list)
        self.above: dict[str, list[float]] = defaultdict(list)
        self.faults: list[str] = []
        self.tunes = 0

    def take(self, tune: str, backing: Backing, format_: Format, content: bytes) -> None:
        """Judge one sound."""
        samples, rate = samples_of(content, format_)
        lufs, peak_db = judge(samples, rate)
        step = float(max(np.abs(samples[:2]).max(), np.abs(samples[-2:]).max()))
        name = f"{backing} {format_}"
        self.loudness[name].append(lufs)
        self.peaks[name].append(peak_db)
        self.steps[name].append(step)
        if abs(lufs - TARGET_LUFS) > TOLERANCE_LU or peak_db > MAX_PEAK_DB or step > MAX_STEP:
            self.fault(f"{name}: {tune}: {lufs:.2f} LUFS, true peak {peak_db:.2f} dB, ends within {step:.4f}")

    def fault(self, what: str) -> None:
        """Keep it for the end, and say it at once: all tunes take hours."""
        self.faults.append(what)
        print(what, file=sys.stderr, flush=True)

    def table(self) -> list[str]:
        """A line for each backing and format."""
        lines = [f"{'':16}{'tunes':>6}{'LUFS':>8}{'sd':>6}{'from':>8}{'to':>8}{'true peak':>12}{'ends within':>13}"]
        for name, values in self.loudness.items():
            lufs = np.array(values)
            lines.append(
                f"{name:16}{len(lufs):6}{lufs.mean():8.2f}{lufs.std():6.2f}{lufs.min():8.2f}{lufs.max():8.2f}"
                f"{max(self.peaks[name]):9.2f} dB{max(self.steps[name]):13.5f}"
            )
        for name, values in self.above.items():
            low, middle, high = np.percentile(values, [5, 50, 95])
            lines.append(f"{name}: the tune is louder by {middle:.1f} LU ({low:.1f} to {high:.1f} for nine in ten)")
        return lines


async def run(tunes: list[str], formats: tuple[Format, ...], minutes: float, soundfont: Path) -> Results:
    """Tunes with all backings, as many as are done when the minutes are over."""
    results = Results()
    until = time.monotonic() + 60 * minutes
    with tempfile.TemporaryDirectory() as name:
        cache = Cache(Path(name), 1)
        renderer = Renderer(soundfont, sandbox.probe(), cache, at_once=2, max_waiting=8, max_duration_s=600)

        async def made(abc: str, format_: Format, backing: Backing) -> bytes:
            job = await renderer.job(abc, format_, RenderOptions(Arrangement(backing=backing)))
            rendering = await renderer.render(job, whole=True)
            content = b"".join([piece async for piece in rendering.read(0, None)])
            rendering.leave()
            return content

        for number, abc in enumerate(tunes, 1):
            if time.monotonic() > until:
                break
            results.tunes = number
            title = next(iter(re.findall(r"^T:(.*)", abc, re.MULTILINE)), "?").strip()
            for backing in Backing:
                try:
                    for format_ in formats:
                        results.take(title, backing, format_, await made(abc, format_, backing))
                    if backing is not Backing.NONE:
                        results.above[backing].append(above_backing(await made(abc, Format.MIDI, backing), soundfont))
                except LiltError as error:
                    results.fault(f"{backing}: {title}: {error.detail}")
            if number % 10 == 0:
                print(f"{number} of {len(tunes)} tunes", file=sys.stderr, flush=True)
    return results


def main() -> int:
    """Judge and print; 1 if anything was bad."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("tunebooks", type=Path, nargs="+")
    parser.add_argument("--formats", nargs="+", type=Format, default=SOUNDS)
    parser.add_argument("--minutes", type=float, default=1e6, help="stop after so many (default: when all are done)")
    parser.add_argument("--seed", type=int, default=1, help="of the order in which tunes are taken")
    parser.add_argument("--soundfont", type=Path, default=Settings().soundfont)
    arguments = parser.parse_args()
    texts = [text for book in arguments.tunebooks for text in book.read_text("utf-8").split("\n\n")]
    tunes = [text.strip("\n") + "\n" for text in texts if re.search("^K:", text, re.MULTILINE)]
    random.Random(arguments.seed).shuffle(tunes)  # noqa: S311 - a sample, no secret
    results = asyncio.run(run(tunes, tuple(arguments.formats), arguments.minutes, arguments.soundfont))
    print(f"{results.tunes} of {len(tunes)} tunes, seed {arguments.seed}")
    print(*results.table(), sep="\n")
    print(f"{len(results.faults)} outside {TARGET_LUFS} ± {TOLERANCE_LU} LUFS, {MAX_PEAK_DB} dB or {MAX_STEP}")
    print(*results.faults[:40], sep="\n")
    return 1 if results.faults else 0


if __name__ == "__main__":
    sys.exit(main())
