"""Bounded queues for CPU-bound work: a few jobs run at once, some wait, and the rest are refused as busy."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from typing import TypeVar

from app.errors import BusyError

T = TypeVar("T")

_RETRY_AFTER_S = 2
"""`Retry-After` where the queue is full"""


class ConcurrencyLimit:
    """A semaphore with a bounded FIFO queue, in which long jobs leave one place to others.

    Args:
        at_once: jobs that may run together.
        max_waiting: jobs that may wait.
        what: the jobs' name in error messages, in the plural.
    """

    def __init__(self, at_once: int, max_waiting: int, what: str) -> None:
        self._slots = asyncio.Semaphore(at_once)
        self._long = asyncio.Semaphore(max(1, at_once - 1))
        self._waiting = 0
        self._max_waiting = max_waiting
        self._what = what

    def check_room(self, *, is_long: bool = False) -> None:
        """Raises BusyError: the queue is full."""
        if (self._slots.locked() or (is_long and self._long.locked())) and self._waiting >= self._max_waiting:
            raise BusyError(f"{self._waiting} {self._what} are waiting already", retry_after_s=_RETRY_AFTER_S)

    @asynccontextmanager
    async def turn(self, *, is_begun: bool = False, is_long: bool = False) -> AsyncIterator[None]:
        """Wait for a slot, and occupy it within the `with` block.

        Args:
            is_begun: the request had a turn before, so it is not refused half-way.
            is_long: it takes many times as long as most, and waits for other long ones while one slot serves the rest.

        Raises:
            BusyError: the queue is full.
        """
        if not is_begun:
            self.check_room(is_long=is_long)
        async with AsyncExitStack() as held:
            self._waiting += 1
            try:
                if is_long:
                    await held.enter_async_context(self._long)
                await held.enter_async_context(self._slots)
            finally:
                self._waiting -= 1
            yield

    async def run(self, work: Callable[[], T], *, is_begun: bool = False) -> T:
        """Run work in a thread when its turn comes; raises what the work raises, and BusyError as `turn` does."""
        async with self.turn(is_begun=is_begun):
            return await in_thread(work)


async def in_thread(work: Callable[[], T]) -> T:
    """Run work in a thread; if this is cancelled, it still waits for the thread to end."""
    thread = asyncio.ensure_future(asyncio.to_thread(work))
    try:
        return await asyncio.shield(thread)
    except asyncio.CancelledError:
        await asyncio.gather(thread, return_exceptions=True)
        raise
