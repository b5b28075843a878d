"""`python -m benchmarks.render`: the service beside the notebook's `abc2midi; timidity -Ow`, in turns in one run.

The notebook's way is timed as its user has it: to the end of both programs, since nothing is heard before. The service
is timed over HTTP, with a title that it has never seen (so nothing is kept from before), then again with the same one;
with and without backing, by FluidSynth and by timidity. Beside the seconds stands the processor time of all that takes
part, which says more than they do on a machine that does other things. Then both synthesisers' sound is compared:
loudness, the most memory of the service's process, and how far apart their notes begin.
"""

import argparse
import io
import json
import os
import statistics
import subprocess
import tempfile
import time
from collections import defaultdict
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import astuple, dataclass, replace
from itertools import count
from pathlib import Path

import httpx
import numpy as np
import pyloudnorm
import soundfile
from numpy.typing import NDArray

from tests.servers import ROOT, Server, serving
from tests.watch import watching

SOUNDFONT = Path("/usr/share/sounds/sf2/TimGM6mb.sf2")  # what timidity reads; it knows no SF3
TUNE = ROOT / "tests" / "app" / "rendering" / "tunes" / "jig.abc"
CLIENTS = 16
CONTENDERS = (
    ("wav", "none"),
    ("ogg", "none"),
    ("mp3", "none"),
    ("wav", "guitar"),
    ("wav", "session"),
    ("mp3", "session"),
)
_HEADERS = {"wav": 44, "mp3": 400}  # bytes that come before the first of sound, or more than those
_ENVELOPE_HZ = 441
_numbers = count(1)


@dataclass(frozen=True)
class Timing:
    """Seconds to the first byte of sound and to the last, and of the processor."""

    first_s: float
    last_s: float
    cpu_s: float = 0.0


