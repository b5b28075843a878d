"""`python -m tests.fuzz --minutes 30`: strangers' texts against a real server, until the time is up.

Half of them are sent to the service as it is; the other half to one whose input filter lets every directive and number
through, so that they reach abc2midi and the engraver in the sandbox. A third of them is large: one thing that notation
has, over and over. Beside them one honest client asks for a tune each second. What is checked: every answer is a
documented one, no process and no folder is left, memory stays below a bound, and `/healthz` never takes a second.
"""

import argparse
import json
import statistics
import sys
import tempfile
import threading
import time
from collections import Counter
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from pathlib import Path
from random import Random

import httpx
from hypothesis import HealthCheck, Phase, given, settings

from tests.fuzz.texts import grow, mutate, seeds, tunes, write_finding
from tests.servers import ROOT, Server, serving
from tests.watch import Watch, watching

FORMATS: dict[str, bytes | tuple[bytes, ...]] = {
    "wav": b"RIFF",
    "mp3": (b"ID3", b"\xff"),
    "ogg": b"OggS",
    "flac": b"fLaC",
    "midi": b"MThd",
    "svg": b"<svg",
    "png": b"\x89PNG",
    "pdf": b"%PDF",
    "musicxml": b"<?xml",
}
PATHS = ("/render", "/check", "/originality", "/generate")
DOCUMENTED = {200, 406, 413, 415, 422, 503, 504}
TIMEOUT_S = 150
MAX_WAIT_S = 1.0
MAX_MIB = 600
"""of a service whose clients all send the worst at once"""
FINDINGS = ROOT / ".cache" / "fuzz"
UNGATED = """
import re, runpy, sys
sys.path.insert(0, {root!r})
from app.rendering import input_filter, line_rules
line_rules.DIRECTIVES = line_rules.MACROS = line_rules.MUSIC = ()
line_rules.INLINE_INSTRUCTION = line_rules.BLOCK_BEGIN = re.compile(r"(?!)")
input_filter.CHORD = input_filter.VOICES = input_filter.Bound(10**9, "", "")
sys.argv = ["app"]
runpy.run_module("app", run_name="__main__")
"""


@dataclass
class Tally:
    """How requests ended."""

    statuses: Counter[str] = field(default_factory=Counter)
    kinds: Counter[str] = field(default_factory=Counter)
    slowest_s: float = 0.0
    findings: list[str] = field(default_factory=list)
    honest_s: list[float] = field(default_factory=list)
    rss_mb: list[float] = field(default_factory=list)
    peaks_mib: dict[str, float] = field(default_factory=dict)
    """by server"""
    waits: list[str] = field(default_factory=list)
    """findings that depend on what else the machine does"""
    waits_s: dict[str, float] = field(default_factory=dict)
    """the longest for `/healthz`, by server"""
    lock: threading.Lock = field(default_factory=threading.Lock)


