"""Time from process start to ready, memory, and size installed: the service beside itself with the Keras decoder."""

import statistics
import subprocess
import time
from importlib.metadata import distribution
from pathlib import Path

import httpx

from tests.servers import ROOT, serving

ROUNDS = 3
DECODERS = ("litert", "keras")
LOCKS = {"litert": "serve", "keras": "training"}
PARTS = ("app", "model_store")


def run() -> dict[str, dict[str, float]]:
    """Decoder → seconds to the first answer of /readyz; memory (MiB) then, and after a tune; installed (MiB)."""
    seconds: dict[str, list[float]] = {name: [] for name in DECODERS}
    memory: dict[str, list[float]] = {name: [] for name in DECODERS}
    after: dict[str, list[float]] = {name: [] for name in DECODERS}
    with httpx.Client(timeout=60) as client:  # made before the clock runs
        for name in DECODERS * ROUNDS:
            begun = time.perf_counter()
            with serving(decoder=name) as server:
                client.get(f"{server.url}/readyz").raise_for_status()
                seconds[name].append(time.perf_counter() - begun)
                memory[name].append(resident_mib(server.process.pid))
                client.post(f"{server.url}/generate", json={"length": 200}).raise_for_status()
                after[name].append(resident_mib(server.process.pid))
    return {
        name: {
            "ready_s": statistics.median(seconds[name]),
            "resident_mib": statistics.median(memory[name]),
            "after_a_tune_mib": statistics.median(after[name]),
            "installed_mib": _installed_mib(LOCKS[name]),
        }
        for name in DECODERS
    }


def table(results: dict[str, dict[str, float]]) -> list[str]:
    """The lines that are printed."""
    columns = {
        "ready_s": "s to ready",
        "resident_mib": "MiB then",
        "after_a_tune_mib": "MiB later",
        "installed_mib": "MiB on disk",
    }
    lines = [f"\n{'the service':<14}" + "".join(f"{title:>14}" for title in columns.values())]
    for name, figures in results.items():
        lines.append(f"{name:<14}" + "".join(f"{figures[column]:>14.2f}" for column in columns))
    ratios = [results["keras"][column] / results["litert"][column] for column in columns]
    return [*lines, f"{'times':<14}" + "".join(f"{ratio:>12.1f} ×" for ratio in ratios)]


def resident_mib(process: int) -> float:
    line = next(line for line in Path(f"/proc/{process}/status").read_text().splitlines() if line.startswith("VmRSS"))
    return int(line.split()[1]) / 1024


def _installed_mib(lock: str) -> float:
    """What the packages of a lock and the service's own files take up."""
    lines = (ROOT / "requirements" / f"{lock}.txt").read_text().splitlines()
    names = [line.partition("==")[0] for line in lines if "==" in line and not line.startswith(" ")]
    ours = subprocess.run(  # noqa: S603
        ["/usr/bin/git", "ls-files", *PARTS], cwd=ROOT, check=True, capture_output=True, text=True
    ).stdout.split("\n")
    total = sum((ROOT / file).stat().st_size for file in ours if file)
    for name in names:
        for file in distribution(name).files or ():
            path = Path(str(file.locate()))
            total += path.stat().st_size if path.exists() else 0
    return total / 2**20
