"""An answer that cannot be told before all of it is known, for those who wait for it as a stream."""

import asyncio
from abc import ABC, abstractmethod
from collections.abc import AsyncGenerator, Callable

from app.api.schemas import MAX_SEED, GenerateRequest, GenerateResponse
from app.generation.generation import KEEP_ALIVE_S
from app.generation.model_registry import ServedModel


class AtOnce(ABC):
    """Has the interface of `Generation`; its text comes as one chunk."""

    def __init__(
        self, model: ServedModel, request: GenerateRequest, seed: int, deadline: float, start_string: str
    ) -> None:
        self._model, self._request, self._seed, self._deadline = model, request, seed, deadline
        self._start_string = start_string
        self._answer: GenerateResponse | None = None
        self._ended: Callable[[int], None] = lambda _: None

    def _seed_of(self, draw: int) -> int:
        """The seed of the n-th draw for one request: that of the request for 0, later ones nobody can ask for."""
        return self._seed + draw * (MAX_SEED + 1)

    def when_ended(self, call: Callable[[int], None]) -> None:
        """Call with how many characters were made, once no more will be."""
        self._ended = call

    @abstractmethod
    async def answer(self) -> GenerateResponse:
        """The whole answer; tells `_ended` what it cost, however it ends."""

    async def chunks(self) -> AsyncGenerator[str, None]:
        """The new text in one piece; "" now and then until it is there. Raises as `answer` does."""
        task = asyncio.create_task(self.answer())
        try:
            while not task.done():
                await asyncio.wait({task}, timeout=KEEP_ALIVE_S)
                if not task.done():
                    yield ""
            self._answer = task.result()
            yield self._answer.abc.removeprefix(self._start_string)
        finally:
            task.cancel()

    async def response(self) -> GenerateResponse:
        """The whole answer, once `chunks` has ended."""
        assert self._answer is not None  # noqa: S101
        return self._answer
