"""Text in, text out: a start string through the engine and back into tunes."""

import asyncio
import time
from collections.abc import AsyncGenerator, Callable
from concurrent.futures import Future
from dataclasses import dataclass
from typing import Self

from app.abc.tunebook import TuneCounter, split_tunes
from app.api.schemas import GeneratedTune, GenerateRequest, GenerateResponse, ModelId
from app.errors import CharacterError, DeadlineError, Fault, RequestError
from app.generation.model_registry import ServedModel
from app.grammar import Form, Request
from app.inference.sampler import SamplingParams
from app.inference.sequence import FinishReason, Sequence
from app.operations import metrics, tracing
from model_store.errors import UnknownCharacterError
from model_store.vocabulary import Vocabulary

CHUNK_S = 0.05
KEEP_ALIVE_S = 10.0  # proxies drop a connection that is silent for longer, often for 30 to 60 s

_READ_HERE = 500  # characters; a longer start string is read beside the event loop, at some 20 µs a character
_TOLD_HERE = 1500  # characters; what is to be told of a longer text is found out beside it, at some 1 µs a character
_BETWEEN_TUNES = "\n\n"


@dataclass(frozen=True)
class Prepared:
    """A sequence that continues a start string, and what was wrong with the start string."""

    sequence: Sequence
    faults: tuple[Fault, ...] = ()


class Generation:
    """One request on its way through the engine."""

    def __init__(self, model: ServedModel, request: GenerateRequest, prepared: Prepared, deadline: float) -> None:
        self._model, self._request = model, request
        self._sequence, self._faults = prepared.sequence, prepared.faults
        self._deadline = deadline
        self._sequence.done.add_done_callback(lambda done: _count(model.id.name, prepared.sequence, done.cancelled()))
        _trace(model.id, prepared.sequence)
        self._done = asyncio.wrap_future(model.engine.submit(self._sequence))

    @classmethod
    async def begin(cls, model: ServedModel, request: GenerateRequest, seed: int, deadline: float) -> Self:
        """Queue a request, with a seed in place of its own; `deadline` is by the event loop's clock.

        Raises:
            CharacterError: the start string holds a character outside the vocabulary.
            RequestError: what is asked for does not exist, or this model cannot write it.
            BusyError: too much is waiting already.
        """
        is_long = len(request.start_string) > _READ_HERE
        prepared = await asyncio.to_thread(prepare, model, request, seed) if is_long else prepare(model, request, seed)
        return cls(model, request, prepared, deadline)

    def when_ended(self, call: Callable[[int], None]) -> None:
        """Call with how many characters were made, once no more will be."""
        self._done.add_done_callback(lambda _: call(len(self._sequence.new_ids)))

    async def answer(self) -> GenerateResponse:
        """The whole answer; leaving early gives the sequence's place in the engine to another.

        Raises:
            DeadlineError: it took too long.
            DecoderError: the decoder failed.
        """
        try:
            async with asyncio.timeout_at(self._deadline):
                await self._done
        except TimeoutError:
            raise DeadlineError(f"{self._request.length} characters were not made in time") from None
        finally:
            self._done.cancel()
        return await self.response()

    async def chunks(self) -> AsyncGenerator[str, None]:
        """The new text, piece by piece as it is made; "" now and then while there is none. Raises as `answer` does.

        The first piece comes with the first character, the others gather what was made in `CHUNK_S`.
        """
        loop = asyncio.get_running_loop()
        begun = asyncio.wrap_future(self._sequence.begun)
        sent = 0
        try:
            while not self._done.done():
                wait_for, patience_s = (self._done, CHUNK_S) if begun.done() else (begun, KEEP_ALIVE_S)
                await asyncio.wait({self._done, wait_for}, timeout=patience_s, return_when=asyncio.FIRST_COMPLETED)
                made = self._sequence.new_ids[sent:]
                sent += len(made)
                yield self._model.checkpoint.vocabulary.decode(made)
                if loop.time() > self._deadline:
                    raise DeadlineError(f"{self._request.length} characters were not made in time")
            self._done.result()
            if rest := self._sequence.new_ids[sent:]:
                yield self._model.checkpoint.vocabulary.decode(rest)
        finally:
            self._done.cancel()
            begun.cancel()

    async def response(self) -> GenerateResponse:
        """The whole answer, once `answer` has returned or `chunks` has ended."""
        is_long = len(self._request.start_string) + len(self._sequence.new_ids) > _TOLD_HERE
        return await asyncio.to_thread(self._describe) if is_long else self._describe()

    def _describe(self) -> GenerateResponse:
        reason = self._sequence.finish_reason
        assert reason is not None  # noqa: S101  # the engine resolves a sequence once it has finished
        new_ids = self._sequence.new_ids
        abc = self._request.start_string + self._model.checkpoint.vocabulary.decode(new_ids)
        found = split_tunes(abc, self._faults)
        tunes = [GeneratedTune.of(tune, self._model.originality(tune.abc)) for tune in found]
        metrics.TUNES.labels(self._model.id.name).inc(sum(tune.complete for tune in tunes))
        return GenerateResponse(
            abc=abc,
            tunes=tunes,
            seed=self._sequence.params.seed,
            model=self._model.id,
            finish_reason=reason,
            generated=len(new_ids),
        )


