"""Metrics of several processes as one: each counts in files of its own, and any of them reads all.

prometheus_client's multiprocess mode, which has to be chosen before the first metric is made. The files are in
shared memory where there is some: a disk that is full would end a process that writes to them.
"""

import os
import shutil
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

from prometheus_client import CollectorRegistry, Metric, values
from prometheus_client.multiprocess import MultiProcessCollector, mark_process_dead
from prometheus_client.process_collector import ProcessCollector

_FOLDER = "PROMETHEUS_MULTIPROC_DIR"
_SHARED_MEMORY = Path("/dev/shm")  # noqa: S108  # made private by mkdtemp


def is_shared() -> bool:
    """Whether the metrics of several processes are summed."""
    return _FOLDER in os.environ


@contextmanager
def folder() -> Iterator[None]:
    """Where the processes that are forked within count; what makes metrics is to be imported within, too."""
    has_shared_memory = os.access(_SHARED_MEMORY, os.W_OK | os.X_OK)
    os.environ[_FOLDER] = tempfile.mkdtemp(prefix="lilt-metrics-", dir=_SHARED_MEMORY if has_shared_memory else None)
    values.ValueClass = values.MultiProcessValue()  # type: ignore[no-untyped-call]
    try:
        yield
    finally:
        remove_folder()


def remove_folder() -> None:
    """Remove it, as whoever is the last to end does."""
    shutil.rmtree(os.environ[_FOLDER], ignore_errors=True)


def forget(process: int) -> None:
    """Leave the gauges of a process that has ended out from now on; what it counted stays."""
    mark_process_dead(process)  # type: ignore[no-untyped-call]


def collect(processes: Iterable[int]) -> list[Metric]:
    """What all have counted, and memory, processor time and open files of each of these processes by its `pid`."""
    found = list(MultiProcessCollector(CollectorRegistry()).collect())  # type: ignore[no-untyped-call]
    return found + list(_of_the_system(processes))


def _of_the_system(processes: Iterable[int]) -> Iterable[Metric]:
    families: dict[str, Metric] = {}
    for process in processes:
        collector = ProcessCollector(pid=lambda process=process: process, registry=None)  # type: ignore[misc]
        for family in collector.collect():
            known = families.setdefault(family.name, Metric(family.name, family.documentation, family.type))
            for sample in family.samples:
                known.add_sample(sample.name, {**sample.labels, "pid": str(process)}, sample.value)
    return families.values()
