"""Text in, text out: a start string through the engine and back into tunes."""

import asyncio
import secrets
from collections.abc import AsyncGenerator

from app.errors import CharacterError, DeadlineError, Fault
from app.models import ServedModel
from app.notation import TuneCounter, split_tunes
from app.sampling import SamplingParams
from app.schemas import MAX_SEED, GeneratedTune, GenerateRequest, GenerateResponse
from app.sequence import Sequence
from model_store.errors import UnknownCharacterError
from model_store.vocabulary import Vocabulary

CHUNK_S = 0.05
KEEP_ALIVE_S = 10.0  # proxies drop a connection that is silent for longer, often for 30 to 60 s

_BETWEEN_TUNES = "\n\n"


class Generation:
    """One request on its way through the engine; it is queued as soon as it is made.

    Raises:
        CharacterError: the start string holds a character outside the vocabulary.
        BusyError: too much is waiting already.
    """

    def __init__(self, model: ServedModel, request: GenerateRequest, timeout_s: float) -> None:
        self._model = model
        self._request = request
        self._deadline = asyncio.get_running_loop().time() + timeout_s
        self._seed = secrets.randbelow(MAX_SEED + 1) if request.seed is None else request.seed
        params = SamplingParams(request.temperature, request.top_k, request.top_p, self._seed)
        self._sequence = make_sequence(
            model.checkpoint.vocabulary, request.start_string, request.length, params, request.tunes
        )
        self._done = asyncio.wrap_future(model.engine.submit(self._sequence))

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
        return self.response()

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

    def response(self) -> GenerateResponse:
        """The whole answer, once `answer` has returned or `chunks` has ended."""
        reason = self._sequence.finish_reason
        assert reason is not None  # noqa: S101  # the engine resolves a sequence once it has finished
        new_ids = self._sequence.new_ids
        abc = self._request.start_string + self._model.checkpoint.vocabulary.decode(new_ids)
        return GenerateResponse(
            abc=abc,
            tunes=[GeneratedTune.of(tune) for tune in split_tunes(abc)],
            seed=self._seed,
            model=self._model.id,
            finish_reason=reason,
            generated=len(new_ids),
        )


def make_sequence(
    vocabulary: Vocabulary, start_string: str, length: int, params: SamplingParams, tunes: int | None
) -> Sequence:
    """A sequence that continues a start string by `length` characters, or until it has made `tunes` whole tunes.

    An empty start string stands for the gap before a tune.

    Raises:
        CharacterError: the start string holds a character outside the vocabulary.
    """
    try:
        prompt = vocabulary.encode(start_string or _BETWEEN_TUNES)
    except UnknownCharacterError as error:
        raise CharacterError(
            str(error) + f"; it has {''.join(vocabulary.characters)!a}",
            faults=(Fault(f"unknown character {error.character!a}", field="start_string", position=error.position),),
        ) from None
    if tunes is None:
        return Sequence(prompt, length, params)
    counter = TuneCounter()
    for character in start_string:
        counter.feed(character)
    goal = counter.finished + tunes

    def has_enough(id_: int) -> bool:
        return counter.feed(vocabulary.characters[id_]) and counter.finished >= goal

    return Sequence(prompt, length, params, stop=has_enough)
