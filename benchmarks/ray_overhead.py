"""The service beside one, two and four replicas on Ray Serve: `.cache/ray/bin/python -m benchmarks.ray_overhead`."""

import os
import statistics
import time
from concurrent.futures import ThreadPoolExecutor

import httpx
import ray
from ray import serve

from deploy.ray.service import Lilt
from tests.servers import ROOT, serving

RAY_URL = "http://127.0.0.1:8765"


def measure(name: str, url: str, clients: int = 16, seconds: float = 12.0) -> None:
    """Prints the latency of one client, then requests a second of many, each a tune of 144 characters or so."""
    alone = _ask(url, 1, 8.0)
    end = time.perf_counter() + seconds
    with ThreadPoolExecutor(clients) as pool:
        many = [
            taken
            for each in pool.map(lambda n: _ask(url, 1000 * n, end - time.perf_counter()), range(clients))
            for taken in each
        ]
    p99 = sorted(many)[int(len(many) * 0.99)]
    print(
        f"{name:18} one client: p50 {1000 * statistics.median(alone):5.1f} ms; {clients} clients: "
        f"{len(many) / seconds:5.1f} requests/s, p50 {1000 * statistics.median(many):4.0f}, p99 {1000 * p99:4.0f} ms",
        flush=True,
    )


def _ask(url: str, first_seed: int, seconds: float) -> list[float]:
    taken: list[float] = []
    end = time.perf_counter() + seconds
    with httpx.Client(base_url=url, timeout=60, trust_env=False) as client:
        while (begun := time.perf_counter()) < end:
            client.post("/generate", json={"seed": first_seed + len(taken)}).raise_for_status()
            taken.append(time.perf_counter() - begun)
    return taken


def main() -> None:
    """Plain, one replica, two, four, and plain again; Ray takes its word for four processors."""
    os.environ["PYTHONPATH"] = str(ROOT)
    with serving() as server:
        measure("plain", server.url)
    ray.init(num_cpus=4, include_dashboard=False, log_to_driver=False)
    serve.start(http_options={"host": "127.0.0.1", "port": 8765})
    for replicas in (1, 2, 4):
        serve.run(Lilt.options(num_replicas=replicas, max_ongoing_requests=128).bind(), name="lilt", route_prefix="/")
        measure(f"Ray, {replicas} replica(s)", RAY_URL)
    serve.shutdown()
    ray.shutdown()
    with serving() as server:
        measure("plain again", server.url)


if __name__ == "__main__":
    main()
