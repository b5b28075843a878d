"""One request of 4,000 characters over HTTP, and sixty-four at once, new tunes, beside the notebook's loop."""

import asyncio
import statistics
import tempfile
import time
from contextlib import ExitStack
from itertools import count
from pathlib import Path

import httpx

from benchmarks import decode
from benchmarks.service import WORKERS
from model_store.store import Checkpoint
from tests.servers import Server, serving

LENGTH = 4000  # characters
AT_ONCE = (1, 64)
ROUNDS = 5
NOTEBOOK_S = 1.0
ALONE = 4  # requests one after another, where one is made at a time

Rates = dict[str, float]
"""Who makes them → characters a second; `notebook` is the notebook's loop."""


def run(checkpoint: Checkpoint) -> Rates:
    """The median of rounds in which each has a turn; a round that is not counted is before them."""
    contender = next(each for each in decode.CONTENDERS if each.name == decode.NOTEBOOK)
    with tempfile.TemporaryDirectory(prefix="lilt-bench-") as name, ExitStack() as stack:
        folder = decode.write(checkpoint, checkpoint.manifest.model.lstm_units, Path(name) / "task")
        notebook = stack.enter_context(decode.working(contender, folder, 1, 1))
        servers = {workers: stack.enter_context(serving(workers=str(workers))) for workers in (1, WORKERS)}
        seeds = count(1)
        turns: dict[str, list[float]] = {}
        for number in range(ROUNDS + 1):
            made = {"notebook": (notebook.rate(NOTEBOOK_S) if notebook else None) or 0.0}
            for workers, server in servers.items():
                for at_once in AT_ONCE:
                    rate = asyncio.run(_rate(server, at_once, seeds))
                    made[f"{at_once} at once, {workers} worker{'s' if workers > 1 else ''}"] = rate
            for who, rate in made.items() if number else ():
                turns.setdefault(who, []).append(rate)
    return {who: statistics.median(rates) for who, rates in turns.items()}


def table(results: Rates) -> list[str]:
    """The lines that are printed."""
    notebook = results["notebook"]
    return [
        f"\nrequests of {LENGTH:,} characters over HTTP: characters a second, and times the notebook's loop",
        *(f"  {who:<34}{rate:>10,.0f} {rate / (notebook or rate):>8,.0f} ×" for who, rate in results.items()),
    ]


async def _rate(server: Server, at_once: int, seeds: "count[int]") -> float:
    """Characters a second of so many requests at once."""
    async with httpx.AsyncClient(base_url=server.url, timeout=60) as client:

        async def ask() -> None:
            body = {"length": LENGTH, "tunes": None, "seed": next(seeds)}
            answer = (await client.post("/generate", json=body)).raise_for_status()
            if len(answer.json()["abc"]) < LENGTH:
                raise RuntimeError("an answer is too short")

        await client.get("/healthz")
        begun = time.perf_counter()
        rounds = ALONE if at_once == 1 else 1
        for _ in range(rounds):
            await asyncio.gather(*(ask() for _ in range(at_once)))
        return rounds * at_once * LENGTH / (time.perf_counter() - begun)
