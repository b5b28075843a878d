"""What the numbers were measured on."""

import platform
from importlib.metadata import version
from pathlib import Path


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
