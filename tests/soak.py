"""`python -m tests.soak --minutes 60`: one service for an hour, with visitors, and a fault each minute.

Visitors make tunes by seeds, whose text must be the one that was made first, and render, stream and check them.
Half-way the service is killed and started again, as a supervisor does it. At the end: what share of the visitors'
requests failed, near a fault and away from all; memory, threads, open files, child processes and disk over time. The
exit status is 1 where a request failed away from all faults, an answer was wrong, or memory grew.
"""

import argparse
import os
import random
import shutil
import signal
import socket
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Callable
from contextlib import ExitStack, suppress
from dataclasses import dataclass, field
from pathlib import Path

import httpx

from benchmarks.start import resident_mib
from model_store.store import Store
from tests.checkpoints import publish
from tests.conftest import DEFAULT_STORE
from tests.faults.cases import TUNE, descendants, free_port, is_well, until
from tests.servers import Server, serving

VISITORS = 3
PAUSE_S = 0.5
NEAR_S = 5.0
"""from a fault on: what fails then is counted apart"""
SEEDS = 40
FORMATS = ("wav", "mp3", "ogg", "flac", "midi", "svg", "pdf", "musicxml")
MAX_GROWTH = 1.15


@dataclass
class Sample:
    """How much the service holds at one time."""

    resident_mib: float
    threads: int
    files: int
    children: int
    disk_mib: float


@dataclass
class Soak:
    """What happened so far."""

    answers: Counter[str] = field(default_factory=Counter)
    failed: Counter[str] = field(default_factory=Counter)
    wrong: list[str] = field(default_factory=list)
    faults: Counter[str] = field(default_factory=Counter)
    lives: list[list[Sample]] = field(default_factory=list)
    """of each process that served, in order"""
    last_fault_at: float = 0.0
    is_over: bool = False
    tunes: dict[int, str] = field(default_factory=dict)


class Service:
    """The service that is up now."""

    def __init__(self, root: Path) -> None:
        self.root, self.port = root, free_port()
        self.store = Store(root / "store")
        publish(self.store, Store(DEFAULT_STORE).load("irish"), "irish")
        (root / "tmp").mkdir()
        self._stack = ExitStack()
        self.server = self._start()

    def _start(self) -> Server:
        return self._stack.enter_context(
            serving(
                port=self.port,
                model_store=str(self.store.root),
                cache=str(self.root / "cache"),
                max_cache_mb="64",
                refresh_s="1",
                tmpdir=str(self.root / "tmp"),
            )
        )

    @property
    def pid(self) -> int:
        return self.server.process.pid

    def kill(self) -> None:
        self.server.process.kill()
        self.server.process.wait()
        self.server = self._start()

    def close(self) -> None:
        self._stack.close()

    def sample(self) -> Sample:
        held = [path for folder in ("cache", "tmp") for path in (self.root / folder).rglob("*")]
        return Sample(
            resident_mib=resident_mib(self.pid),
            threads=len(list(Path(f"/proc/{self.pid}/task").iterdir())),
            files=len(list(Path(f"/proc/{self.pid}/fd").iterdir())),
            children=len(descendants(self.pid)),
            disk_mib=sum(size_of(path) for path in held) / 2**20,
        )


def size_of(path: Path) -> int:
    with suppress(OSError):  # it may just have gone
        return path.stat().st_size
    return 0


# ----------------------------------------------------------------------------------------------------------- visitors


def visit(service: Service, soak: Soak, dice: random.Random) -> None:
    """Ask for things until it is over."""
    with httpx.Client(base_url=f"http://127.0.0.1:{service.port}", timeout=60) as client:
        while not soak.is_over:
            what = dice.choice((make, make, stream, render, check))
            began = time.monotonic()
            try:
                what(client, soak, dice)
                soak.answers[what.__name__] += 1
            except (httpx.HTTPError, AssertionError) as error:
                said = f"{what.__name__}: {type(error).__name__} {str(error)[:120]}"
                near = began <= soak.last_fault_at + NEAR_S and soak.last_fault_at <= time.monotonic()
                soak.failed[("near a fault: " if near else "AWAY FROM ALL: ") + said] += 1
            time.sleep(dice.random() * 2 * PAUSE_S)


def held_to_the_first(soak: Soak, seed: int, abc: str) -> None:
    if soak.tunes.setdefault(seed, abc) != abc:
        soak.wrong.append(f"seed {seed} made another tune than the first time")


def make(client: httpx.Client, soak: Soak, dice: random.Random) -> None:
    seed = dice.randrange(SEEDS)
    answer = client.post("/generate", json={"length": 800, "seed": seed})
    assert answer.status_code == 200, answer.status_code
    held_to_the_first(soak, seed, answer.json()["abc"])


def stream(client: httpx.Client, _: Soak, dice: random.Random) -> None:
    body = {"length": 800, "seed": dice.randrange(SEEDS)}
    answer = client.post("/generate", json=body, headers={"Accept": "text/event-stream"})
    assert answer.status_code == 200, answer.status_code
    assert "event: done" in answer.text, "half a stream"


def render(client: httpx.Client, _: Soak, dice: random.Random) -> None:
    abc = TUNE.replace("CDEF", "".join(dice.choices("CDEFGAB", k=4)))
    answer = client.post("/render", json={"abc": abc, "format": dice.choice(FORMATS)})
    assert answer.status_code == 200, answer.status_code
    assert len(answer.content) > 100, "next to nothing"


def check(client: httpx.Client, _: Soak, __: random.Random) -> None:
    answer = client.post("/check", json={"abc": TUNE})
    assert answer.status_code == 200, answer.status_code


# ------------------------------------------------------------------------------------------------------------- faults