class Attacker:
    """One client that sends text after text to one server."""

    def __init__(self, name: str, server: Server, tally: Tally, ends: float, seed: int) -> None:
        self._name = name
        self._client = server.client()
        self._client.timeout = httpx.Timeout(TIMEOUT_S)
        self._tally = tally
        self._ends = ends
        self._chance = Random(seed)
        self._seeds = seeds()

    def run(self) -> None:
        with self._client:
            while time.monotonic() < self._ends:
                for _ in range(40):
                    if time.monotonic() >= self._ends:
                        return
                    self.send(self._text())
                self._grow()

    def _text(self) -> bytes:
        if self._chance.random() < 1 / 3:
            grown = grow(self._chance)
            return mutate(grown, self._chance, self._seeds) if self._chance.random() < 0.3 else grown.encode()
        return mutate(self._chance.choice(self._seeds), self._chance, self._seeds)

    def _grow(self) -> None:
        @settings(
            max_examples=20,
            deadline=None,
            database=None,
            phases=[Phase.generate],
            suppress_health_check=list(HealthCheck),
        )
        @given(tunes)
        def send(text: str) -> None:
            if time.monotonic() < self._ends:
                self.send(text.encode("utf-8", errors="surrogatepass"))

        send()

    def send(self, content: bytes) -> None:
        format_ = self._chance.choice([*FORMATS, *["midi"] * 6, *["musicxml"] * 2])
        params: dict[str, str] = {"format": format_}
        for name, values in {
            "tempo": ("20", "400"),
            "transpose": ("-7", "5", "12"),
            "repeats": ("2",),
            "click": ("true",),
            "swing": ("1",),
            "program": ("0", "127"),
            "chords": ("false",),
        }.items():
            if self._chance.random() < 0.15:
                params[name] = self._chance.choice(values)
        (path,) = self._chance.choices(PATHS, (16, 2, 1, 1))
        began = time.monotonic()
        try:
            response = self._post(path, content, params)
            fault = self._judge(response, path, format_)
            status = str(response.status_code)
            kind = response.json()["type"] if response.status_code != 200 else "made"
        except (httpx.HTTPError, ValueError, KeyError) as error:
            fault, status, kind = repr(error), "none", "none"
        took_s = time.monotonic() - began
        with self._tally.lock:
            self._tally.statuses[f"{self._name} {path} {status}"] += 1
            self._tally.kinds[kind] += 1
            self._tally.slowest_s = max(self._tally.slowest_s, took_s)
            if fault:
                name = f"{self._name}-{len(self._tally.findings)}"
                self._tally.findings.append(f"{name}: {params}: {fault}")
                write_finding(FINDINGS, name, content)

    def _post(self, path: str, content: bytes, params: dict[str, str]) -> httpx.Response:
        if path in ("/render", "/check"):
            params = params if path == "/render" else {}
            return self._client.post(path, params=params, content=content, headers={"Content-Type": "text/vnd.abc"})
        body: dict[str, object] = {"abc": content.decode("utf-8", errors="replace")}
        if path == "/generate":
            body |= {"bars": [self._chance.randrange(5)]}
        return self._client.post(path, json=body)

    def _judge(self, response: httpx.Response, path: str, format_: str) -> str | None:
        if response.status_code not in DOCUMENTED:
            return f"status {response.status_code}: {response.text[:300]}"
        if response.status_code != 200:
            is_problem = response.headers["Content-Type"] == "application/problem+json"
            leaks = any(word in response.text for word in ("root:x:", "Traceback", "/tmp/lilt"))  # noqa: S108
            return None if is_problem and not leaks else f"not a clean problem document: {response.text[:300]}"
        if path != "/render":
            return "a leak" if "root:x:" in response.text else None
        return None if response.content.startswith(FORMATS[format_]) else f"not a {format_}: {response.content[:60]!r}"


def honest(server: Server, tally: Tally, ends: float) -> None:
    """Ask for a tune that nobody asked for before, once a second."""
    tune = (ROOT / "tests" / "app" / "rendering" / "tunes" / "jig.abc").read_text("utf-8")
    number = 0
    with server.client() as client:
        while time.monotonic() < ends:
            number += 1
            began = time.monotonic()
            abc = tune.replace("T:The Kesh", f"T:Number {number}")
            try:
                response = client.post("/render", json={"abc": abc}, timeout=TIMEOUT_S)
            except httpx.HTTPError as error:
                with tally.lock:
                    tally.findings.append(f"honest: {type(error).__name__}: {error}")
                continue
            with tally.lock:
                tally.honest_s.append(time.monotonic() - began)
                if response.status_code not in (200, 503):
                    tally.findings.append(f"honest: {response.status_code}: {response.text[:200]}")
            time.sleep(1)


def rss_mb(process: int) -> float:
    """Memory that a process holds."""
    pages = int(Path(f"/proc/{process}/statm").read_text().split()[1])
    return pages * 4096 / 1e6


def children(process: int) -> list[str]:
    """The commands that a process has started and that still run."""
    found = []
    for status in Path("/proc").glob("[0-9]*/stat"):
        try:
            parent = int(status.read_text().rpartition(")")[2].split()[1])
            if parent == process:
                found.append((status.parent / "cmdline").read_bytes().replace(b"\0", b" ").decode()[:80])
        except (OSError, IndexError, ValueError):
            continue
    return found


