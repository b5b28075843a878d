"""New tunes: continues a start string through the engine, and gives its text as it is made."""

import asyncio
import time
from collections.abc import AsyncGenerator, Callable
from concurrent.futures import Future
from functools import partial
from typing import Self

from app.abc.tunebook import split_tunes
from app.errors import DeadlineError
from app.generation.answer import Answer, JudgedTune
from app.generation.generation import CANCELLED, FAILED, KEEP_ALIVE_S, End, Generation
from app.generation.job_to_sequence import Prepared, prepare
from app.generation.jobs import GenerationJob
from app.generation.model_registry import ModelId, ServedModel
from app.inference.completion import Completion
from app.inference.submission import Submission
from app.operations import tracing
from app.operations.concurrency_limit import ConcurrencyLimit

CHUNK_S = 0.05

_READ_HERE = 20  # characters; a longer start string is read beside the event loop, at up to 80 µs a character
_TOLD_HERE = 1500  # characters; what is to be told of a longer text is found out beside it, at some 1 µs a character


class Continuation(Generation):
    """One sequence on its way through the engine.

    Args:
        deadline: by the event loop's clock.
    """

    def __init__(self, model: ServedModel, job: GenerationJob, prepared: Prepared, deadline: float) -> None:
        self._model, self._job, self._faults, self._deadline = model, job, prepared.faults, deadline
        self._start = prepared.start
        self._submission = model.engine.submit(prepared.sequence)
        _trace(model.id, self._submission)
        self._done = asyncio.wrap_future(self._submission.done)

    @classmethod
    async def begin(
        cls,
        model: ServedModel,
        job: GenerationJob,
        deadline: float,
        readings: ConcurrencyLimit,
        *,
        is_begun: bool = False,
    ) -> Self:
        """Queue a job.

        Args:
            readings: turns at reading a stranger's text.
            is_begun: the same text had a turn before.

        Raises:
            CharacterError: the start string holds a character outside the vocabulary.
            RequestError: this model cannot write what is asked for.
            BusyError: too much is waiting already.
        """
        is_long = len(job.prompt) > _READ_HERE
        read = partial(prepare, model, job)
        prepared = await readings.run(read, is_begun=is_begun) if is_long else read()
        return cls(model, job, prepared, deadline)

    @property
    def drawn(self) -> int:
        """Characters so far."""
        return len(self._submission.new_ids)

    def cancel(self) -> None:
        """Give its place in the engine to another; nothing where it has ended."""
        self._done.cancel()

    def when_ended(self, call: Callable[[End], None]) -> None:
        self._done.add_done_callback(lambda done: call(End(_outcome(done), self.drawn)))

    @property
    def text(self) -> str:
        """So far, the start string included."""
        return (
            self._start.text + self._start.bridge + self._model.checkpoint.vocabulary.decode(self._submission.new_ids)
        )

    async def finished(self) -> None:
        """Wait for the last character; raises as `answer` does."""
        try:
            async with asyncio.timeout_at(self._deadline):
                await self._done
        except TimeoutError:
            raise self._too_late() from None
        finally:
            self._done.cancel()

    async def answer(self) -> Answer:
        await self.finished()
        is_long = len(self._job.prompt) + self.drawn > _TOLD_HERE
        return await asyncio.to_thread(self.describe) if is_long else self.describe()

    async def chunks(self) -> AsyncGenerator[str, None]:
        """The first piece comes with the first character, the others gather what was made in `CHUNK_S`.

        Before the first comes what is given: the title, the end of a line that the start string left open.
        """
        loop = asyncio.get_running_loop()
        begun = asyncio.wrap_future(self._submission.begun)
        sent = 0
        try:
            if given := self._job.given + self._start.bridge:
                yield given
            while not self._done.done():
                wait_for, patience_s = (self._done, CHUNK_S) if begun.done() else (begun, KEEP_ALIVE_S)
                await asyncio.wait({self._done, wait_for}, timeout=patience_s, return_when=asyncio.FIRST_COMPLETED)
                made = self._submission.new_ids[sent:]
                sent += len(made)
                yield self._model.checkpoint.vocabulary.decode(made)
                if loop.time() > self._deadline:
                    raise self._too_late()
            if rest := self._done.result().new_ids[sent:]:
                yield self._model.checkpoint.vocabulary.decode(rest)
        finally:
            self._done.cancel()
            begun.cancel()

    def _too_late(self) -> DeadlineError:
        return DeadlineError(f"{self._job.length} characters were not made in time")

    def describe(self) -> Answer:
        """The answer, once it has finished."""
        abc, completion = self.text, self._done.result()
        return Answer(
            abc=abc,
            tunes=tuple(JudgedTune(tune, self._model.originality(tune.abc)) for tune in split_tunes(abc, self._faults)),
            seed=self._job.sampling.seed,
            model=self._model.id,
            finish_reason=completion.finish_reason,
            characters=len(self._job.given) + len(completion.new_ids),
        )


def _outcome(done: "Future[Completion] | asyncio.Future[Completion]") -> str:
    if done.cancelled():
        return CANCELLED
    return FAILED if done.exception() else done.result().finish_reason


def _trace(model: ModelId, submission: Submission) -> None:
    """A span from here to the sequence's end."""
    span = tracing.begin("generate", {"lilt.model.name": model.name, "lilt.model.version": model.version})
    if not span.is_recording():
        return
    queued = time.monotonic()
    first: list[float] = []  # seconds; of a sequence that is cancelled meanwhile, not its first character's

    def end(done: "Future[Completion]") -> None:
        made = len(submission.new_ids)
        span.set_attributes({"lilt.characters": made, "lilt.outcome": _outcome(done)})
        if first and made:
            span.set_attribute("lilt.first_character_s", round(first[0], 4))
        span.end()

    submission.begun.add_done_callback(lambda _: first.append(time.monotonic() - queued))
    submission.done.add_done_callback(end)
