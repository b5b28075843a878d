"""Mixed load on a real server: streams, clients that go away, long and short tunes, bad requests.

No answer but those that the interface documents; every seeded answer the same as alone; memory that does not grow.
"""

import asyncio
import json
import random
import time
from collections import Counter
from dataclasses import dataclass, field

import httpx

from benchmarks.start import resident_mib
from tests.servers import Server, serving

CLIENTS = 24
SEEDS = 12
WARM_UP_S = 60
MAX_GROWTH = 1.1
REQUESTS: tuple[dict[str, object], ...] = (
    {"length": 60, "tunes": None},
    {"length": 1000},
    {"length": 1000, "temperature": 0.7, "top_k": 12},
    {"length": 800, "temperature": 1.2, "top_p": 0.9},
    {"length": 1500, "key": "Ador", "meter": "6/8", "form": "AABB8"},
    {"length": 400, "constrained": False},
    {"length": 5000, "tunes": 6},
)
BAD: tuple[dict[str, object], ...] = (
    {"length": 0},
    {"length": 10**9},
    {"start_string": "X:1\n\N{SNOWMAN}"},
    {"temperature": -1},
    {"key": "H"},
    {"model": "nobody"},
    {"unknown": 1},
)
REFUSED = {422}
BUSY = {429, 503}


