"""Makes chosen bars of a tune anew, so that what stands before leads to them, and they lead to what stands after.

For each run of chosen bars several candidates are drawn side by side, each bar held to the length of the one that it
replaces; then the model reads what follows after each of them, and the one after which that is likeliest is kept. A bar
that is replaced wherever it comes again is drawn at its first place, and what follows is read with it at the others.
"""

import asyncio
import re
from bisect import bisect_left
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import partial
from random import Random
from typing import Self

from app.abc.bar_plan import Places, different_bars, keeps, places_of, plan, replaceable
from app.abc.bar_spans import Region, regions
from app.abc.header import read_header
from app.abc.timed_notes import timed_bars
from app.abc.tunebook import split_tunes
from app.errors import DeadlineError, Fault, RequestError
from app.generation.answer import Answer, JudgedTune
from app.generation.buffered import Buffered
from app.generation.infill_candidates import CandidateDraws, Run
from app.generation.infill_text import Pieces
from app.generation.jobs import MAX_BARS_ANEW, InfillJob, share_of
from app.generation.model_registry import ServedModel
from app.generation.network_text import NetworkText
from app.generation.originality import Judgement
from app.grammar import Grammar
from app.grammar.infill_constraint import Refill, Span, refills
from app.inference.completion import FinishReason
from app.operations import tracing
from app.operations.concurrency_limit import ConcurrencyLimit

FOLLOWING = 400
"""Characters of what follows that are read, up to the next chosen bar."""

MAX_RUN = 4
"""Bars of a tune that is varied that are drawn in one run, a phrase: of fewer more candidates suit the tune's plan."""

_END = "\n\n"
_FIELD_TO_MUSIC21 = re.compile(r"[A-Ga-g]::")


@dataclass(frozen=True)
class Plan:
    """What is made anew: where the chosen bars stand, in runs of neighbours, and what may stand in place of each.

    `places` are those of each chosen bar, the first of which is in one of the `runs`; `different`, where it is not
    None, are the numbers of bars that are the same, which stays so.
    """

    runs: tuple[Run, ...]
    places: dict[int, Places]  # by bar number
    refills: dict[int, Refill]  # likewise
    is_all_read: bool
    """whether the text holds nothing that no network has learnt"""
    different: list[list[int]] | None = None

    @classmethod
    def of(cls, grammar: Grammar, text: str, job: InfillJob) -> Self:
        """Find the bars.

        Raises:
            RequestError: there are no such bars, or this model cannot write any.
            BusyError: too many texts are waiting to be read.
        """
        different = None
        if job.vary is not None:
            chosen, different = _varied(text, job.vary, job.sampling.seed)
        elif job.everywhere:
            chosen, different = places_of(text, job.bars), plan(different_bars(text))
        else:
            chosen = [(region,) for run in regions(text, list(job.bars)) for region in run]
        firsts = [places[0] for places in chosen]
        read, spans = _as_grammar_reads(text, firsts)
        made = refills(grammar, read, spans, job.wishes)
        max_run = len(firsts) if job.vary is None else MAX_RUN
        return cls(
            runs=tuple(_runs(firsts, max_run)),
            places={places[0].number: places for places in chosen},
            refills={first.number: refill for first, refill in zip(firsts, made, strict=True)},
            is_all_read=text.isascii() and read == text,
            different=different,
        )


def _varied(text: str, share: float, seed: int) -> tuple[list[Places], list[list[int]]]:
    """A share of the different bars, the same for a seed, and more of them with a greater share."""
    try:
        different = different_bars(text)
    except RequestError as error:
        raise _refused_to_vary(error.detail) from None
    can_be = replaceable(different)
    if share and not can_be:
        raise _refused_to_vary("no bar of this tune can be made anew: it has none, or fields, ties or slurs hold them")
    draw = Random(seed)  # noqa: S311
    order = sorted(can_be, key=lambda _: draw.random())
    wanted = min(MAX_BARS_ANEW, share_of(len(different), share))
    return places_of(text, order[:wanted]), plan(different)


def _refused_to_vary(message: str) -> RequestError:
    return RequestError(message, faults=(Fault(message, field="vary"),))


