"""Tunes that are drawn anew while one of them copies a training tune."""

from dataclasses import replace
from typing import Self

from app.generation.answer import Answer
from app.generation.buffered import Buffered
from app.generation.continuation import Continuation
from app.generation.jobs import GenerationJob, seed_of_draw
from app.generation.model_registry import ServedModel

MAX_DRAWS = 5


class CopyAvoidance(Buffered):
    """Up to `MAX_DRAWS` continuations, one after another; the answer is the first without a copy, or with the fewest.

    The seeds of the later ones follow from the first and are no seed that can be asked for, so that an answer's seed
    makes the same answer again, and no other seed's tunes are among those it passes over.
    """

    def __init__(self, model: ServedModel, job: GenerationJob, first: Continuation, deadline: float) -> None:
        super().__init__(job.start_string)
        self._model, self._job, self._deadline = model, job, deadline
        self._draws = [first]

    @classmethod
    async def begin(cls, model: ServedModel, job: GenerationJob, deadline: float) -> Self:
        """Queue the first; raises as `Continuation.begin` does."""
        return cls(model, job, await Continuation.begin(model, job, deadline), deadline)

    @property
    def drawn(self) -> int:
        return sum(draw.drawn for draw in self._draws)

    async def _make(self) -> Answer:
        answers = [await self._draws[0].answer()]
        while _copies(answers[-1]) and len(answers) < MAX_DRAWS:
            self._draws.append(await self._draw(len(answers)))
            answers.append(await self._draws[-1].answer())
        return replace(min(answers, key=_copies), seed=self._job.sampling.seed)

    async def _draw(self, number: int) -> Continuation:
        sampling = replace(self._job.sampling, seed=seed_of_draw(self._job.sampling.seed, number))
        return await Continuation.begin(self._model, replace(self._job, sampling=sampling), self._deadline)


def _copies(answer: Answer) -> int:
    return sum(tune.is_copy for tune in answer.tunes)
