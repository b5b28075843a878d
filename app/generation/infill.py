"""Makes chosen bars of a tune anew, so that what stands before leads to them, and they lead to what stands after.

For each run of chosen bars several candidates are drawn side by side, each bar held to the length of the one that it
replaces; then the model reads what follows after each of them, and the one after which that is likeliest is kept.
"""

import asyncio
from dataclasses import dataclass, replace
from itertools import count
from typing import Self

import numpy as np
from numpy.typing import NDArray

from app.abc.bar_spans import Region, regions
from app.abc.tunebook import split_tunes
from app.errors import DeadlineError, RequestError
from app.generation.answer import Answer, JudgedTune
from app.generation.buffered import Buffered
from app.generation.jobs import InfillJob, seed_of_draw
from app.generation.model_registry import ServedModel
from app.generation.originality import Judgement
from app.grammar import Grammar
from app.grammar.infill_constraint import Refill, refills
from app.inference.completion import Completion, FinishReason
from app.inference.decoder import State
from app.inference.sampler import SamplingParams
from app.inference.sequence import Sequence
from app.operations import tracing

CANDIDATES = 8
MAX_PER_BAR = 300
"""Characters; a bar of the corpus has some ten."""

FOLLOWING = 400
"""Characters of what follows that are read, up to the next chosen bar."""

_END = "\n\n"


@dataclass(frozen=True)
class Plan:
    """Where the chosen bars stand in the text, in runs of neighbours, and what may stand in place of each."""

    runs: tuple[tuple[Region, ...], ...]
    refills: dict[int, Refill]  # by bar number

    @classmethod
    def of(cls, grammar: Grammar, text: str, job: InfillJob) -> Self:
        """Find the bars.

        Raises:
            RequestError: there are no such bars, or this model cannot write any.
        """
        runs = tuple(tuple(run) for run in regions(text, list(job.bars)))
        chosen = [region for run in runs for region in run]
        made = refills(grammar, text, [(region.begin, region.end) for region in chosen], job.wishes)
        return cls(runs, {region.number: refill for region, refill in zip(chosen, made, strict=True)})


@dataclass(frozen=True)
class _Candidate:
    """What stands in place of a run of bars, so far; `state` is the model's before it has read `unread`."""

    text: str
    state: State | None
    unread: str


