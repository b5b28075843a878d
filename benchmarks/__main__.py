"""`python -m benchmarks [decode | long | service | start | best_of | mixed]`: measure, print, and keep as JSON.

Each with the default model. Without a name, all but `mixed`, which is a test of endurance: it takes the minutes it is
given, and its exit status is 1 where anything went wrong.
"""

import argparse
import json
import sys
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path

from benchmarks import best_of, decode, long_requests, mixed, plot, service, start
from benchmarks.machine import machine
from model_store.store import Store

ROOT = Path(__file__).parent.parent
RESULTS = ROOT / "docs" / "bench.json"
PLOT = RESULTS.with_suffix(".svg")
PARTS = ("decode", "long", "service", "start", "best_of", "mixed")


def main() -> int:
    """Measure what is asked for; what was measured before of the other parts is kept."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("parts", nargs="*", metavar="PART", help="decode, long, service, start, best_of or mixed")
    parser.add_argument("--units", nargs="+", type=int, choices=decode.UNITS, default=decode.UNITS)
    parser.add_argument("--minutes", type=float, default=10, help="of mixed load (default: 10)")
    options = parser.parse_args()
    parts = options.parts or PARTS[:-1]
    if unknown := set(parts) - set(PARTS):
        parser.error(f"there is no part {', '.join(sorted(unknown))}; there is {', '.join(PARTS)}")
    store = Store(ROOT / "model_store" / "checkpoints")
    checkpoint = store.load(store.names()[0])
    model = f"{checkpoint.manifest.name}/{checkpoint.manifest.version}"
    status = 0
    if "decode" in parts:
        decoded = decode.run(checkpoint, tuple(options.units))
        print(*decode.table(decoded), sep="\n", flush=True)
        for units, rates in decoded.items():
            _keep(f"decode {units}", rates, model)
        plot.draw(json.loads(RESULTS.read_text()), PLOT)
    if "long" in parts:
        long = long_requests.run(checkpoint)
        print(*long_requests.table(long), sep="\n", flush=True)
        _keep("long", long, model)
    if "service" in parts:
        served = service.run()
        print(*service.table(served), sep="\n", flush=True)
        _keep("service", {clients: asdict(figures) for clients, figures in served.items()}, model)
    if "start" in parts:
        started = start.run()
        print(*start.table(started), sep="\n", flush=True)
        _keep("start", started, model)
    if "best_of" in parts:
        chosen = best_of.run()
        print(*best_of.table(chosen), sep="\n", flush=True)
        _keep("best_of", chosen, model)
    if "mixed" in parts:
        report = mixed.run(options.minutes)
        print(*mixed.table(report), sep="\n", flush=True)
        _keep(
            "mixed",
            {
                "minutes": options.minutes,
                "answers": dict(report.answers),
                "faults": report.faults,
                "growth": report.growth,
            },
            model,
        )
        status = 0 if report.is_good else 1
    return status


def _keep(part: str, results: object, model: str) -> None:
    kept = json.loads(RESULTS.read_text()) if RESULTS.exists() else {}
    date = datetime.now(UTC).date().isoformat()
    kept[part] = {"date": date, "model": model, "machine": machine(), "results": results}
    RESULTS.write_text(json.dumps(kept, indent=2) + "\n")


if __name__ == "__main__":
    sys.exit(main())
