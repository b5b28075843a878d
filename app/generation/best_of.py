"""Tunes that are chosen among several that are drawn side by side, by a critic and by what they copy."""

import asyncio
from dataclasses import replace
from typing import Self

import numpy as np

from app.errors import Fault, LiltError, RequestError
from app.generation.answer import Answer
from app.generation.buffered import Buffered
from app.generation.continuation import Continuation
from app.generation.critic import choose, score
from app.generation.jobs import GenerationJob, seed_of_draw
from app.generation.model_registry import ServedModel

MAX_DRAWS = 5
"""How often at the most a tune is drawn that may not copy one that was trained on."""


class BestOf(Buffered):
    """Continuations that are drawn as one batch, one of which is the answer; with `avoid_copies`, one without a copy.

    Where all of them copy, more are drawn, one after another, up to `MAX_DRAWS`. Among those with the fewest copies the
    critic chooses, where there are several, in proportion to their odds (see `app.generation.critic`).

    The seeds of the later ones follow from the first and are no seed that can be asked for, so that an answer's seed
    makes the same answer again, and no other seed's tunes are among those it passes over.
    """

    def __init__(self, model: ServedModel, job: GenerationJob, deadline: float) -> None:
        super().__init__(job.start_string)
        self._model, self._job, self._deadline = model, job, deadline
        self._draws: list[Continuation] = []

    @classmethod
    async def begin(cls, model: ServedModel, job: GenerationJob, deadline: float) -> Self:
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
        generation = cls(model, job, deadline)
        try:
            for _ in range(job.best_of):
                await generation._draw()
        except LiltError:
            generation._cancel()
            raise
        return generation

    @property
    def drawn(self) -> int:
        return sum(draw.drawn for draw in self._draws)

    async def _make(self) -> Answer:
        try:
            answers = list(await asyncio.gather(*(draw.answer() for draw in self._draws)))
            while self._job.avoid_copies and min(map(_copies, answers)) and len(answers) < MAX_DRAWS:
                answers.append(await (await self._draw()).answer())
            chosen = await asyncio.to_thread(self._choose, answers)
        finally:
            self._cancel()
        return replace(chosen, seed=self._job.sampling.seed)

    async def _draw(self) -> Continuation:
        sampling = replace(self._job.sampling, seed=seed_of_draw(self._job.sampling.seed, len(self._draws)))
        self._draws.append(await Continuation.begin(self._model, replace(self._job, sampling=sampling), self._deadline))
        return self._draws[-1]

    def _cancel(self) -> None:
        for draw in self._draws:
            draw.cancel()

    def _choose(self, answers: list[Answer]) -> Answer:
        if self._job.avoid_copies:
            fewest = min(map(_copies, answers))
            answers = [answer for answer in answers if _copies(answer) == fewest]
        critic = self._model.critic
        if self._job.best_of == 1 or critic is None:
            return answers[0]
        log_odds = [critic.log_odds([judged.tune.abc for judged in answer.tunes]) for answer in answers]
        number = choose([float(np.sum(each)) if len(each) else -np.inf for each in log_odds], self._job.sampling.seed)
        tunes = zip(answers[number].tunes, log_odds[number].tolist(), strict=True)
        return replace(answers[number], tunes=tuple(replace(judged, score=score(odds)) for judged, odds in tunes))


def _copies(answer: Answer) -> int:
    return sum(tune.is_copy for tune in answer.tunes)
