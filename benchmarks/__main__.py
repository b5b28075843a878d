"""`python -m benchmarks`: measure everything, print the tables, and keep them as JSON beside this file."""

import json
from datetime import UTC, datetime
from pathlib import Path

from benchmarks import decode, start
from benchmarks.measure import machine
from model_store.store import Store

RESULTS = Path(__file__).with_name("results.json")
STORE = Path(__file__).parent.parent / "model_store" / "checkpoints"


def main() -> None:
    store = Store(STORE)
    checkpoint = store.load(store.names()[0])
    manifest = checkpoint.manifest
    decoded = decode.run(checkpoint)
    notebook = decoded["1"]["the notebook's loop, Keras"]
    print(f"characters a second, {manifest.name}/{manifest.version}, {manifest.model.lstm_units} units\n")
    for batch, contenders in decoded.items():
        for name, rate in contenders.items():
            print(f"  batch {batch:>2}  {name:<34} {rate:>9,.0f}   {rate / notebook:>7,.1f} × the notebook")
    started = start.run()
    print("\nthe service, from process start to ready\n")
    for name, figures in started.items():
        print(f"  {name:<8} {figures['ready_s']:>6.2f} s   {figures['resident_mib']:>6.0f} MiB resident")
    results = {
        "date": datetime.now(UTC).date().isoformat(),
        "machine": machine(),
        "model": f"{manifest.name}/{manifest.version}",
        "characters_per_second": decoded,
        "start": started,
    }
    RESULTS.write_text(json.dumps(results, indent=2) + "\n")


if __name__ == "__main__":
    main()
