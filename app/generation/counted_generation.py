"""Counts each generation in the metrics once, however many draws it took: how it ended, and what it made."""

from collections.abc import AsyncGenerator, Awaitable, Callable

from app.generation.answer import Answer
from app.generation.generation import End, Generation
from app.operations import metrics

Verify = Callable[[Answer], Awaitable[Answer]]
"""The answer with `complete` only where it holds."""


class CountedGeneration(Generation):
    """Another generation, counted under its model's name.

    Args:
        verify: its answer is passed through it.
    """

    def __init__(self, generation: Generation, model: str, verify: Verify | None = None) -> None:
        self._generation, self._model, self._verify = generation, model, verify
        generation.when_ended(self._count)

    def when_ended(self, call: Callable[[End], None]) -> None:
        self._generation.when_ended(call)

    def cancel(self) -> None:
        self._generation.cancel()

    async def answer(self) -> Answer:
        answer = await self._generation.answer()
        if self._verify is not None:
            answer = await self._verify(answer)
        metrics.TUNES.labels(self._model).inc(sum(judged.tune.complete for judged in answer.tunes))
        return answer

    def chunks(self) -> AsyncGenerator[str, None]:
        return self._generation.chunks()

    def _count(self, end: End) -> None:
        metrics.CHARACTERS.labels(self._model).inc(end.characters)
        metrics.GENERATIONS.labels(self._model, end.outcome).inc()
