"""Interleaved repeats and their medians, so that a machine whose speed drifts is unfair to nobody."""

import platform
import statistics
import time
from collections.abc import Callable, Mapping
from importlib.metadata import version
from pathlib import Path

ROUNDS = 5
SECONDS_A_TURN = 1.0


def rates(contenders: Mapping[str, Callable[[], int]]) -> dict[str, float]:
    """Characters a second of each contender: the median over rounds in which each has a turn.

    Args:
        contenders: name → a function that makes some characters and says how many; it is called for about a second.
    """
    measured: dict[str, list[float]] = {name: [] for name in contenders}
    for work in contenders.values():
        work()  # compile, allocate
    for _ in range(ROUNDS):
        for name, work in contenders.items():
            measured[name].append(_rate(work))
    return {name: statistics.median(values) for name, values in measured.items()}


def _rate(work: Callable[[], int]) -> float:
    made, begun = 0, time.perf_counter()
    while time.perf_counter() - begun < SECONDS_A_TURN:
        made += work()
    return made / (time.perf_counter() - begun)


def machine() -> dict[str, str]:
    """What the numbers were measured on."""
    names = [line.partition(":")[2].strip() for line in _lines("/proc/cpuinfo") if line.startswith("model name")]
    packages = ("ai-edge-litert", "keras", "numpy", "tensorflow")
    return {
        "processor": f"{len(names)} × {names[0] if names else platform.machine()}",
        "python": platform.python_version(),
        **{package: version(package) for package in packages},
    }


def _lines(path: str) -> list[str]:
    return Path(path).read_text().splitlines() if Path(path).exists() else []