def _runs(firsts: list[Region], max_run: int) -> Iterator[Run]:
    """Neighbours, so many at the most."""
    run: list[Region] = []
    for region in firsts:
        if run and (region.number != run[-1].number + 1 or len(run) == max_run):
            yield tuple(run)
            run = []
        run.append(region)
    if run:
        yield tuple(run)


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
        self._model, self._grammar, self._job, self._plan = model, grammar, job, plan
        self._deadline = deadline
        text = _as_read(job.abc)
        known = set(model.checkpoint.vocabulary.characters)
        self._unknown = {ord(character): None for character in set(text + _END) - known}
        self._header = text[: len(text) - len("\n".join(read_header(text)[1]))]
        self._is_all_read = plan.is_all_read
        self._draws = CandidateDraws(model, text, self._readable, plan.refills, job.sampling)
        self._old = Pieces.of(job.abc, plan.places.values())

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
        return cls(model, grammar, job, plan, deadline, readings).start()

    @property
    def drawn(self) -> int:
        return self._draws.drawn

    async def _make(self) -> Answer:
        model = self._model.id
        with tracing.step("regenerate", {"lilt.model.name": model.name, "lilt.model.version": model.version}) as span:
            try:
                async with asyncio.timeout_at(self._deadline):
                    new = await self._new_text()
                    return await self._readings.run(lambda: self._describe(new), is_begun=True)
            except TimeoutError:
                raise DeadlineError("the bars were not made in time") from None
            finally:
                span.set_attribute("lilt.characters", self.drawn)

    async def _new_text(self) -> Pieces:
        """The tune with its new bars; those of other runs stand in it as they were until it is their turn."""
        now = self._old
        for number, run in enumerate(self._plan.runs):
            later = [region.number for other in self._plan.runs[number + 1 :] for region in other]
            ordered = await self._likeliest_first(run, now, later)
            now = await self._readings.run(partial(self._choose, ordered, now), is_begun=True)
        return now

    async def _likeliest_first(self, run: Run, now: Pieces, later: list[int]) -> list[Pieces]:
        """Texts with what may stand in place of a run of bars, that first of which what follows is likeliest."""
        start = await self._draws.read_up_to(now.before(run[0].number))
        candidates = await self._draws.draw(start, run)
        numbers = [region.number for region in run]
        texts = [now.with_bars(dict(zip(numbers, candidate.bars, strict=True))) for candidate in candidates]
        afters = [(text.after(run[-1].number, later) or _END)[:FOLLOWING] for text in texts]
        scores = await self._draws.scores(candidates, start, afters)
        return [text for _, text in sorted(zip(scores, texts, strict=True), key=lambda scored: -scored[0])]

    def _choose(self, candidates: list[Pieces], now: Pieces) -> Pieces:
        """The first that is new and leaves the tune no more faulty; none that copies where another does not.

        Of a tune that is varied the bars may stay as they are.

        Raises:
            RequestError: none is sound.
        """
        faults = self._faults(now)
        different = dict.fromkeys(candidates)
        if self._job.vary is not None:
            different |= {now: None}
        ordered = sorted(different, key=lambda text: text == now)
        sound = (text for text in ordered if text == now or self._is_sound(text, faults))
        first = next(sound, None)
        if first is None:
            raise RequestError("no bars were found that fit what stands around these; try other bars or another seed")
        if self._job.avoid_copies and self._copies(first.text):
            return next((text for text in sound if not self._copies(text.text)), first)
        return first

    def _is_sound(self, text: Pieces, max_faults: int) -> bool:
        """Whether a tune has no more faults, and the same bars are the same, where that is asked for."""
        if self._faults(text) > max_faults:
            return False
        if self._plan.different is None:
            return True
        if any(
            _FIELD_TO_MUSIC21.match(new) and new != old for new, old in zip(text.ends(), self._old.ends(), strict=True)
        ):
            return False
        found = plan(different_bars(_as_read(text.text)))
        return keeps(found, self._plan.different) and (
            self._job.vary is None or len(found) == len(self._plan.different)
        )

    def _faults(self, text: Pieces) -> int:
        return len(self._grammar.faults(self._readable(text.text)))

    def _copies(self, abc: str) -> bool:
        found = self._model.originality(abc)
        return found is not None and found.judgement is Judgement.COPIES

    def _describe(self, new: Pieces) -> Answer:
        abc = new.text
        closed = abc if abc.endswith(_END) else abc.rstrip("\n") + _END
        found = split_tunes(closed, self._grammar.faults(self._readable(abc)))
        return Answer(
            abc=abc,
            tunes=tuple(JudgedTune(tune, self._model.originality(tune.abc)) for tune in found),
            seed=self._job.sampling.seed,
            model=self._model.id,
            finish_reason=FinishReason.TUNES,
            characters=sum(map(len, new.pieces)),
            changed_bars=new.changed_since(self._old),
        )

    def _readable(self, abc: str) -> str:
        """What of a text, or of a piece of its notes, the model knows."""
        text = _as_read(abc)
        if not self._is_all_read:
            known = self._model.checkpoint.vocabulary.characters
            is_whole = text.startswith(self._header)
            text = (NetworkText.of(text, known) if is_whole else NetworkText.of_notes(text)).read
        return text.translate(self._unknown)


def _as_grammar_reads(text: str, chosen: Iterable[Region]) -> tuple[str, list[Span]]:
    """A tune without the marks that no network has learnt, and where the chosen bars stand in it."""
    read = NetworkText.of(text, set(text))
    bars = [bar for bar in timed_bars(text) if bar.places]
    firsts = [bar.places[0] for bar in bars]
    spans = []
    for region in chosen:
        bar = bars[bisect_left(firsts, region.end) - 1]
        room = bar.room_between(region.begin, region.end)
        spans.append(Span(read.position_of(region.begin), read.position_of(region.end), room, bar.over > 0))
    return read.read, spans


def _as_read(abc: str) -> str:
    """A text with line ends as the rest of the service has them, and as long as it was."""
    return abc.replace("\r\n", " \n")
