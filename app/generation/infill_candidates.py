"""Candidates for a run of bars: drawn side by side bar by bar, and how well what follows suits each of them."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, replace
from itertools import count

import numpy as np
from numpy.typing import NDArray

from app.abc.bar_spans import Region
from app.generation.jobs import seed_of_draw
from app.generation.model_registry import ServedModel
from app.grammar.infill_constraint import Refill
from app.inference.completion import Completion, FinishReason
from app.inference.memory import Memory
from app.inference.sampler import SamplingParams
from app.inference.sequence import Sequence

CANDIDATES = 8
MAX_PER_BAR = 300
"""Characters; a bar of the corpus has some ten."""

Run = tuple[Region, ...]
"""Chosen bars that are neighbours."""


@dataclass(frozen=True)
class Candidate:
    """What stands in place of a run of bars, so far, and of each bar; `state` is the model's before `unread`."""

    text: str
    state: Memory | None
    unread: str
    bars: tuple[str, ...] = ()


class CandidateDraws:
    """Those of one tune.

    Args:
        text: the tune, as long as it is.
        readable: what of a text the model knows.
        refills: by bar number, what may stand in its place.
        sampling: each bar of each candidate has a seed of its own, which follows from this one's.
    """

    def __init__(
        self,
        model: ServedModel,
        text: str,
        readable: Callable[[str], str],
        refills: dict[int, Refill],
        sampling: SamplingParams,
    ) -> None:
        self._model, self._text, self._readable = model, text, readable
        self._refills, self._sampling = refills, sampling
        self._numbers = count(1)
        self.drawn = 0
        """Characters so far."""

    async def read_up_to(self, before: str) -> Candidate:
        """Nothing yet, after what stands before: the model has read all but its last character."""
        prompt = await asyncio.to_thread(self._encode, before)
        last = self._model.checkpoint.vocabulary.decode(prompt[-1:].tolist())
        if len(prompt) == 1:
            return Candidate("", None, last)
        (completion,) = await self._complete([Sequence(prompt[:-1], 1, SamplingParams())])
        return Candidate("", completion.state, last)

    async def draw(self, start: Candidate, run: Run) -> list[Candidate]:
        """Drawn side by side, bar by bar; what stands between the bars stays."""
        candidates = [start] * CANDIDATES
        for region, following in zip(run, [*run[1:], None], strict=True):
            drawn = await self._complete([self._sequence(candidate, region) for candidate in candidates])
            between = self._text[region.end : following.begin] if following else ""
            candidates = [
                self._with_bar(candidate, completion, region, between)
                for candidate, completion in zip(candidates, drawn, strict=True)
            ]
        return candidates

    async def scores(self, candidates: list[Candidate], start: Candidate, afters: list[str]) -> list[float]:
        """Nats of a character of what follows after each candidate."""
        read = [self._encode(start.unread + candidate.text) for candidate in candidates]
        follow = [self._encode(after) for after in afters]
        scored = await self._complete(
            [
                Sequence(np.concatenate([ids, after]), 1, SamplingParams(), state=start.state, scored_from=len(ids))
                for ids, after in zip(read, follow, strict=True)
            ]
        )
        return [
            completion.log_probability / max(1, len(after)) for completion, after in zip(scored, follow, strict=True)
        ]

    def _sequence(self, candidate: Candidate, region: Region) -> Sequence:
        """The sequence that draws the next bar after a candidate."""
        sampling = replace(self._sampling, seed=seed_of_draw(self._sampling.seed, next(self._numbers)))
        constraint = self._refills[region.number].copy()
        ids = self._encode(candidate.unread)
        return Sequence(ids, MAX_PER_BAR, sampling, constraint=constraint, state=candidate.state)

    def _with_bar(self, candidate: Candidate, drawn: Completion, region: Region, between: str) -> Candidate:
        """A candidate with one bar more; a bar that did not end stays as it was."""
        self.drawn += len(drawn.new_ids)
        is_whole = drawn.finish_reason is FinishReason.TUNES
        new = self._model.checkpoint.vocabulary.decode(drawn.new_ids[:-1]) if is_whole else ""
        new = new or self._text[region.begin : region.end]
        return Candidate(candidate.text + new + between, drawn.state, between, (*candidate.bars, new))

    async def _complete(self, sequences: list[Sequence]) -> list[Completion]:
        futures = [self._model.engine.submit(sequence).done for sequence in sequences]
        try:
            return list(await asyncio.gather(*map(asyncio.wrap_future, futures)))
        finally:
            for future in futures:
                future.cancel()

    def _encode(self, text: str) -> NDArray[np.int32]:
        return self._model.checkpoint.vocabulary.encode(self._readable(text))
