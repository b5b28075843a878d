"""Makes chosen bars of a tune anew, so that what stands before leads to them, and they lead to what stands after.

For each run of chosen bars several candidates are drawn side by side, each bar held to the length of the one that it
replaces; then the model reads what follows after each of them, and the one after which that is likeliest is kept.
"""

import asyncio
from dataclasses import dataclass
from functools import partial
from typing import Self

from app.abc.bar_spans import regions
from app.abc.tunebook import split_tunes
from app.errors import DeadlineError, RequestError
from app.generation.answer import Answer, JudgedTune
from app.generation.buffered import Buffered
from app.generation.infill_candidates import CandidateDraws, Run
from app.generation.jobs import InfillJob
from app.generation.model_registry import ServedModel
from app.generation.originality import Judgement
from app.grammar import Grammar
from app.grammar.infill_constraint import Refill, refills
from app.inference.completion import FinishReason
from app.operations import tracing
from app.operations.concurrency_limit import ConcurrencyLimit

FOLLOWING = 400
"""Characters of what follows that are read, up to the next chosen bar."""

_END = "\n\n"


@dataclass(frozen=True)
class Plan:
    """Where the chosen bars stand in the text, in runs of neighbours, and what may stand in place of each."""

    runs: tuple[Run, ...]
    refills: dict[int, Refill]  # by bar number

    @classmethod
    def of(cls, grammar: Grammar, text: str, job: InfillJob) -> Self:
        """Find the bars.

        Raises:
            RequestError: there are no such bars, or this model cannot write any.
            BusyError: too many texts are waiting to be read.
        """
        runs = tuple(tuple(run) for run in regions(text, list(job.bars)))
        chosen = [region for run in runs for region in run]
        made = refills(grammar, text, [(region.begin, region.end) for region in chosen], job.wishes)
        return cls(runs, {region.number: refill for region, refill in zip(chosen, made, strict=True)})


class Infill(Buffered):
    """One job on its way; `readings` are turns at reading a stranger's text."""

    def __init__(
        self,
        model: ServedModel,
        grammar: Grammar,
        job: InfillJob,
        plan: Plan,
        deadline: float,
        readings: ConcurrencyLimit,
    ) -> None:
        super().__init__(start_string="")
        self._readings = readings
        self._model, self._grammar, self._job, self._runs = model, grammar, job, plan.runs
        self._deadline = deadline
        text = _as_read(job.abc)
        known = set(model.checkpoint.vocabulary.characters)
        self._unknown = {ord(character): None for character in set(text + _END) - known}
        self._draws = CandidateDraws(model, text, self._readable, plan.refills, job.sampling)

    @classmethod
    async def begin(cls, model: ServedModel, job: InfillJob, deadline: float, readings: ConcurrencyLimit) -> Self:
        """Find the bars.

        Raises:
            RequestError: there are no such bars, or this model cannot write any.
        """
        grammar = model.grammar
        if grammar is None:
            raise RequestError("this model's characters cannot write what the grammar asks for")
        plan = await readings.run(partial(Plan.of, grammar, _as_read(job.abc), job), is_begun=True)
        return cls(model, grammar, job, plan, deadline, readings)

    @property
    def drawn(self) -> int:
        return self._draws.drawn

    async def _make(self) -> Answer:
        model = self._model.id
        with tracing.step("regenerate", {"lilt.model.name": model.name, "lilt.model.version": model.version}) as span:
            try:
                async with asyncio.timeout_at(self._deadline):
                    abc = await self._new_text()
                    return await self._readings.run(lambda: self._describe(abc), is_begun=True)
            except TimeoutError:
                raise DeadlineError("the bars were not made in time") from None
            finally:
                span.set_attribute("lilt.characters", self.drawn)

    async def _new_text(self) -> str:
        """The tune with its new bars; those of other runs stand in it as they were until it is their turn."""
        text, moved = self._job.abc, 0
        for number, run in enumerate(self._runs):
            begin, end = run[0].begin + moved, run[-1].end + moved
            before, after = text[:begin], text[end:]
            is_last = number + 1 == len(self._runs)
            following = FOLLOWING if is_last else min(FOLLOWING, self._runs[number + 1][0].begin - run[-1].end)
            ordered = await self._likeliest_first(run, before, (after or _END)[:following])
            choose = partial(self._choose, ordered, text, begin, end)
            chosen = await self._readings.run(choose, is_begun=True)
            text = before + chosen + after
            moved += len(chosen) - (end - begin)
        return text

    async def _likeliest_first(self, run: Run, before: str, after: str) -> list[str]:
        """What may stand in place of a run of bars, that first after which what follows is likeliest."""
        start = await self._draws.read_up_to(before)
        candidates = await self._draws.draw(start, run)
        scores = await self._draws.scores(candidates, start, after)
        scored = sorted(zip(scores, candidates, strict=True), key=lambda scored: -scored[0])
        return [candidate.text for _, candidate in scored]

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

    def _describe(self, abc: str) -> Answer:
        closed = abc if abc.endswith(_END) else abc.rstrip("\n") + _END
        found = split_tunes(closed, self._grammar.faults(self._readable(abc)))
        chosen = sum(region.end - region.begin for run in self._runs for region in run)
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


def _as_read(abc: str) -> str:
    """A text with line ends as the rest of the service has them, and as long as it was."""
    return abc.replace("\r\n", " \n")
