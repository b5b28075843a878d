"""A render beside many kept files: `python -m benchmarks.cache_load`, in two minutes; TMPDIR says on which disk."""

import argparse
import statistics
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path

from tests.servers import Server, serving

FILES = 120_000
SECONDS = 15.0
TUNE = "X:1\nT:{title}\nM:6/8\nL:1/8\nK:G\n" + "GAG GAB|ABA ABd|edd gdd|edB dBA|\n" * 2
POLL_S = 0.005
AMPLE_MB, SCARCE_MB = 4096, 300  # of a small file's 4 KiB, 120,000 are 492 MB


@dataclass
class Figures:
    """Of renders one after the other, and of `/healthz` asked beside them, in seconds."""

    renders: list[float] = field(default_factory=list)
    waits: list[float] = field(default_factory=list)
    idle_waits: list[float] = field(default_factory=list)
    """in the two seconds before the first render"""


def fill(folder: Path, files: int) -> None:
    """Small files under names that the cache gives."""
    folder.mkdir(mode=0o700)
    for number in range(files):
        (folder / f"{sha256(str(number).encode()).hexdigest()}.midi").write_bytes(b"MThd")


@contextmanager
def polling(server: Server, waits: list[float]) -> Iterator[None]:
    """Ask `/healthz` again and again."""
    over = threading.Event()

    def ask() -> None:
        with server.client() as client:
            while not over.wait(POLL_S):
                begun = time.perf_counter()
                client.get("/healthz").raise_for_status()
                waits.append(time.perf_counter() - begun)

    thread = threading.Thread(target=ask)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()


def measure(name: str, folder: Path, max_cache_mb: int, seconds: float) -> None:
    """Render tunes that nobody has asked for, from when the service is ready; prints a line of the table."""
    figures = Figures()
    with serving(cache=str(folder), max_cache_mb=str(max_cache_mb)) as server, server.client() as client:
        with polling(server, figures.idle_waits):
            time.sleep(2)
        with polling(server, figures.waits):
            end = time.perf_counter() + seconds
            while (begun := time.perf_counter()) < end:
                abc = TUNE.format(title=f"{name}, {len(figures.renders)}")
                client.post("/render", json={"abc": abc, "format": "midi"}).raise_for_status()
                figures.renders.append(time.perf_counter() - begun)
    median, p99 = statistics.median(figures.renders), statistics.quantiles(figures.renders, n=100)[98]
    print(
        f"{name:24} {len(figures.renders):8,} {1000 * median:8.0f} {1000 * p99:8.0f} "
        f"{1000 * statistics.median(figures.waits):8.1f} {1000 * max(figures.waits):8.0f} "
        f"{1000 * max(figures.idle_waits):8.0f} {sum(1 for _ in folder.iterdir()):8,}",
        flush=True,
    )


def main() -> None:
    """An empty folder, a full one that is within its bounds, and one that is far above them; prints a table."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.cache_load", description=__doc__)
    parser.add_argument("--files", type=int, default=FILES)
    parser.add_argument("--seconds", type=float, default=SECONDS, help="of renders, in each case (default: 15)")
    options = parser.parse_args()
    print(f"{'ms':24} {'renders':>8} {'median':>8} {'p99':>8} {'healthz':>8} {'longest':>8} {'at rest':>8} {'kept':>8}")
    with tempfile.TemporaryDirectory(prefix="lilt-cache-load-") as name:
        empty, full = Path(name) / "empty", Path(name) / "full"
        fill(empty, 0)
        fill(full, options.files)
        measure("an empty folder", empty, AMPLE_MB, options.seconds)
        measure(f"{options.files:,} files", full, AMPLE_MB, options.seconds)
        measure("of which many must go", full, SCARCE_MB, options.seconds)


if __name__ == "__main__":
    main()
