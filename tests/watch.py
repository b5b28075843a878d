"""Watches a service while a test asks things of it: how long `/healthz` takes, and how much memory it holds."""

import http.client
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from multiprocessing import get_context
from multiprocessing.connection import Connection
from pathlib import Path
from urllib.parse import urlsplit

_PAUSE_S = 0.005
_TIMEOUT_S = 200


class Watch:
    """Of one service; who asks for `/healthz` is a process of its own, that waits for nobody but the service."""

    def __init__(self, pipe: Connection, pid: int) -> None:
        self._pipe = pipe
        self._pid = pid

    def begin(self) -> None:
        """Forget what was seen before."""
        self.longest_wait_s()
        with suppress(OSError):
            Path(f"/proc/{self._pid}/clear_refs").write_text("5")  # the peak of its memory is what it holds now

    def longest_wait_s(self) -> float:
        """For `/healthz`, since the last time that this was asked; the request that is under way is waited for."""
        self._pipe.send(None)
        longest_s: float = self._pipe.recv()
        return longest_s

    def peak_mib(self) -> float:
        """The most memory that the service's own process held since `begin`."""
        lines = Path(f"/proc/{self._pid}/status").read_text().splitlines()
        return next(int(line.split()[1]) / 1024 for line in lines if line.startswith("VmHWM"))


@contextmanager
def watching(url: str, pid: int) -> Iterator[Watch]:
    """Watch a service for as long as the context lasts."""
    ours, theirs = get_context("spawn").Pipe()
    process = get_context("spawn").Process(target=_ask, args=(url, theirs), daemon=True)
    process.start()
    try:
        yield Watch(ours, pid)
    finally:
        process.terminate()
        process.join()


def _ask(url: str, pipe: Connection) -> None:
    """Ask for `/healthz` over and over; answer each message with the longest time that it took since the last."""
    address = urlsplit(url)
    connection = http.client.HTTPConnection(address.hostname or "", address.port, timeout=_TIMEOUT_S)
    longest_s = 0.0
    while True:
        began = time.monotonic()
        try:
            connection.request("GET", "/healthz")
            connection.getresponse().read()
        except (OSError, http.client.HTTPException):
            connection.close()
        longest_s = max(longest_s, time.monotonic() - began)
        while pipe.poll():
            pipe.recv()
            pipe.send(longest_s)
            longest_s = 0.0
        time.sleep(_PAUSE_S)
