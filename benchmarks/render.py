"""`python -m benchmarks.render`: the service beside the notebook's `abc2midi; timidity -Ow`, in turns in one run.

The notebook's way is timed as its user has it: to the end of both programs, since nothing is heard before. The service
is timed over HTTP, with a title that it has never seen (so nothing is kept from before), then again with the same one.
"""

import argparse
import json
import statistics
import subprocess
import tempfile
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import count
from pathlib import Path

import httpx

from tests.servers import ROOT, serving

SOUNDFONT = Path("/usr/share/sounds/sf2/TimGM6mb.sf2")  # what timidity reads; it knows no SF3
TUNE = ROOT / "tests" / "app" / "rendering" / "tunes" / "jig.abc"
CLIENTS = 16
_numbers = count(1)


@dataclass(frozen=True)
class Timing:
    """Seconds to the first byte of sound and to the last."""

    first_s: float
    last_s: float


def notebook(abc: str) -> Timing:
    """The lab's two commands, in a folder of their own."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "tune.abc").write_text(abc)
        (folder / "timidity.cfg").write_text(f'soundfont "{SOUNDFONT}"\n')
        began = time.perf_counter()
        for command in (
            ["abc2midi", "tune.abc", "-o", "tune.mid"],
            ["timidity", "-c", "timidity.cfg", "-Ow", "-o", "tune.wav", "tune.mid"],
        ):
            subprocess.run(command, cwd=folder, check=True, stdout=subprocess.DEVNULL)  # noqa: S603
        took = time.perf_counter() - began
        return Timing(took, took)


def service(client: httpx.Client, abc: str, format_: str = "wav") -> Timing:
    """One request; the first byte that counts is the first sample, past a WAV file's header."""
    began = time.perf_counter()
    first, received = 0.0, 0
    with client.stream("POST", "/render", json={"abc": abc, "format": format_}) as response:
        response.raise_for_status()
        for chunk in response.iter_raw():
            received += len(chunk)
            if not first and received > 44:
                first = time.perf_counter() - began
    return Timing(first, time.perf_counter() - began)


def unseen(abc: str) -> str:
    """The tune under a title that was never used."""
    return abc.replace("\nT:", f"\nT:{next(_numbers)} ", 1)


@contextmanager
def served() -> Iterator[httpx.Client]:
    """A client of a service that has answered once."""
    with serving(max_waiting_renders="64") as server, server.client() as client:
        service(client, unseen(TUNE.read_text()))
        yield client


def run(abc: str, rounds: int) -> dict[str, Timing]:
    """Medians of every contender, each having a turn in each round."""
    seen: dict[str, list[Timing]] = {}
    with served() as client:
        for _ in range(rounds):
            fresh = unseen(abc)
            seen.setdefault("notebook", []).append(notebook(abc))
            seen.setdefault("service, wav", []).append(service(client, fresh))
            seen.setdefault("service, wav again", []).append(service(client, fresh))
            seen.setdefault("service, ogg", []).append(service(client, fresh, "ogg"))
            seen.setdefault("service, mp3", []).append(service(client, fresh, "mp3"))
    return {
        name: Timing(statistics.median(t.first_s for t in timings), statistics.median(t.last_s for t in timings))
        for name, timings in seen.items()
    }


def crowd(abc: str) -> dict[str, float]:
    """Sixteen at once, each with a tune of its own: seconds until the last has all of it, and tunes a second."""
    with served() as client, ThreadPoolExecutor(CLIENTS) as pool:
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


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=5)
    arguments = parser.parse_args()
    abc = TUNE.read_text()
    results = run(abc, arguments.rounds)
    base = results["notebook"]
    print(f"{'':22}{'first byte':>22}{'last byte':>22}")
    for name, timing in results.items():
        first, last = timing.first_s / base.first_s, timing.last_s / base.last_s
        print(f"{name:22}{timing.first_s:10.3f} s ({first:6.3f} ×){timing.last_s:10.3f} s ({last:6.3f} ×)")
    print(json.dumps({name: round(value, 3) for name, value in crowd(abc).items()}, indent=1))


if __name__ == "__main__":
    main()
