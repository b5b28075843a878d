"""What HTTP adds: the same tunes from the engine alone, from a real server under wrk, and as streams."""

import asyncio
import itertools
import json
import os
import statistics
import subprocess
import tempfile
import time
from collections import deque
from collections.abc import Iterator
from concurrent.futures import Future
from dataclasses import dataclass
from urllib.parse import urlsplit

from app.generation.job_to_sequence import prepare
from app.generation.jobs import GenerationJob
from app.generation.model_registry import Models, ServedModel
from app.inference.completion import Completion
from app.inference.sampler import SamplingParams
from app.settings import Settings
from tests.servers import Server, serving

CLIENTS = (1, 8, 64, 256)
WORKERS = 2
SEEDS = 100_000  # in a block; each round has one of its own, so that no tune is made that was made before
SECONDS = 5
ROUNDS = 3
LENGTH = 300  # characters, the same for all, so that what differs between two answers is the wait
REST_MS = 20  # between an answer and the next request of one client who also looks at what it got
REQUEST = {"start_string": "X:1\n", "length": LENGTH, "tunes": None}

# wrk asks for one seed after another, and says in one line what it saw.
_SCRIPT = f"""
wrk.method = "POST"
wrk.headers["Content-Type"] = "application/json"
local seed = tonumber(os.getenv("FIRST_SEED")) - 1
function request()
  seed = seed + 1
  return wrk.format(nil, "/generate", nil, '{{"length": {LENGTH}, "tunes": null, "seed": ' .. seed .. '}}')
end
local rest = tonumber(os.getenv("REST_MS"))
if rest > 0 then
  function delay()
    return rest
  end
end
function done(summary, latency)
  local errors = summary.errors
  local line = '\\n{{"p50_ms": %f, "p99_ms": %f, "tunes_per_s": %f, "tunes": %d, "refused": %d, "broken": %d}}\\n'
  io.write(string.format(line,
    latency:percentile(50) / 1000, latency:percentile(99) / 1000, summary.requests / summary.duration * 1e6,
    summary.requests, errors.status, errors.connect + errors.read + errors.write + errors.timeout))
end
"""


@dataclass(frozen=True)
class Served:
    """What so many clients saw at once, each with one request under way."""

    p50_ms: float
    p99_ms: float
    tunes_per_s: float
    tunes: int
    refused: int
    broken: int
    engine_p50_ms: float
    """The same tunes, as many at once, from the engine alone in a process without a server."""
    engine_tunes_per_s: float
    first_event_p50_ms: float
    last_event_p50_ms: float


def run() -> dict[str, Served]:
    """Clients → what they saw; each number is the median of rounds in which every part has a turn.

    What the grammar learns from one tune serves all later ones: service and engine make the same tunes, those of one
    round that is not counted before all others.
    """
    blocks = itertools.count(1, SEEDS)
    models = Models(Settings())
    models.start()
    try:
        model = models.all()[0]
        with serving(max_waiting=str(max(CLIENTS))) as server:
            _round(server, model, 64, next(blocks))
            served = {f"1, resting {REST_MS} ms": _measure(server, model, 1, blocks, REST_MS)}
            served |= {str(clients): _measure(server, model, clients, blocks) for clients in CLIENTS}
        with serving(max_waiting=str(max(CLIENTS)), workers=str(WORKERS)) as server:
            _round(server, model, 64, next(blocks))
            return served | {
                f"{clients}, {WORKERS} workers": _measure(server, model, clients, blocks) for clients in CLIENTS
            }
    finally:
        for model in models.all():
            model.engine.close()


def table(results: dict[str, Served]) -> list[str]:
    """The lines that are printed."""
    lines = [
        f"\n{'clients':<20}{'p50':>10}{'p99':>10}{'tunes/s':>10}   {'engine alone':>12}{'tunes/s':>10}"
        f"   {'of p50':>7}{'of bulk':>9}{'p99/p50':>9}   {'stream: first':>14}{'last':>10}{'refused':>9}"
    ]
    for clients, s in results.items():
        lines.append(
            f"{clients:<20}{s.p50_ms:>7.1f} ms{s.p99_ms:>7.1f} ms{s.tunes_per_s:>10.1f}"
            f"   {s.engine_p50_ms:>9.1f} ms{s.engine_tunes_per_s:>10.1f}"
            f"   {s.engine_p50_ms / s.p50_ms:>7.0%}{s.tunes_per_s / s.engine_tunes_per_s:>9.0%}"
            f"{s.p99_ms / s.p50_ms:>9.1f}   {s.first_event_p50_ms:>11.1f} ms{s.last_event_p50_ms:>7.1f} ms"
            f"{s.refused + s.broken:>9}"
        )
    return lines


