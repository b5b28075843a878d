"""A generation whose text is known only as a whole, for those who wait for it as a stream."""

import asyncio
from abc import abstractmethod
from collections.abc import AsyncGenerator, Callable

from app.errors import DeadlineError
from app.generation.answer import Answer
from app.generation.generation import CANCELLED, FAILED, KEEP_ALIVE_S, End, Generation


class Buffered(Generation):
    """Its text comes as one chunk.

    Args:
        start_string: what the answer's text begins with and the chunk does not.
    """

    def __init__(self, start_string: str) -> None:
        self._start_string = start_string
        self._task: asyncio.Task[Answer] | None = None
        self._calls: list[Callable[[End], None]] = []

    def when_ended(self, call: Callable[[End], None]) -> None:
        self._calls.append(call)

    async def answer(self) -> Answer:
        return await (self._task or self._work())

    async def chunks(self) -> AsyncGenerator[str, None]:
        self._task = task = asyncio.create_task(self._work())
        try:
            while not task.done():
                await asyncio.wait({task}, timeout=KEEP_ALIVE_S)
                if not task.done():
                    yield ""
            yield task.result().abc.removeprefix(self._start_string)
        finally:
            task.cancel()

    @property
    @abstractmethod
    def drawn(self) -> int:
        """Characters so far."""

    @abstractmethod
    async def _make(self) -> Answer:
        """The answer, made once."""

    async def _work(self) -> Answer:
        outcome = FAILED
        try:
            answer = await self._make()
            outcome = answer.finish_reason
        except (asyncio.CancelledError, DeadlineError):
            outcome = CANCELLED
            raise
        finally:
            for call in self._calls:
                call(End(outcome, self.drawn))
        return answer