@dataclass
class Report:
    """What came of it."""

    answers: Counter[str] = field(default_factory=Counter)
    faults: list[str] = field(default_factory=list)
    resident_mib: list[float] = field(default_factory=list)
    """once a second, from the end of the warm-up on"""

    @property
    def growth(self) -> float:
        """Memory in the last tenth of the time beside that in the first."""
        tenth = max(1, len(self.resident_mib) // 10)
        return (sum(self.resident_mib[-tenth:]) / tenth) / (sum(self.resident_mib[:tenth]) / tenth)

    @property
    def is_good(self) -> bool:
        return not self.faults and self.growth <= MAX_GROWTH


def run(minutes: float) -> Report:
    """So many minutes of it."""
    with serving(max_waiting="16", max_batch="16") as server:  # small enough that some are turned away
        return asyncio.run(_load(server, minutes))


def table(report: Report) -> list[str]:
    """The lines that are printed."""
    first, last = report.resident_mib[0], report.resident_mib[-1]
    return [
        f"\n{'mixed load':<40}{'answers':>10}",
        *(f"  {what:<38}{count:>10,}" for what, count in sorted(report.answers.items())),
        f"  resident: {first:.0f} MiB, and {last:.0f} MiB at the end; last tenth {report.growth:.2f} × the first",
        f"  {len(report.faults)} faults",
        *(f"    {fault}" for fault in report.faults[:20]),
    ]


async def _load(server: Server, minutes: float) -> Report:
    report = Report()
    limits = httpx.Limits(max_connections=None)
    async with httpx.AsyncClient(base_url=server.url, timeout=130, limits=limits) as client:
        alone = {}
        for number, request in enumerate(REQUESTS):
            for seed in range(SEEDS):
                answer = await client.post("/generate", json=request | {"seed": seed})
                alone[number, seed] = answer.raise_for_status().json()["abc"]
        end = time.monotonic() + 60 * minutes
        visitors = [_visitor(client, random.Random(n), alone, end, report) for n in range(CLIENTS)]  # noqa: S311
        await asyncio.gather(_watch(server, end, report), *visitors)
        (await client.get("/readyz")).raise_for_status()
    report.faults += [line.strip() for line in server.log if "ERROR" in line or "Traceback" in line]
    return report


async def _watch(server: Server, end: float, report: Report) -> None:
    await asyncio.sleep(min(WARM_UP_S, (end - time.monotonic()) / 5))
    while time.monotonic() < end:
        report.resident_mib.append(resident_mib(server.process.pid))
        await asyncio.sleep(1)


async def _visitor(
    client: httpx.AsyncClient, dice: random.Random, alone: dict[tuple[int, int], str], end: float, report: Report
) -> None:
    visits = (_plain, _plain, _stream, _stream, _leave, _bad)
    while time.monotonic() < end:
        try:
            await dice.choice(visits)(client, dice, alone, report)
        except httpx.HTTPError as error:
            report.faults.append(f"{type(error).__name__}: {error}")
        await asyncio.sleep(dice.random() * 0.2)


def _draw(dice: random.Random) -> tuple[tuple[int, int], dict[str, object]]:
    number, seed = dice.randrange(len(REQUESTS)), dice.randrange(SEEDS)
    return (number, seed), REQUESTS[number] | {"seed": seed}


def _judge(report: Report, what: str, status: int, text: str, expected: str | None) -> None:
    """Count an answer; a fault is what is no documented refusal, or another tune than alone."""
    report.answers[f"{what}: {status}"] += 1
    if status in BUSY and text:
        return
    if expected is None:
        if status not in REFUSED:
            report.faults.append(f"{what}: {status} {text[:200]}")
    elif status != 200 or text != expected:
        report.faults.append(f"{what}: {status}, another answer than alone: {text[:80]!r}")


async def _plain(
    client: httpx.AsyncClient, dice: random.Random, alone: dict[tuple[int, int], str], report: Report
) -> None:
    key, request = _draw(dice)
    answer = await client.post("/generate", json=request)
    if answer.status_code in BUSY and "retry-after" not in answer.headers:
        report.faults.append(f"{answer.status_code} without Retry-After")
    text = answer.json()["abc"] if answer.status_code == 200 else answer.text
    _judge(report, "whole answers", answer.status_code, text, alone[key])


async def _stream(
    client: httpx.AsyncClient, dice: random.Random, alone: dict[tuple[int, int], str], report: Report
) -> None:
    key, request = _draw(dice)
    text = ""
    async with client.stream("POST", "/generate", json=request, headers={"Accept": "text/event-stream"}) as answer:
        if answer.status_code != 200:
            _judge(report, "streams", answer.status_code, (await answer.aread()).decode(), alone[key])
            return
        event, pieces = "", []
        async for line in answer.aiter_lines():
            event = line.removeprefix("event: ") if line.startswith("event: ") else event
            if line.startswith("data: "):
                data = json.loads(line.removeprefix("data: "))
                if event == "chunk":
                    pieces.append(data["text"])
                elif event == "done":
                    text = data["abc"]
                elif event != "start":
                    report.faults.append(f"a stream's error: {data}")
    if not text.endswith("".join(pieces)):
        report.faults.append("a stream whose pieces are not its whole")
    _judge(report, "streams", 200, text, alone[key])


async def _leave(client: httpx.AsyncClient, dice: random.Random, _: dict[tuple[int, int], str], report: Report) -> None:
    """Go away in the middle, of a stream or of a plain answer."""
    headers = {"Accept": "text/event-stream"} if dice.random() < 0.5 else {}
    with_length: dict[str, object] = {"length": 20_000, "tunes": None, "seed": dice.randrange(SEEDS)}
    try:
        async with asyncio.timeout(0.05 + dice.random() / 2):
            async with client.stream("POST", "/generate", json=with_length, headers=headers) as answer:
                if answer.status_code != 200:
                    _judge(report, "those that leave", answer.status_code, (await answer.aread()).decode(), None)
                    return
                async for _line in answer.aiter_lines():
                    pass
    except TimeoutError:
        report.answers["those that leave: gone"] += 1


async def _bad(client: httpx.AsyncClient, dice: random.Random, _: dict[tuple[int, int], str], report: Report) -> None:
    answer = await client.post("/generate", json=dice.choice(BAD))
    if answer.headers["content-type"] != "application/problem+json":
        report.faults.append(f"{answer.status_code} that is no problem document")
    _judge(report, "bad requests", answer.status_code, answer.text, None)
