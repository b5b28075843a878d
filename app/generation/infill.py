"""Makes chosen bars of a tune anew, so that what stands before leads to them, and they lead to what stands after.

For each run of chosen bars several candidates are drawn side by side, each bar held to the length of the one that it
replaces; then the model reads what follows after each of them, and the one after which that is likeliest is kept.
"""

import asyncio
from dataclasses import dataclass, replace
from functools import partial
from itertools import count

import numpy as np
from numpy.typing import NDArray

from app.abc.bar_spans import Region, regions
from app.abc.tunebook import split_tunes
from app.api.schemas import GeneratedTune, GenerateRequest, GenerateResponse
from app.errors import DeadlineError, RequestError
from app.generation.buffered import AtOnce
from app.generation.model_registry import ServedModel
from app.generation.originality import Judgement
from app.grammar import Request
from app.grammar.infill_constraint import Refill, refills
from app.inference.decoder import State
from app.inference.sampler import SamplingParams
from app.inference.sequence import FinishReason, Sequence
from app.operations import metrics, tracing
from app.operations.turns import Turns
from app.rendering.input_filter import gate

CANDIDATES = 8
MOST_PER_BAR = 300
"""Characters; a bar of the corpus has some ten."""

FOLLOWING = 400
"""Characters of what follows that are read, up to the next chosen bar."""

_END = "\n\n"


@dataclass
class _Candidate:
    """What stands in place of a run of bars, so far; `state` is the model's before it has read `unread`."""

    text: str
    state: State | None
    unread: str