def _measure(server: Server, model: ServedModel, clients: int, blocks: Iterator[int], rest_ms: int = 0) -> Served:
    rounds = [_round(server, model, clients, next(blocks), rest_ms) for _ in range(ROUNDS)]
    middle = {name: statistics.median(r[name] for r in rounds) for name in rounds[0]}
    counts = {name: max(int(r[name]) for r in rounds) for name in ("tunes", "refused", "broken")}
    return Served(**middle | counts)  # type: ignore[arg-type]


def _round(server: Server, model: ServedModel, clients: int, first_seed: int, rest_ms: int = 0) -> dict[str, float]:
    seen = _wrk(server, clients, first_seed, rest_ms)
    made_ms, per_s = _alone(model, clients, range(first_seed, first_seed + int(seen["tunes"])), rest_ms)
    first_ms, last_ms = asyncio.run(_streams(server, clients, first_seed + SEEDS // 2, rest_ms))
    return seen | {
        "engine_p50_ms": made_ms,
        "engine_tunes_per_s": per_s,
        "first_event_p50_ms": first_ms,
        "last_event_p50_ms": last_ms,
    }


def _alone(model: ServedModel, at_once: int, seeds: range, rest_ms: int) -> tuple[float, float]:
    """The median time of a tune (ms), and tunes a second, with so many under way at once."""
    under_way: deque[tuple[float, Future[Completion]]] = deque()
    took_ms: list[float] = []
    begun = time.perf_counter()
    for seed in seeds:
        if len(under_way) == at_once:
            _finish(under_way, took_ms)
            time.sleep(rest_ms / 1000)
        job = GenerationJob(length=LENGTH, tunes=None, sampling=SamplingParams(seed=seed))
        begun_at = time.perf_counter()
        under_way.append((begun_at, model.engine.submit(prepare(model, job).sequence).done))
    while under_way:
        _finish(under_way, took_ms)
    return statistics.median(took_ms), len(seeds) / (time.perf_counter() - begun)


def _finish(under_way: deque[tuple[float, Future[Completion]]], took_ms: list[float]) -> None:
    begun, made = under_way.popleft()
    made.result()
    took_ms.append(1000 * (time.perf_counter() - begun))


def _wrk(server: Server, clients: int, first_seed: int, rest_ms: int) -> dict[str, float]:
    with tempfile.NamedTemporaryFile("w", suffix=".lua") as script:
        script.write(_SCRIPT)
        script.flush()
        command = ["wrk", "-t1", f"-c{clients}", f"-d{SECONDS}s", "--timeout", "60s", "-s", script.name, server.url]
        environment = os.environ | {"FIRST_SEED": str(first_seed), "REST_MS": str(rest_ms)}
        said = subprocess.run(command, check=True, capture_output=True, text=True, env=environment).stdout  # noqa: S603
    found: dict[str, float] = json.loads(said.strip().splitlines()[-1])
    return found


# ---------------------------------------------------------------------------------------------------------- streams


async def _streams(server: Server, clients: int, first_seed: int, rest_ms: int) -> tuple[float, float]:
    """The median time to the first event and to the last (ms), so many streams at once, one after another each.

    Plain sockets, kept open as browsers do: on two cores, a client that is slow would be measured with the server.
    """
    host, port = urlsplit(server.url).hostname, urlsplit(server.url).port
    seeds = iter(range(first_seed, first_seed + max(64, 2 * clients)))
    times: list[tuple[float, float]] = []

    async def client() -> None:
        reader, writer = await asyncio.open_connection(host, port)
        for seed in seeds:
            times.append(await _stream(reader, writer, seed))
            await asyncio.sleep(rest_ms / 1000)
        writer.close()

    await asyncio.gather(*(client() for _ in range(clients)))
    return statistics.median(first for first, _ in times), statistics.median(last for _, last in times)


async def _stream(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, seed: int) -> tuple[float, float]:
    body = json.dumps(REQUEST | {"seed": seed}).encode()
    head = "POST /generate HTTP/1.1\r\nHost: localhost\r\nAccept: text/event-stream\r\nContent-Type: application/json"
    begun = time.perf_counter()
    writer.write(f"{head}\r\nContent-Length: {len(body)}\r\n\r\n".encode() + body)
    await reader.readuntil(b"event: chunk")
    first = time.perf_counter()
    await reader.readuntil(b"event: done")
    last = time.perf_counter()
    await reader.readuntil(b"\r\n0\r\n\r\n")  # of the chunks that HTTP sends
    return 1000 * (first - begun), 1000 * (last - begun)