class Infill(Buffered):
    """One job on its way."""

    def __init__(self, model: ServedModel, grammar: Grammar, job: InfillJob, plan: Plan, deadline: float) -> None:
        super().__init__(start_string="")
        self._model, self._grammar, self._job, self._plan = model, grammar, job, plan
        self._deadline = deadline
        self._read = _as_read(job.abc)
        self._draws = count(1)  # one for each bar of each candidate
        self._drawn = 0
        known = set(model.checkpoint.vocabulary.characters)
        self._unknown = {ord(character): None for character in set(self._read + _END) - known}

    @classmethod
    async def begin(cls, model: ServedModel, job: InfillJob, deadline: float) -> Self:
        """Find the bars.

        Raises:
            RequestError: there are no such bars, or this model cannot write any.
        """
        grammar = model.grammar
        if grammar is None:
            raise RequestError("this model's characters cannot write what the grammar asks for")
        plan = await asyncio.to_thread(Plan.of, grammar, _as_read(job.abc), job)
        return cls(model, grammar, job, plan, deadline)

    @property
    def drawn(self) -> int:
        return self._drawn

    async def _make(self) -> Answer:
        model = self._model.id
        with tracing.step("regenerate", {"lilt.model.name": model.name, "lilt.model.version": model.version}) as span:
            try:
                async with asyncio.timeout_at(self._deadline):
                    abc = await self._new_text()
                    return await asyncio.to_thread(self._describe, abc)
            except TimeoutError:
                raise DeadlineError("the bars were not made in time") from None
            finally:
                span.set_attribute("lilt.characters", self._drawn)

    async def _new_text(self) -> str:
        """The tune with its new bars; those of other runs stand in it as they were until it is their turn."""
        text, moved, runs = self._job.abc, 0, self._plan.runs
        for number, run in enumerate(runs):
            begin, end = run[0].begin + moved, run[-1].end + moved
            before, after = text[:begin], text[end:]
            following = runs[number + 1][0].begin - run[-1].end if number + 1 < len(runs) else FOLLOWING
            start = await self._read_up_to(before)
            candidates = await self._candidates(start, run)
            scores = await self._scores(candidates, start, (after or _END)[: min(following, FOLLOWING)])
            ordered = [candidate.text for _, candidate in sorted(zip(scores, candidates, strict=True), key=_likeliest)]
            chosen = await asyncio.to_thread(self._choose, ordered, text, begin, end)
            text = before + chosen + after
            moved += len(chosen) - (end - begin)
        return text

    async def _read_up_to(self, before: str) -> _Candidate:
        """Nothing yet, after what stands before: the model has read all but its last character."""
        prompt = self._encode(before)
        last = self._model.checkpoint.vocabulary.decode(prompt[-1:].tolist())
        if len(prompt) == 1:
            return _Candidate("", None, last)
        (completion,) = await self._step([Sequence(prompt[:-1], 1, SamplingParams())])
        return _Candidate("", completion.state, last)

    async def _candidates(self, start: _Candidate, run: tuple[Region, ...]) -> list[_Candidate]:
        """Drawn side by side, bar by bar; what stands between the bars stays."""
        candidates = [start] * CANDIDATES
        for region, following in zip(run, [*run[1:], None], strict=True):
            drawn = await self._step([self._sequence(candidate, region) for candidate in candidates])
            between = self._read[region.end : following.begin] if following else ""
            candidates = [
                self._with_bar(candidate, completion, region, between)
                for candidate, completion in zip(candidates, drawn, strict=True)
            ]
        return candidates

    def _sequence(self, candidate: _Candidate, region: Region) -> Sequence:
        """One that goes on from a candidate in place of a bar."""
        sampling = replace(self._job.sampling, seed=seed_of_draw(self._job.sampling.seed, next(self._draws)))
        refill = self._plan.refills[region.number].copy()
        ids = self._encode(candidate.unread)
        return Sequence(ids, MAX_PER_BAR, sampling, constraint=refill, state=candidate.state)

    def _with_bar(self, candidate: _Candidate, drawn: Completion, region: Region, between: str) -> _Candidate:
        """A candidate with one bar more; one that has no end is left as it was."""
        self._drawn += len(drawn.new_ids)
        is_whole = drawn.finish_reason is FinishReason.TUNES
        new = self._model.checkpoint.vocabulary.decode(drawn.new_ids[:-1]) if is_whole else ""
        text = candidate.text + (new or self._read[region.begin : region.end]) + between
        return _Candidate(text, drawn.state, between)

    async def _scores(self, candidates: list[_Candidate], start: _Candidate, after: str) -> list[float]:
        """Nats of what follows after each candidate."""
        read = [self._encode(start.unread + candidate.text) for candidate in candidates]
        follows = self._encode(after)
        scored = await self._step(
            [
                Sequence(np.concatenate([ids, follows]), 1, SamplingParams(), state=start.state, scored_from=len(ids))
                for ids in read
            ]
        )
        return [completion.log_probability for completion in scored]

    def _choose(self, candidates: list[str], text: str, begin: int, end: int) -> str:
        """The first that is new and leaves the tune no more faulty; none that copies where another does not.

        Raises:
            RequestError: none is sound.
        """
        before, old, after = text[:begin], text[begin:end], text[end:]
        faults = len(self._grammar.faults(self._readable(text)))
        sound = [
            new
            for new in dict.fromkeys(candidates)
            if len(self._grammar.faults(self._readable(before + new + after))) <= faults
        ]
        if not sound:
            raise RequestError("no bars were found that fit what stands around these; try other bars or another seed")
        ranked = sorted(sound, key=lambda new: new == old)
        if self._job.avoid_copies:
            ranked.sort(key=lambda new: self._copies(before + new + after))
        return ranked[0]

    def _copies(self, abc: str) -> bool:
        found = self._model.originality(abc)
        return found is not None and found.judgement is Judgement.COPIES

    async def _step(self, sequences: list[Sequence]) -> list[Completion]:
        futures = [self._model.engine.submit(sequence).done for sequence in sequences]
        try:
            return list(await asyncio.gather(*map(asyncio.wrap_future, futures)))
        finally:
            for future in futures:
                future.cancel()

    def _describe(self, abc: str) -> Answer:
        closed = abc if abc.endswith(_END) else abc.rstrip("\n") + _END
        found = split_tunes(closed, self._grammar.faults(self._readable(abc)))
        chosen = sum(region.end - region.begin for run in self._plan.runs for region in run)
        return Answer(
            abc=abc,
            tunes=tuple(JudgedTune(tune, self._model.originality(tune.abc)) for tune in found),
            seed=self._job.sampling.seed,
            model=self._model.id,
            finish_reason=FinishReason.TUNES,
            characters=chosen + len(abc) - len(self._job.abc),
        )

    def _readable(self, abc: str) -> str:
        """What of a text the model knows."""
        return _as_read(abc).translate(self._unknown)

    def _encode(self, text: str) -> NDArray[np.int32]:
        return self._model.checkpoint.vocabulary.encode(self._readable(text))


def _as_read(abc: str) -> str:
    """A text with line ends as the rest of the service has them, and as long as it was."""
    return abc.replace("\r\n", " \n")


def _likeliest(scored: tuple[float, _Candidate]) -> float:
    return -scored[0]