class Regeneration(AtOnce):
    """One request with `abc` and `bars`; `readings` are turns at reading a stranger's text."""

    def __init__(
        self, model: ServedModel, request: GenerateRequest, seed: int, deadline: float, readings: Turns
    ) -> None:
        super().__init__(model, request, seed, deadline, start_string="")
        self._readings = readings
        self._abc = request.abc or ""
        self._read = self._abc.replace("\r\n", " \n")  # as long, and as every other part of the service has it
        self._draws = count(1)  # one for each bar of each candidate
        self._runs: list[list[Region]] = []
        self._refills: dict[int, list[Refill]] = {}  # by bar number, one for each candidate
        self._made = 0
        known = set(model.checkpoint.vocabulary.characters)
        self._unknown = {ord(character): None for character in set(self._read + _END) - known}

    async def begin(self) -> None:
        """Find the bars.

        Raises:
            NotationError: the text is not one tune that could be played.
            RequestError: there are no such bars, or this model cannot write any.
            BusyError: too many texts are waiting to be read.
        """
        await self._readings.run(self._plan)

    def _plan(self) -> None:
        gate(self._read)
        grammar = self._model.grammar
        if grammar is None:
            raise RequestError("this model's characters cannot write what the grammar asks for")
        self._runs = regions(self._read, self._request.bars or [])
        chosen = [region for run in self._runs for region in run]
        spans = [(region.begin, region.end) for region in chosen]
        wishes = Request(low=self._request.low, high=self._request.high)
        for region, refill in zip(chosen, refills(grammar, self._read, spans, wishes), strict=True):
            self._refills[region.number] = [refill.copy() for _ in range(CANDIDATES)]

    async def answer(self) -> GenerateResponse:
        """Raises DeadlineError, DecoderError, BusyError as `Generation` does; RequestError: no candidate was sound."""
        model = self._model.id
        with tracing.step("regenerate", {"lilt.model.name": model.name, "lilt.model.version": model.version}) as span:
            try:
                async with asyncio.timeout_at(self._deadline):
                    abc = await self._new_text()
                    return await self._readings.run(lambda: self._describe(abc), is_begun=True)
            except TimeoutError:
                raise DeadlineError("the bars were not made in time") from None
            finally:
                span.set_attribute("lilt.characters", self._made)
                self._ended(self._made)

    async def _new_text(self) -> str:
        """The tune with its new bars; those of other runs stand in it as they were until it is their turn."""
        text, moved = self._abc, 0
        for number, run in enumerate(self._runs):
            begin, end = run[0].begin + moved, run[-1].end + moved
            before, after = text[:begin], text[end:]
            following = self._runs[number + 1][0].begin - run[-1].end if number + 1 < len(self._runs) else FOLLOWING
            start = await self._read_up_to(before)
            candidates = await self._candidates(start, run)
            scores = await self._scores(candidates, start, (after or _END)[: min(following, FOLLOWING)])
            ordered = [candidate.text for _, candidate in sorted(zip(scores, candidates, strict=True), key=_likeliest)]
            choose = partial(self._choose, ordered, text, begin, end)
            chosen = await self._readings.run(choose, is_begun=True)
            text = before + chosen + after
            moved += len(chosen) - (end - begin)
        return text

    async def _read_up_to(self, before: str) -> _Candidate:
        """Nothing yet, after what stands before: the model has read all but its last character."""
        prompt = self._encode(before)
        last = self._model.checkpoint.vocabulary.decode(prompt[-1:].tolist())
        if len(prompt) == 1:
            return _Candidate("", None, last)
        (sequence,) = await self._step([Sequence(prompt[:-1], 1, SamplingParams())])
        return _Candidate("", sequence.state, last)

    async def _candidates(self, start: _Candidate, run: list[Region]) -> list[_Candidate]:
        """Drawn side by side, bar by bar; what stands between the bars stays."""
        candidates = [replace(start) for _ in range(CANDIDATES)]
        for region, following in zip(run, [*run[1:], None], strict=True):
            drawn = await self._step(
                [
                    Sequence(
                        self._encode(candidate.unread),
                        MOST_PER_BAR,
                        self._params(),
                        constraint=self._refills[region.number][number],
                        state=candidate.state,
                    )
                    for number, candidate in enumerate(candidates)
                ]
            )
            between = self._read[region.end : following.begin] if following else ""
            for candidate, sequence in zip(candidates, drawn, strict=True):
                self._made += len(sequence.new_ids)
                is_whole = sequence.finish_reason is FinishReason.TUNES
                new = self._model.checkpoint.vocabulary.decode(sequence.new_ids[:-1]) if is_whole else ""
                candidate.text += (new or self._read[region.begin : region.end]) + between
                candidate.state, candidate.unread = sequence.state, between
        return candidates

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
        return [sequence.log_probability for sequence in scored]

    def _choose(self, candidates: list[str], text: str, begin: int, end: int) -> str:
        """The first that is new and leaves the tune no more faulty; none that copies where another does not.

        Raises:
            RequestError: none is sound.
        """
        assert self._model.grammar is not None  # noqa: S101
        before, old, after = text[:begin], text[begin:end], text[end:]
        faults = len(self._model.grammar.faults(self._readable(text)))
        sound = [
            new
            for new in dict.fromkeys(candidates)
            if len(self._model.grammar.faults(self._readable(before + new + after))) <= faults
        ]
        if not sound:
            raise RequestError("no bars were found that fit what stands around these; try other bars or another seed")
        ranked = sorted(sound, key=lambda new: new == old)
        if self._request.avoid_copies:
            ranked.sort(key=lambda new: self._copies(before + new + after))
        return ranked[0]

    def _copies(self, abc: str) -> bool:
        found = self._model.originality(abc)
        return found is not None and found.judgement is Judgement.COPIES

    async def _step(self, sequences: list[Sequence]) -> list[Sequence]:
        futures = [self._model.engine.submit(sequence) for sequence in sequences]
        try:
            return list(await asyncio.gather(*map(asyncio.wrap_future, futures)))
        finally:
            for future in futures:
                future.cancel()

    def _describe(self, abc: str) -> GenerateResponse:
        assert self._model.grammar is not None  # noqa: S101
        name = self._model.id.name
        metrics.CHARACTERS.labels(name).inc(self._made)
        metrics.GENERATIONS.labels(name, FinishReason.TUNES).inc()
        metrics.TUNES.labels(name).inc()
        closed = abc if abc.endswith("\n\n") else abc.rstrip("\n") + "\n\n"
        found = split_tunes(closed, self._model.grammar.faults(self._readable(abc)))
        return GenerateResponse(
            abc=abc,
            tunes=[GeneratedTune.of(tune, self._model.originality(tune.abc)) for tune in found],
            seed=self._seed,
            model=self._model.id,
            finish_reason=FinishReason.TUNES,
            generated=sum(region.end - region.begin for run in self._runs for region in run)
            + len(abc)
            - len(self._abc),
        )

    def _readable(self, abc: str) -> str:
        """What of a text the model knows."""
        return abc.replace("\r\n", " \n").translate(self._unknown)

    def _encode(self, text: str) -> NDArray[np.int32]:
        return self._model.checkpoint.vocabulary.encode(self._readable(text))

    def _params(self) -> SamplingParams:
        request = self._request
        return SamplingParams(request.temperature, request.top_k, request.top_p, self._seed_of(next(self._draws)))


def _likeliest(scored: tuple[float, _Candidate]) -> float:
    return -scored[0]
