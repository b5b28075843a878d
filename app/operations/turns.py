"""Turns at work that takes processor time: a few at once, some waiting, the rest turned away."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import TypeVar

from app.errors import BusyError

T = TypeVar("T")

_RETRY_AFTER_S = 2
"""what a turned-away client is told to wait"""


class Turns:
    """First come, first served.

    Args:
        at_once: turns that may be had together.
        max_waiting: those who may wait for one.
        what: is waited for, in the plural.
    """

    def __init__(self, at_once: int, max_waiting: int, what: str) -> None:
        self._slots = asyncio.Semaphore(at_once)
        self._waiting = 0
        self._max_waiting = max_waiting
        self._what = what

    def check_room(self) -> None:
        """Raises BusyError: as many are waiting as may."""
        if self._slots.locked() and self._waiting >= self._max_waiting:
            raise BusyError(f"{self._waiting} {self._what} are waiting already", retry_after_s=_RETRY_AFTER_S)

    @asynccontextmanager
    async def turn(self, *, is_begun: bool = False) -> AsyncIterator[None]:
        """Wait for a turn, and have it.

        Args:
            is_begun: of a request that was let in before, and is not turned away half-way.

        Raises:
            BusyError: too many are waiting.
        """
        if not is_begun:
            self.check_room()
        self._waiting += 1
        try:
            await self._slots.acquire()
        finally:
            self._waiting -= 1
        try:
            yield
        finally:
            self._slots.release()

    async def run(self, work: Callable[[], T], *, is_begun: bool = False) -> T:
        """The result of some work in a thread, in its turn; raises what it raises, and BusyError as `turn` does."""
        async with self.turn(is_begun=is_begun):
            return await in_thread(work)


async def in_thread(work: Callable[[], T]) -> T:
    """The result of some work in a thread, which is seen to its end even when the waiting is cancelled."""
    thread = asyncio.ensure_future(asyncio.to_thread(work))
    try:
        return await asyncio.shield(thread)
    except asyncio.CancelledError:
        await asyncio.gather(thread, return_exceptions=True)
        raise
