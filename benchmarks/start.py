"""From process start to ready, and the memory then: the service with its own decoder beside the Keras one."""

import statistics
import time
from pathlib import Path

from tests.servers import serving

ROUNDS = 3
DECODERS = ("litert", "keras")


def run() -> dict[str, dict[str, float]]:
    """Decoder → seconds to the first answer of /readyz, and resident memory (MiB) after one tune."""
    seconds: dict[str, list[float]] = {name: [] for name in DECODERS}
    memory: dict[str, list[float]] = {name: [] for name in DECODERS}
    for _ in range(ROUNDS):
        for name in DECODERS:
            begun = time.perf_counter()
            with serving(decoder=name) as server, server.client() as client:
                client.get("/readyz").raise_for_status()
                seconds[name].append(time.perf_counter() - begun)
                client.post("/generate", json={"length": 200}).raise_for_status()
                memory[name].append(_resident_mib(server.process.pid))
    return {
        name: {"ready_s": statistics.median(seconds[name]), "resident_mib": statistics.median(memory[name])}
        for name in DECODERS
    }


def _resident_mib(process: int) -> float:
    line = next(line for line in Path(f"/proc/{process}/status").read_text().splitlines() if line.startswith("VmRSS"))
    return int(line.split()[1]) / 1024