def renderers_killed(service: Service) -> None:
    """kill -9 of every child process."""
    for _ in range(50):
        for pid, _command in descendants(service.pid):
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        time.sleep(0.02)


def model_in_halves(service: Service) -> None:
    """A version that is half there, and then is taken away."""
    folder = service.store.root / "irish" / "1000000"  # above all that `new_version` publishes
    folder.mkdir()
    (folder / "manifest.json").write_text("{")
    time.sleep(3)
    shutil.rmtree(folder)


def new_version(service: Service) -> None:
    """The same model under the next number, and the one before the last away."""
    publish(service.store, service.store.load("irish"), "irish")
    time.sleep(2)


def silent_crowd(service: Service) -> None:
    """Connections that never speak, more than the service keeps."""
    with ExitStack() as stack:
        for _ in range(1500):
            stack.enter_context(socket.create_connection(("127.0.0.1", int(service.port))))
        time.sleep(3)


def cache_emptied(service: Service) -> None:
    """Somebody deletes what was rendered."""
    for file in (service.root / "cache").rglob("*"):
        if file.is_file():
            with suppress(OSError):
                file.unlink()


def hostile_texts(service: Service) -> None:
    """What makes renderers crash or hang."""
    with httpx.Client(base_url=f"http://127.0.0.1:{service.port}", timeout=60) as client:
        for file in sorted((Path(__file__).parent / "app" / "rendering" / "hostile").glob("*.abc"))[:30]:
            with suppress(httpx.HTTPError):
                client.post("/render", content=file.read_bytes(), headers={"Content-Type": "text/vnd.abc"})


def left_streams(service: Service) -> None:
    """Clients that ask for much and go away."""
    body = {"length": 50_000, "tunes": None}
    with httpx.Client(base_url=f"http://127.0.0.1:{service.port}", timeout=60) as client:
        for _ in range(20):
            with client.stream("POST", "/generate", json=body, headers={"Accept": "text/event-stream"}) as answer:
                next(answer.iter_text())


FAULTS: tuple[Callable[[Service], None], ...] = (
    renderers_killed,
    silent_crowd,
    model_in_halves,
    hostile_texts,
    left_streams,
    new_version,
    cache_emptied,
)


# ---------------------------------------------------------------------------------------------------------------- all


def run(minutes: float) -> Soak:
    """Visitors for so many minutes, a fault each minute."""
    soak = Soak()
    with tempfile.TemporaryDirectory(prefix="lilt-soak-") as name:
        service = Service(Path(name))
        try:
            visitors = [threading.Thread(target=visit, args=(service, soak, random.Random(n))) for n in range(VISITORS)]
            for thread in visitors:
                thread.start()
            try:
                _watch(service, soak, minutes)
            finally:
                soak.is_over = True
                for thread in visitors:
                    thread.join()
            with service.server.client() as client:
                if not is_well(client):
                    soak.wrong.append("the service is not well at the end")
            soak.wrong += [line.strip()[:300] for line in service.server.log if "Traceback" in line]
        finally:
            service.close()
        until(lambda: not list((Path(name) / "tmp").glob("lilt-*")))
    return soak


def _watch(service: Service, soak: Soak, minutes: float) -> None:
    begun, faults = time.monotonic(), 0
    soak.lives.append([])
    while (gone_s := time.monotonic() - begun) < 60 * minutes:
        time.sleep(10)
        soak.lives[-1].append(service.sample())
        if gone_s < 60 * (faults + 1):
            continue
        is_half_way = len(soak.lives) == 1 and gone_s > 30 * minutes
        soak.last_fault_at = time.monotonic()
        if is_half_way:
            soak.faults["service killed"] += 1
            service.kill()
            soak.lives.append([])
        else:
            fault = FAULTS[faults % len(FAULTS)]
            soak.faults[fault.__name__] += 1
            fault(service)
        soak.last_fault_at = time.monotonic()
        faults += 1
        latest = soak.lives[-1][-1] if soak.lives[-1] else "killed"
        print(f"{gone_s / 60:5.1f} min: {sum(soak.answers.values()):,} answers, {latest}", flush=True)


def growth(life: list[Sample]) -> float:
    """Memory in the last fifth of a life beside that in its second fifth; the first warms up."""
    fifth = max(1, len(life) // 5)
    early, late = life[fifth : 2 * fifth] or life, life[-fifth:]
    return (sum(s.resident_mib for s in late) / len(late)) / (sum(s.resident_mib for s in early) / len(early))


def is_good(soak: Soak) -> bool:
    """Whether all that was promised held."""
    away = sum(count for said, count in soak.failed.items() if said.startswith("AWAY"))
    return not soak.wrong and not away and all(growth(life) <= MAX_GROWTH for life in soak.lives if len(life) > 10)


def main() -> int:
    """Run, and print what came of it."""
    parser = argparse.ArgumentParser(prog="python -m tests.soak", description=__doc__)
    parser.add_argument("--minutes", type=float, default=60)
    soak = run(parser.parse_args().minutes)
    good, bad = sum(soak.answers.values()), sum(soak.failed.values())
    print(f"\n{good:,} requests answered, {bad} failed: {good / max(1, good + bad):.3%}")
    for counter in (soak.answers, soak.faults, soak.failed):
        print(*(f"  {what}: {count:,}" for what, count in sorted(counter.items())), sep="\n")
    for number, life in enumerate(soak.lives, 1):
        print(f"  process {number}: {len(life)} samples, memory {growth(life):.2f} ×; first {life[0]}, last {life[-1]}")
    print(*(f"  WRONG: {what}" for what in soak.wrong), sep="\n")
    return 0 if is_good(soak) else 1


if __name__ == "__main__":
    sys.exit(main())
