"""`python -m benchmarks.flat [--count N]`: tunes a second and memory in each tenth of a long run of `lilt bulk`.

Both should stay as they are: what the grammar finds out of its tunes must neither grow without end nor cost more to
clear than it saves.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

TENTHS = 10
_LOOK_EVERY_S = 0.2


def measure(count: int) -> Iterator[tuple[int, float, float]]:
    """After each tenth: tunes so far, tunes a second of processor time in it, and MiB in use."""
    with tempfile.TemporaryDirectory(prefix="lilt-flat-") as folder:
        out = Path(folder) / "tunes.abc"
        command = [sys.executable, "-m", "app", "bulk", "--count", str(count), "--out", str(out)]
        with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:  # noqa: S603
            written_before, spent_before, tenth = 0, 0.0, 1
            while process.poll() is None:
                time.sleep(_LOOK_EVERY_S)
                written, spent, memory = _written(out), _processor_s(process.pid), _memory_mib(process.pid)
                if memory and written >= tenth * count // TENTHS:
                    yield written, (written - written_before) / (spent - spent_before), memory
                    written_before, spent_before, tenth = written, spent, 1 + written * TENTHS // count
        if process.returncode:
            raise SystemExit(f"lilt bulk ended with {process.returncode}")


def _written(out: Path) -> int:
    """Tunes that the run has noted as written."""
    progress = out.with_name(out.name + ".progress")
    return int(json.loads(progress.read_text())["written"]) if progress.exists() else 0


def _processor_s(pid: int) -> float:
    """Seconds of processor time of all of a process's threads, those that have ended too."""
    user, system = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[11:13]
    return (int(user) + int(system)) / os.sysconf("SC_CLK_TCK")


def _memory_mib(pid: int) -> float:
    """Resident memory; 0 once the process has ended."""
    status = Path(f"/proc/{pid}/status").read_text()
    kib = [line.split()[1] for line in status.splitlines() if line.startswith("VmRSS:")]
    return int(kib[0]) / 1024 if kib else 0.0


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.flat", description=__doc__)
    parser.add_argument("--count", type=int, default=20_000, help="tunes (default: 20000)")
    for written, rate, memory in measure(parser.parse_args().count):
        print(f"{written:>8,} tunes {rate:>7.0f} a second of processor time {memory:>6.0f} MiB", flush=True)


if __name__ == "__main__":
    main()
