"""Makes chosen bars of a tune anew, so that what stands before leads to them, and they lead to what stands after.

For each run of chosen bars several candidates are drawn side by side, each bar held to the length of the one that it
replaces; then the model reads what follows after each of them, and the one after which that is likeliest is kept. A bar
that is replaced wherever it comes again is drawn at its first place, and what follows is read with it at the others.
"""

import asyncio
import re
from functools import partial
from typing import Self

from app.abc.header import body_lines
from app.abc.same_bars import different_bars, keeps, numbers_of
from app.abc.tunebook import split_tunes
from app.errors import DeadlineError, RequestError
from app.generation.answer import Answer, JudgedTune
from app.generation.buffered import Buffered
from app.generation.chosen_bars import ChosenBars
from app.generation.infill_candidates import CandidateDraws, Run
from app.generation.infill_text import Pieces
from app.generation.jobs import InfillJob
from app.generation.model_registry import ServedModel
from app.generation.network_text import NetworkText
from app.generation.originality import Judgement
from app.grammar import Grammar
from app.inference.completion import FinishReason
from app.operations import tracing
from app.operations.concurrency_limit import ConcurrencyLimit

FOLLOWING = 400
"""Characters of what follows that are read, up to the next chosen bar."""

_END = "\n\n"
_FIELD_TO_MUSIC21 = re.compile(r"[A-Ga-g]::")


class Infill(Buffered):
    """One job on its way; `readings` are turns at reading a stranger's text."""

    def __init__(
        self,
        model: ServedModel,
        grammar: Grammar,
        job: InfillJob,
        chosen: ChosenBars,
        deadline: float,
        readings: ConcurrencyLimit,
    ) -> None:
        super().__init__(start_string="")
        self._readings = readings
        self._model, self._grammar, self._job, self._chosen = model, grammar, job, chosen
        self._deadline = deadline
        text = _as_read(job.abc)
        known = set(model.checkpoint.vocabulary.characters)
        self._unknown = {ord(character): None for character in set(text + _END) - known}
        self._header = text[: len(text) - len("\n".join(body_lines(text)))]
        self._is_all_read = chosen.is_all_read
        self._draws = CandidateDraws(model, text, self._readable, chosen.refills, job.sampling)
        self._old = Pieces.of(job.abc, chosen.places.values())

    @classmethod
    async def begin(cls, model: ServedModel, job: InfillJob, deadline: float, readings: ConcurrencyLimit) -> Self:
        """Find the bars.

        Raises:
            RequestError: there are no such bars, or this model cannot write any.
        """
        grammar = model.grammar
        if grammar is None:
            raise RequestError("this model's characters cannot write what the grammar asks for")
        chosen = await readings.run(partial(ChosenBars.of, grammar, _as_read(job.abc), job), is_begun=True)
        return cls(model, grammar, job, chosen, deadline, readings).start()

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
        """The tune with its new bars, made run by run; until its turn a run stands as it was."""
        now = self._old
        for number, run in enumerate(self._chosen.runs):
            later = [region.number for other in self._chosen.runs[number + 1 :] for region in other]
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
        if self._chosen.different is None:
            return True
        if any(
            _FIELD_TO_MUSIC21.match(new) and new != old for new, old in zip(text.ends(), self._old.ends(), strict=True)
        ):
            return False
        found = numbers_of(different_bars(_as_read(text.text)))
        return keeps(found, self._chosen.different) and (
            self._job.vary is None or len(found) == len(self._chosen.different)
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


def _as_read(abc: str) -> str:
    """A text with line ends as the rest of the service has them, and as long as it was."""
    return abc.replace("\r\n", " \n")