def fuzz(minutes: float, clients: int, seed: int, sandbox: str = "auto") -> tuple[Tally, list[str]]:
    """Throw texts for so long, renderers under this sandbox; the tally, and what was left behind."""
    tally = Tally()
    left: list[str] = []

    def service(temporary: Path, *program: str) -> AbstractContextManager[Server]:
        return serving(
            program=program or ("-m", "app"),
            tmpdir=str(temporary),
            max_cache_mb="32",
            max_render_minutes="2",
            sandbox=sandbox,
        )

    with tempfile.TemporaryDirectory(prefix="fuzz-") as name:
        folder = Path(name)
        temporary = [folder / "gated", folder / "ungated"]
        script = folder / "ungated.py"
        script.write_text(UNGATED.format(root=str(ROOT)))
        for path in temporary:
            path.mkdir()
        with (
            service(temporary[0]) as gated,
            service(temporary[1], str(script)) as ungated,
            watching(gated.url, gated.process.pid) as watch_gated,
            watching(ungated.url, ungated.process.pid) as watch_ungated,
        ):
            watches = {"gated": watch_gated, "ungated": watch_ungated}
            for watch in watches.values():
                watch.begin()
            ends = time.monotonic() + 60 * minutes
            threads = [
                threading.Thread(target=Attacker(name, server, tally, ends, seed + index).run)
                for index in range(clients)
                for name, server in [(("gated", gated), ("ungated", ungated))[index % 2]]
            ]
            threads.append(threading.Thread(target=honest, args=(gated, tally, ends)))
            for thread in threads:
                thread.start()
            while any(thread.is_alive() for thread in threads):
                for server in (gated, ungated):
                    tally.rss_mb.append(round(rss_mb(server.process.pid)))
                next_reading = time.monotonic() + min(60.0, 6 * minutes)
                while time.monotonic() < next_reading and any(thread.is_alive() for thread in threads):
                    time.sleep(0.5)
                if time.monotonic() > ends + TIMEOUT_S + 60:
                    left.append("a client that never ended")
                    break
            for name, watch in watches.items():
                _close(tally, name, watch)
            time.sleep(1)
            for server in (gated, ungated):
                left += children(server.process.pid)
        left += [str(path) for path in folder.glob("*/lilt-*")]
        left += [line.strip() for server in (gated, ungated) for line in server.log if "Traceback" in line]
    return tally, left


def _close(tally: Tally, name: str, watch: Watch) -> None:
    """Write down what was seen of a server, and what of it was too much."""
    tally.waits_s[name], tally.peaks_mib[name] = watch.longest_wait_s(), watch.peak_mib()
    if tally.waits_s[name] > MAX_WAIT_S:
        tally.waits.append(f"{name}: /healthz took {tally.waits_s[name]:.2f} s; {MAX_WAIT_S:g} are allowed")
    if tally.peaks_mib[name] > MAX_MIB:
        tally.findings.append(f"{name}: {tally.peaks_mib[name]:.0f} MiB of memory; {MAX_MIB} are allowed")


def report(tally: Tally, left: list[str]) -> str:
    """What happened, in words."""
    honest_s = sorted(tally.honest_s) or [0.0]
    lines = [
        f"requests: {sum(tally.statuses.values())}",
        *(f"  {status}: {count}" for status, count in sorted(tally.statuses.items())),
        "problems: " + json.dumps(dict(tally.kinds.most_common())),
        f"slowest answer: {tally.slowest_s:.1f} s",
        f"honest requests: {len(tally.honest_s)}, median {statistics.median(honest_s):.2f} s, "
        f"95% within {honest_s[int(len(honest_s) * 0.95)]:.2f} s",
        *(f"longest /healthz, {name}: {wait_s:.2f} s" for name, wait_s in tally.waits_s.items()),
        *(f"peak memory, {name}: {peak_mib:.0f} MiB" for name, peak_mib in tally.peaks_mib.items()),
        f"memory in MB, gated at each reading: {tally.rss_mb[::2]}",
        f"memory in MB, ungated at each reading: {tally.rss_mb[1::2]}",
        f"left behind: {left or 'nothing'}",
        f"findings: {len(tally.findings) + len(tally.waits)}",
        *(f"  {finding}" for finding in [*tally.waits, *tally.findings[:20]]),
    ]
    return "\n".join(lines)


def main() -> int:
    """Run, report, and return 1 if anything was found."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--minutes", type=float, default=5.0)
    parser.add_argument("--clients", type=int, default=4)
    parser.add_argument("--seed", type=int, default=None)
    parser.add_argument("--sandbox", choices=("auto", "bubblewrap", "landlock"), default="auto")
    arguments = parser.parse_args()
    seed = arguments.seed if arguments.seed is not None else int(time.time())
    print(f"seed {seed}", flush=True)
    tally, left = fuzz(arguments.minutes, arguments.clients, seed, arguments.sandbox)
    print(report(tally, left))
    return 1 if tally.findings or tally.waits or left else 0


if __name__ == "__main__":
    sys.exit(main())
