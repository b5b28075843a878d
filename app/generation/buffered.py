"""A generation whose text is known only as a whole, for those who wait for it as a stream."""

import asyncio
from abc import abstractmethod
from collections.abc import AsyncGenerator, Callable
from typing import Self

from app.errors import DeadlineError
from app.generation.answer import Answer
from app.generation.generation import CANCELLED, FAILED, KEEP_ALIVE_S, End, Generation


class Buffered(Generation):
    """Its text comes as one chunk. The work begins with `start`, and ends whether or not anybody reads.

    Args:
        start_string: what the answer's text begins with and the chunk does not.
    """

    def __init__(self, start_string: str) -> None:
        self._start_string = start_string
        self._task: asyncio.Task[Answer]

    def start(self) -> Self:
        """Begin the work, on the running event loop."""
        self._task = asyncio.create_task(self._make())
        return self

    def when_ended(self, call: Callable[[End], None]) -> None:
        self._task.add_done_callback(lambda task: call(End(_outcome(task), self.drawn)))

    def cancel(self) -> None:
        self._task.cancel()

    async def answer(self) -> Answer:
        return await self._task

    async def chunks(self) -> AsyncGenerator[str, None]:
        try:
            while not self._task.done():
                await asyncio.wait({self._task}, timeout=KEEP_ALIVE_S)
                if not self._task.done():
                    yield ""
            yield self._task.result().abc.removeprefix(self._start_string)
        finally:
            self._task.cancel()

    @property
    @abstractmethod
    def drawn(self) -> int:
        """Characters so far."""

    @abstractmethod
    async def _make(self) -> Answer:
        """The answer, made once."""


def _outcome(task: asyncio.Task[Answer]) -> str:
    if task.cancelled() or isinstance(task.exception(), DeadlineError):
        return CANCELLED
    return FAILED if task.exception() else task.result().finish_reason