def notebook(abc: str) -> Timing:
    """The lab's two commands, in a folder of their own."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "tune.abc").write_text(abc)
        (folder / "timidity.cfg").write_text(f'soundfont "{SOUNDFONT}"\n')
        began, cpu_from = time.perf_counter(), _cpu_s(os.getpid())
        for command in (
            ["abc2midi", "tune.abc", "-o", "tune.mid"],
            ["timidity", "-c", "timidity.cfg", "-Ow", "-o", "tune.wav", "tune.mid"],
        ):
            subprocess.run(command, cwd=folder, check=True, stdout=subprocess.DEVNULL)  # noqa: S603
        took = time.perf_counter() - began
        return Timing(took, took, _cpu_s(os.getpid()) - cpu_from)


def _cpu_s(pid: int) -> float:
    """What a process and its children that have ended have used of the processor (Linux's proc_pid_stat(5))."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return sum(map(int, fields[11:15])) / os.sysconf("SC_CLK_TCK")


def service(client: httpx.Client, abc: str, format_: str = "wav", backing: str = "none") -> Timing:
    """One request; the first byte that counts is the first of sound, past a file's header."""
    began = time.perf_counter()
    first, received = 0.0, 0
    with client.stream("POST", "/render", json={"abc": abc, "format": format_, "backing": backing}) as response:
        response.raise_for_status()
        for chunk in response.iter_raw():
            received += len(chunk)
            if not first and received > _HEADERS.get(format_, 0):
                first = time.perf_counter() - began
    return Timing(first, time.perf_counter() - began)


def unseen(abc: str) -> str:
    """The tune under a title that was never used."""
    return abc.replace("\nT:", f"\nT:{next(_numbers)} ", 1)


@contextmanager
def served(synthesizer: str = "fluidsynth") -> Iterator[tuple[Server, httpx.Client]]:
    """A service that has answered once, and a client of it."""
    with serving(max_waiting_renders="64", synthesizer=synthesizer) as server, server.client() as client:
        service(client, unseen(TUNE.read_text()))
        yield server, client


def run(abc: str, rounds: int) -> dict[str, Timing]:
    """Medians of every contender, each having a turn in each round."""
    seen: dict[str, list[Timing]] = defaultdict(list)
    with served() as (server, client), served("timidity") as (other_server, other):

        def asked(server: Server, client: httpx.Client, abc: str, format_: str, backing: str) -> Timing:
            cpu_from = _cpu_s(server.process.pid)
            timing = service(client, abc, format_, backing)
            return replace(timing, cpu_s=_cpu_s(server.process.pid) - cpu_from)

        for _ in range(rounds):
            seen["notebook"].append(notebook(abc))
            for format_, backing in CONTENDERS:
                fresh = unseen(abc)
                name = format_ if backing == "none" else f"{format_}, {backing}"
                seen[name].append(asked(server, client, fresh, format_, backing))
                if (format_, backing) == CONTENDERS[0]:
                    seen[f"{name} again"].append(asked(server, client, fresh, format_, backing))
                seen[f"{name}, timidity"].append(asked(other_server, other, fresh, format_, backing))
    return {
        name: Timing(*(statistics.median(each) for each in zip(*map(astuple, timings), strict=True)))
        for name, timings in seen.items()
    }


def crowd(abc: str) -> dict[str, float]:
    """Sixteen at once, each with a tune of its own: seconds until the last has all of it, and tunes a second."""
    with served() as (_, client), ThreadPoolExecutor(CLIENTS) as pool:
        began = time.perf_counter()
        timings = list(pool.map(lambda abc: service(client, abc), [unseen(abc) for _ in range(CLIENTS)]))
        took = time.perf_counter() - began
        began = time.perf_counter()
        list(pool.map(lambda _: service(client, abc), range(CLIENTS)))
        same = time.perf_counter() - began
    with ThreadPoolExecutor(CLIENTS) as pool:
        began = time.perf_counter()
        list(pool.map(notebook, [abc] * CLIENTS))
        programs = time.perf_counter() - began
    return {
        "notebook's way, 16 at once, s": programs,
        "service, 16 different tunes at once, s": took,
        "median first byte of those, s": statistics.median(timing.first_s for timing in timings),
        "service, 16 asking for the same tune, s": same,
    }


def synthesizers(abc: str) -> Iterator[str]:
    """Lines on what each makes of a tune, and on how their notes lie beside one another."""
    envelopes = []
    for synthesizer in ("fluidsynth", "timidity"):
        with served(synthesizer) as (server, client), watching(server.url, server.process.pid) as watch:
            watch.begin()
            content = client.post("/render", json={"abc": abc}).raise_for_status().content
            samples, rate = soundfile.read(io.BytesIO(content))
            loudness = pyloudnorm.Meter(rate).integrated_loudness(samples)
            lasts_s, peak_mib = len(samples) / rate, watch.peak_mib()
            yield f"{synthesizer:12}{loudness:7.2f} LUFS, {lasts_s:.2f} s, most memory {peak_mib:.0f} MiB"
            envelopes.append(_onsets(samples.mean(axis=1), rate))
    size = min(map(len, envelopes))
    ours, theirs = (each[:size] - each[:size].mean() for each in envelopes)
    lags = np.correlate(ours, theirs, "full")
    lag_ms = 1000 * (int(lags.argmax()) - size + 1) / _ENVELOPE_HZ
    likeness = lags.max() / np.sqrt((ours**2).sum() * (theirs**2).sum())
    yield f"their notes begin {lag_ms:+.1f} ms apart (onset envelopes at {_ENVELOPE_HZ} Hz, correlation {likeness:.2f})"


def _onsets(samples: NDArray[np.float64], rate: int) -> NDArray[np.float64]:
    """By how much the level rises, `_ENVELOPE_HZ` times a second."""
    step = rate // _ENVELOPE_HZ
    blocks = samples[: len(samples) // step * step].reshape(-1, step)
    level_db = 10 * np.log10((blocks**2).mean(axis=1) + 1e-6)
    return np.asarray(np.maximum(0, np.diff(np.convolve(level_db, np.ones(9) / 9, "same"))))


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--brief", action="store_true", help="the first table alone")
    parser.add_argument("--sound", action="store_true", help="the comparison of both synthesisers alone")
    arguments = parser.parse_args()
    abc = TUNE.read_text()
    if arguments.sound:
        print(*synthesizers(abc), sep="\n")
        return
    results = run(abc, arguments.rounds)
    base = results["notebook"]
    print(f"{'':24}{'first byte':>22}{'last byte':>22}{'processor':>13}")
    for name, timing in results.items():
        first, last = timing.first_s / base.first_s, timing.last_s / base.last_s
        times = f"{timing.first_s:10.3f} s ({first:6.3f} ×){timing.last_s:10.3f} s ({last:6.3f} ×)"
        print(f"{name:24}{times}{timing.cpu_s:11.2f} s")
    if arguments.brief:
        return
    print(*synthesizers(abc), sep="\n")
    print(json.dumps({name: round(value, 3) for name, value in crowd(abc).items()}, indent=1))


if __name__ == "__main__":
    main()
