"""Measures how many threads can be started here, by starting them, and lists the limits on processes and memory."""

import resource
import threading
from collections.abc import Iterator
from pathlib import Path

_CGROUPS = Path("/sys/fs/cgroup")
_MIB = 1024 * 1024


def startable(max_count: int) -> int:
    """How many threads, up to `max_count`, can run at once; all have ended when this returns."""
    over = threading.Event()
    threads: list[threading.Thread] = []
    try:
        while len(threads) < max_count:
            thread = threading.Thread(target=over.wait)
            thread.start()
            threads.append(thread)
    except RuntimeError:  # Python raises the same error whatever limit is reached
        pass
    finally:
        over.set()
        for thread in threads:
            thread.join()
    return len(threads)


def limits() -> list[str]:
    """Each limit on threads and processes that is set here, in words."""
    return list(_limits())


def _limits() -> Iterator[str]:
    processes, _ = resource.getrlimit(resource.RLIMIT_NPROC)
    if processes != resource.RLIM_INFINITY:
        yield f"all that this user runs may be {processes} (ulimit -u)"
    for group in _groups():
        try:
            allowed, now = ((group / name).read_text().strip() for name in ("pids.max", "pids.current"))
        except OSError:
            continue
        if allowed != "max":
            yield f"all in this container or control group may be {allowed}, and are {now} (pids.max in {group})"
    memory, _ = resource.getrlimit(resource.RLIMIT_AS)
    if memory != resource.RLIM_INFINITY:
        yield f"this process may map {memory // _MIB} MiB (ulimit -v)"


def _groups() -> Iterator[Path]:
    """The control groups of this process, each before its parent."""
    file = Path("/proc/self/cgroup")
    for line in file.read_text().splitlines() if file.exists() else ():
        _, controllers, path = line.split(":", 2)
        if controllers in ("", "pids"):
            own = Path(path.lstrip("/"))
            for part in (own, *own.parents):
                yield _CGROUPS / controllers / part
