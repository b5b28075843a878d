"""What choosing costs: a whole tune over HTTP, new each time, and the best of 4 and of 16, alone and eight at once."""

import asyncio
import statistics
import time
from itertools import count

import httpx

from tests.servers import Server, serving

CHOICES = (1, 4, 16)
AT_ONCE = (1, 8)
ROUNDS = 5
REQUESTS = 8  # in a round

Figures = dict[str, float]
"""`p50_ms` of a request, `tunes_per_s` of those that are answered, `times_one` the time that one tune takes."""


def run() -> dict[str, Figures]:
    """Who asks for what → its figures, of rounds in which each has a turn; one that is not counted is before them."""
    took_ms: dict[tuple[int, int], list[float]] = {}
    per_s: dict[tuple[int, int], list[float]] = {}
    seeds = count(1)
    with serving() as server:
        for number in range(ROUNDS + 1):
            for case in [(at_once, choices) for at_once in AT_ONCE for choices in CHOICES]:
                times, lasted_s = asyncio.run(_round(server, *case, seeds))
                if number:
                    took_ms.setdefault(case, []).extend(times)
                    per_s.setdefault(case, []).append(REQUESTS / lasted_s)
    middle = {case: statistics.median(times) for case, times in took_ms.items()}
    return {
        f"best of {choices}, {at_once} at once": {
            "p50_ms": middle[at_once, choices],
            "tunes_per_s": statistics.median(per_s[at_once, choices]),
            "times_one": middle[at_once, choices] / middle[at_once, CHOICES[0]],
        }
        for at_once, choices in middle
    }


def table(results: dict[str, Figures]) -> list[str]:
    """The lines that are printed."""
    lines = [f"\n{'a whole tune over HTTP':<26}{'p50':>12}{'tunes/s':>10}{'times one':>11}"]
    for name, figures in results.items():
        lines.append(
            f"{name:<26}{figures['p50_ms']:>9.1f} ms{figures['tunes_per_s']:>10.1f}{figures['times_one']:>9.1f} ×"
        )
    return lines


async def _round(server: Server, at_once: int, choices: int, seeds: "count[int]") -> tuple[list[float], float]:
    """What each of a round's requests took (ms), and all of them together (s)."""
    places, times = asyncio.Semaphore(at_once), []
    async with httpx.AsyncClient(base_url=server.url, timeout=60) as client:

        async def ask() -> None:
            async with places:
                begun = time.perf_counter()
                body = {"seed": next(seeds) * max(CHOICES), "best_of": choices}
                (await client.post("/generate", json=body)).raise_for_status()
                times.append(1000 * (time.perf_counter() - begun))

        begun = time.perf_counter()
        await asyncio.gather(*(ask() for _ in range(REQUESTS)))
        return times, time.perf_counter() - begun
