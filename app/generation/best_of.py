"""Tunes that are chosen among several that are drawn side by side, by a critic and by what they copy."""

import asyncio
from dataclasses import replace
from typing import Self

import numpy as np

from app.abc.tunebook import split_tunes
from app.errors import Fault, LiltError, RequestError
from app.generation.answer import Answer
from app.generation.buffered import Buffered
from app.generation.continuation import Continuation
from app.generation.critic import choose, score
from app.generation.jobs import GenerationJob, seed_of_draw
from app.generation.model_registry import ServedModel
from app.operations.concurrency_limit import ConcurrencyLimit

MAX_DRAWS = 5
"""How often at the most a tune is drawn that may not copy one that was trained on."""


class BestOf(Buffered):
    """Continuations that are drawn as one batch, one of which is the answer; with `avoid_copies`, one without a copy.

    Where all of them copy, more are drawn, one after another, up to `MAX_DRAWS`. Among those with the fewest copies the
    critic chooses, where there are several, in proportion to their odds (see `app.generation.critic`).

    The seeds of the later ones follow from the first and are no seed that can be asked for, so that an answer's seed
    makes the same answer again, and no other seed's tunes are among those it passes over.
    """

    def __init__(self, model: ServedModel, job: GenerationJob, deadline: float, readings: ConcurrencyLimit) -> None:
        super().__init__(job.start_string)
        self._model, self._job, self._deadline, self._readings = model, job, deadline, readings
        self._draws: list[Continuation] = []

    @classmethod
    async def begin(cls, model: ServedModel, job: GenerationJob, deadline: float, readings: ConcurrencyLimit) -> Self:
        """Queue the first ones.

        Raises:
            RequestError: this model cannot write what is asked for, or has no critic to choose by.
            LiltError: as `Continuation.begin` does.
        """
        if job.best_of > 1 and model.critic is None:
            told = (
                f"{model.id.name}/{model.id.version} was published without a critic, so none can be chosen of several"
            )
            raise RequestError(told, faults=(Fault(told, field="best_of"),))
        generation = cls(model, job, deadline, readings)
        try:
            for _ in range(job.best_of):
                await generation._draw()
        except LiltError:
            generation._cancel_draws()
            raise
        generation.start().when_ended(lambda _: generation._cancel_draws())
        return generation

    @property
    def drawn(self) -> int:
        return sum(draw.drawn for draw in self._draws)

    async def _make(self) -> Answer:
        await asyncio.gather(*(draw.finished() for draw in self._draws))
        candidates = await self._with_fewest_copies() if self._job.avoid_copies else self._draws
        chosen = await asyncio.to_thread(self._choose, candidates)
        return replace(chosen, seed=self._job.sampling.seed)

    async def _with_fewest_copies(self) -> list[Continuation]:
        copies = [await asyncio.to_thread(_copies, draw) for draw in self._draws]
        while min(copies) and len(copies) < MAX_DRAWS:
            draw = await self._draw()
            await draw.finished()
            copies.append(await asyncio.to_thread(_copies, draw))
        return [draw for draw, count in zip(self._draws, copies, strict=True) if count == min(copies)]

    async def _draw(self) -> Continuation:
        sampling = replace(self._job.sampling, seed=seed_of_draw(self._job.sampling.seed, len(self._draws)))
        job, is_begun = replace(self._job, sampling=sampling), bool(self._draws)
        draw = await Continuation.begin(self._model, job, self._deadline, self._readings, is_begun=is_begun)
        self._draws.append(draw)
        return draw

    def _cancel_draws(self) -> None:
        for draw in self._draws:
            draw.cancel()

    def _choose(self, candidates: list[Continuation]) -> Answer:
        critic = self._model.critic
        if self._job.best_of == 1 or critic is None:
            return candidates[0].describe()
        log_odds = [critic.log_odds([tune.abc for tune in split_tunes(draw.text)]) for draw in candidates]
        number = choose([float(np.sum(each)) if len(each) else -np.inf for each in log_odds], self._job.sampling.seed)
        answer = candidates[number].describe()
        judged = zip(answer.tunes, log_odds[number].tolist(), strict=True)
        return replace(answer, tunes=tuple(replace(tune, score=score(odds)) for tune, odds in judged))


def _copies(draw: Continuation) -> int:
    return sum(judged.is_copy for judged in draw.describe().tunes)
