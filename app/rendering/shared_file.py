"""A file that is being written, shared by all requests for it: they read it as it grows."""

import asyncio
import threading
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

_CHUNK = 256 * 1024


class Abandoned(Exception):  # noqa: N818
    """The last reader of the file has gone."""


class Withdrawn(Exception):  # noqa: N818
    """The file was closed under its reader, as its place on the disk was needed."""


class Making:
    """A file that a task writes at `path`; the task is cancelled when the last reader has gone.

    Made and used on one event loop; `grown` and `check` may be called from another thread.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.length: int | None = None
        """its size in bytes, once known; readers get no bytes beyond it"""
        self.is_done = False
        self._error: BaseException | None = None
        self._changed = asyncio.Event()
        self._loop = asyncio.get_running_loop()
        self._readers = 0
        self._abandoned = threading.Event()
        self._task: asyncio.Task[None] | None = None

    def start(self, work: Callable[["Making"], Awaitable[None]]) -> None:
        """Start the work; what it raises is raised to each reader."""
        self._task = asyncio.create_task(self._run(work))

    async def _run(self, work: Callable[["Making"], Awaitable[None]]) -> None:
        try:
            await work(self)
            self.is_done = True
        except BaseException as error:
            self._error = error
        self._wake()

    def grown(self) -> None:
        """Notify the readers that the file has grown."""
        if not self._loop.is_closed():
            self._loop.call_soon_threadsafe(self._wake)

    def check(self) -> None:
        """Raises Abandoned: the last reader has gone."""
        if self._abandoned.is_set():
            raise Abandoned

    def _wake(self) -> None:
        changed, self._changed = self._changed, asyncio.Event()
        changed.set()

    def join(self) -> None:
        """Add a reader."""
        self._readers += 1

    def leave(self) -> None:
        """Remove a reader; the last cancels work that is not done."""
        self._readers -= 1
        is_written = self.length is not None and self.path.exists() and self.path.stat().st_size >= self.length
        if not self._readers and not self.is_done and not is_written and self._task is not None:
            self._abandoned.set()
            self._task.cancel()

    @property
    def is_abandoned(self) -> bool:
        return self._abandoned.is_set()

    async def until(self, *, done: bool) -> None:
        """Wait for the file's end, or for its first bytes.

        Raises:
            Exception: what the work raised.
        """
        while not self.is_done and (done or not self._has_bytes()):
            changed = self._changed
            if self._error is not None:
                raise self._error
            await changed.wait()

    def _has_bytes(self) -> bool:
        return self.path.exists() and self.path.stat().st_size > 0

    def _readable(self, position: int) -> int:
        return _CHUNK if self.length is None else max(0, min(_CHUNK, self.length - position))

    async def read(self, file: BinaryIO, start: int = 0) -> AsyncIterator[bytes]:
        """The bytes of the file, which is open, from `start` on, as they come."""
        file.seek(start)
        position = start
        while True:
            changed, is_done = self._changed, self.is_done
            if self._error is not None:
                raise self._error
            while chunk := file.read(self._readable(position)):
                position += len(chunk)
                yield chunk
            if is_done:
                return
            await changed.wait()


@dataclass(frozen=True)
class Rendering:
    """A made file, or one in the making that its reader has joined; open, as it may be renamed or deleted meanwhile."""

    file: BinaryIO
    making: Making | None = None
    length: int | None = None
    """of a file that was kept, without what the cache has put behind it"""

    @property
    def size(self) -> int | None:
        """Its length in bytes, where that is known already."""
        return self.making.length if self.making is not None else self.length

    async def read(self, start: int, stop: int | None) -> AsyncIterator[bytes]:
        """Bytes from `start` to before `stop`.

        Raises:
            Withdrawn: the file was closed meanwhile.
        """
        left = stop - start if stop is not None else None
        try:
            async for chunk in self._all(start):
                yield chunk if left is None else chunk[:left]
                if left is not None:
                    left -= len(chunk)
                    if left <= 0:
                        return
        except ValueError:  # Python's word for a file that is closed
            if self.file.closed:
                raise Withdrawn from None
            raise

    async def _all(self, start: int) -> AsyncIterator[bytes]:
        if self.making is not None:
            async for chunk in self.making.read(self.file, start):
                yield chunk
            return
        self.file.seek(start)
        left = (self.length or 0) - start
        while left > 0 and (chunk := self.file.read(min(left, _CHUNK))):
            left -= len(chunk)
            yield chunk

    def leave(self) -> None:
        """Say that it is read no more."""
        self.file.close()
        if self.making is not None:
            self.making.leave()
