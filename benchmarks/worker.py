"""`python -m benchmarks.worker CONTENDER FOLDER BATCH THREADS`: one contender, making characters when told.

Each line that comes in is a number of seconds; the answer is `MADE SECONDS`. Before the first comes `ready`, when all
is compiled. In a process of its own, a contender may need another interpreter, and leaves nobody its threads.
"""

import importlib
import sys
import time
from pathlib import Path

from benchmarks.task import Task


def main(contender: str, folder: str, batch: str, threads: str) -> None:
    module, function = contender.split(":")
    task = Task(Path(folder), int(batch), int(threads))
    work = getattr(importlib.import_module(f"benchmarks.contenders.{module}"), function)(task)
    for _ in range(3):
        work()
    print("ready", flush=True)
    for line in sys.stdin:
        made, begun = 0, time.perf_counter()
        while time.perf_counter() - begun < float(line):
            made += work()
        print(made, time.perf_counter() - begun, flush=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