def _count(model: str, sequence: Sequence, is_cancelled: bool) -> None:
    metrics.CHARACTERS.labels(model).inc(len(sequence.new_ids))
    metrics.GENERATIONS.labels(model, _outcome(sequence, is_cancelled)).inc()


def _outcome(sequence: Sequence, is_cancelled: bool) -> str:
    return FinishReason.CANCELLED if is_cancelled else sequence.finish_reason or "failed"


def _trace(model: ModelId, sequence: Sequence) -> None:
    """A span from here to the sequence's end."""
    span = tracing.begin("generate", {"lilt.model.name": model.name, "lilt.model.version": model.version})
    if not span.is_recording():
        return
    queued = time.monotonic()
    first: list[float] = []  # seconds; of a sequence that is cancelled meanwhile, not its first character's

    def end(done: "Future[Sequence]") -> None:
        made = len(sequence.new_ids)
        span.set_attributes({"lilt.characters": made, "lilt.outcome": _outcome(sequence, done.cancelled())})
        if first and made:
            span.set_attribute("lilt.first_character_s", round(first[0], 4))
        span.end()

    sequence.begun.add_done_callback(lambda _: first.append(time.monotonic() - queued))
    sequence.done.add_done_callback(end)


def prepare(model: ServedModel, request: GenerateRequest, seed: int) -> Prepared:
    """A request as a sequence; an empty start string stands for the gap before a tune.

    Raises:
        CharacterError: the start string holds a character outside the vocabulary.
        RequestError: what is asked for does not exist, or this model cannot write it.
    """
    vocabulary, start_string = model.checkpoint.vocabulary, request.start_string
    try:
        prompt = vocabulary.encode(start_string or _BETWEEN_TUNES)
    except UnknownCharacterError as error:
        raise CharacterError(
            str(error) + f"; it has {vocabulary.characters!a}",
            faults=(Fault(f"unknown character {error.character!a}", field="start_string", position=error.position),),
        ) from None
    params = SamplingParams(request.temperature, request.top_k, request.top_p, seed)
    wishes = Request(
        key=request.key,
        meter=request.meter,
        rhythm=request.rhythm,
        form=Form.parse(request.form) if request.form is not None else None,
        low=request.low,
        high=request.high,
    )
    if request.constrained and model.grammar:
        cursor = model.grammar.begin(start_string, wishes, request.length, request.tunes)
        return Prepared(Sequence(prompt, request.length, params, constraint=cursor), cursor.faults)
    if wishes != Request():
        raise RequestError(
            "this model's characters cannot write what the grammar asks for, so nothing can be asked of it"
        )
    return Prepared(Sequence(prompt, request.length, params, _until(request.tunes, start_string, vocabulary)))


def _until(tunes: int | None, start_string: str, vocabulary: Vocabulary) -> Callable[[int], bool]:
    """A stop rule: so many whole tunes after the start string."""
    if tunes is None:
        return lambda _: False
    counter = TuneCounter()
    for character in start_string:
        counter.feed(character)
    goal = counter.finished + tunes
    return lambda id_: counter.feed(vocabulary.characters[id_]) and counter.finished >= goal
