"""`python -m tests.growth`: what small texts that grow cost the service, one kind after another, endpoint by endpoint.

For each it prints the bytes sent, the status, the seconds, the service's peak memory and the longest that `/healthz`
took beside it; then the same of many checks at once. The exit status is 1 where a bound was passed.
"""

import argparse
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass

import httpx

from app.errors import NotationError
from app.rendering.input_filter import admit
from tests.growing_texts import GROWING, MAX_BYTES
from tests.servers import Server, serving
from tests.watch import Watch, watching

MAX_WAIT_S = 1.0
MAX_MIB = 300
MAX_WAIT_AMONG_CHECKS_S = 0.3
TIMEOUT_S = 300
_PRECISION = 64  # bytes
_GENERATE_CHARACTERS = 20_000  # more are not taken


def check(client: httpx.Client, text: str) -> httpx.Response:
    return client.post("/check", json={"abc": text})


def originality(client: httpx.Client, text: str) -> httpx.Response:
    return client.post("/originality", json={"abc": text})


def bars(client: httpx.Client, text: str) -> httpx.Response:
    return client.post("/generate", json={"abc": text[:_GENERATE_CHARACTERS], "bars": [1], "seed": 1})


def midi(client: httpx.Client, text: str) -> httpx.Response:
    return client.post("/render", json={"abc": text, "format": "midi"})


def musicxml(client: httpx.Client, text: str) -> httpx.Response:
    return client.post("/render", json={"abc": text, "format": "musicxml"})


def svg(client: httpx.Client, text: str) -> httpx.Response:
    return client.post("/render", json={"abc": text, "format": "svg"})


ENDPOINTS: tuple[Callable[[httpx.Client, str], httpx.Response], ...] = (check, originality, bars, midi, musicxml, svg)


@dataclass(frozen=True)
class Cost:
    """What one request cost."""

    kind: str
    endpoint: str
    sent: int
    status: str
    took_s: float
    peak_mib: float
    wait_s: float

    @property
    def is_too_much(self) -> bool:
        return self.wait_s > MAX_WAIT_S or self.peak_mib > MAX_MIB

    def __str__(self) -> str:
        mark = "  TOO MUCH" if self.is_too_much else ""
        return (
            f"{self.kind:34}{self.endpoint:12}{self.sent:7,}{self.status:>8}{self.took_s:8.2f} s"
            f"{self.peak_mib:7.0f} MiB{1000 * self.wait_s:7.0f} ms{mark}"
        )


def texts(kind: str) -> list[str]:
    """The largest of a kind, and the largest that the input filter lets through."""
    write = GROWING[kind]
    if _is_admitted(write(MAX_BYTES)):
        return [write(MAX_BYTES)]
    admitted, refused = 0, MAX_BYTES
    while refused - admitted > _PRECISION:
        size = (admitted + refused) // 2
        admitted, refused = (size, refused) if _is_admitted(write(size)) else (admitted, size)
    return [write(MAX_BYTES), write(admitted)] if admitted else [write(MAX_BYTES)]


def _is_admitted(text: str) -> bool:
    try:
        admit(text, max_duration_s=600)
    except NotationError:
        return False
    return True


def cost(
    server: Server, watch: Watch, kind: str, text: str, endpoint: Callable[[httpx.Client, str], httpx.Response]
) -> Cost:
    """What one text costs at one endpoint."""
    with server.client() as client:
        client.timeout = httpx.Timeout(TIMEOUT_S)
        watch.begin()
        began = time.monotonic()
        try:
            response = endpoint(client, text)
            status = str(response.status_code)
            sent = len(response.request.content)
        except httpx.HTTPError as error:
            status, sent = type(error).__name__, len(text)
        took_s = time.monotonic() - began
    return Cost(kind, endpoint.__name__, sent, status, took_s, watch.peak_mib(), watch.longest_wait_s())


def among_checks(server: Server, watch: Watch, count: int, text: str) -> tuple[Counter[int], float, float]:
    """So many checks of a text at once: how they ended, seconds, and the longest wait beside them."""
    statuses: Counter[int] = Counter()
    lock, ready = threading.Lock(), threading.Barrier(count + 1)

    def one(number: int) -> None:
        with server.client() as client:
            client.get("/healthz")
            ready.wait()
            response = client.post("/check", json={"abc": text.replace("T:a", f"T:{number}")}, timeout=TIMEOUT_S)
        with lock:
            statuses[response.status_code] += 1

    threads = [threading.Thread(target=one, args=(number,)) for number in range(count)]
    for thread in threads:
        thread.start()
    ready.wait()
    watch.begin()
    began = time.monotonic()
    for thread in threads:
        thread.join()
    return statuses, time.monotonic() - began, watch.longest_wait_s()


def main() -> int:
    """Print all costs; 1 where a bound was passed."""
    parser = argparse.ArgumentParser(prog="python -m tests.growth", description=__doc__.partition("\n")[0])
    parser.add_argument("--only", metavar="KIND", nargs="*", default=list(GROWING), help="what grows; all if not given")
    parser.add_argument("--endpoints", nargs="*", default=["check", "originality", "bars", "midi", "musicxml"])
    parser.add_argument("--checks", type=int, default=120, help="checks of 2 KB at once (default: 120)")
    options = parser.parse_args()
    costs = []
    print(
        f"{'what grows':34}{'endpoint':12}{'bytes':>7}{'status':>8}{'took':>10}{'peak':>11}{'/healthz':>10}", flush=True
    )
    with serving() as server, watching(server.url, server.process.pid) as watch:
        with server.client() as client:  # a first of each, so that what is loaded once is there
            for endpoint in ENDPOINTS:
                endpoint(client, GROWING["bars"](300))
        for kind in options.only:
            for text in texts(kind):
                for endpoint in ENDPOINTS:
                    if endpoint.__name__ in options.endpoints:
                        costs.append(cost(server, watch, kind, text, endpoint))
                        print(costs[-1], flush=True)
        is_slow = False
        for kind in ("bars", "tuplets", "keys") if options.checks else ():
            statuses, took_s, wait_s = among_checks(server, watch, options.checks, GROWING[kind](2000))
            ends = ", ".join(f"{count} × {status}" for status, count in sorted(statuses.items()))
            print(f"{options.checks} checks of 2,000 bytes at once, {kind}: {ends} in {took_s:.1f} s", end="; ")
            print(f"longest /healthz {1000 * wait_s:.0f} ms")
            is_slow |= wait_s > MAX_WAIT_AMONG_CHECKS_S
    if costs:
        print(f"most of all: {max(c.wait_s for c in costs):.3f} s of waiting, {max(c.peak_mib for c in costs):.0f} MiB")
    return int(is_slow or any(cost.is_too_much for cost in costs))


if __name__ == "__main__":
    sys.exit(main())
