"""Continuous batching: one thread steps a decoder for all the sequences that are running.

Sequences join and leave between steps. The engine knows only ids; text lives outside it.
"""

import logging
import threading
from collections import deque
from collections.abc import Callable
from concurrent.futures import Future
from enum import StrEnum

import numpy as np
from numpy.typing import NDArray

from app.decoder import Decoder, State
from app.errors import BusyError, DecoderError
from app.sampling import Sampler, SamplingParams, UniformStream

logger = logging.getLogger(__name__)


class FinishReason(StrEnum):
    TUNES = "tunes"  # the stop rule said so
    LENGTH = "length"  # as many ids as were asked for
    CANCELLED = "cancelled"  # nobody waits for it any more


class Sequence:
    """One request's ids: those it was given, those it has made, and when it ends.

    Args:
        prompt: ids [N] int32, N ≥ 1, fed before anything is drawn.
        max_new: ids to make at the most, ≥ 1.
        params: how they are drawn.
        stop: told each new id, in order; True ends the sequence.

    `new_ids` only grows, so another thread may read it at any time; `begun` is resolved once it holds one, `done` once
    the sequence has ended.
    """

    def __init__(
        self,
        prompt: NDArray[np.int32],
        max_new: int,
        params: SamplingParams,
        stop: Callable[[int], bool] = lambda _: False,
    ) -> None:
        if not len(prompt):
            raise ValueError("a sequence needs at least one id to begin from")
        self.params = params
        self.new_ids: list[int] = []
        self.finish_reason: FinishReason | None = None
        self.begun: Future[None] = Future()
        self.done: Future[Sequence] = Future()
        self._prompt = prompt.tolist()
        self._fed = 0
        self._max_new = max_new
        self._stop = stop
        self._uniforms = UniformStream(params.seed)

    @property
    def is_prefilling(self) -> bool:
        """Whether the logits of the coming step are those of a prompt character that another one follows."""
        return self._fed < len(self._prompt) - 1

    def next_input(self) -> int:
        """The id that the coming step reads."""
        return self._prompt[self._fed] if self._fed < len(self._prompt) else self.new_ids[-1]

    def next_uniform(self) -> float:
        """The random number of the coming draw; none is spent on the prompt."""
        return 0.0 if self.is_prefilling else self._uniforms.next()

    def advance(self, drawn: int) -> None:
        """Take the result of one step; `drawn` is ignored while the prompt is being fed."""
        prefilling = self.is_prefilling
        self._fed += 1
        if prefilling:
            return
        self.new_ids.append(drawn)
        if len(self.new_ids) == 1 and self.begun.set_running_or_notify_cancel():
            self.begun.set_result(None)
        if self._stop(drawn):
            self.finish_reason = FinishReason.TUNES
        elif len(self.new_ids) >= self._max_new:
            self.finish_reason = FinishReason.LENGTH

    def cancel(self) -> None:
        """Free its place at the next step."""
        self.finish_reason = self.finish_reason or FinishReason.CANCELLED


class _Batch:
    """The running sequences, one a row, with their state; rows past the last sequence are padding."""

    def __init__(self, decoder: Decoder) -> None:
        self._decoder = decoder
        self._lay_out([], decoder.initial_state(1))

    def replace(self, sequences: list[Sequence]) -> None:
        """Go on with these sequences; those already running keep their state."""
        row_of = {id(sequence): row for row, sequence in enumerate(self.sequences)}
        kept = [(new, row_of[id(s)]) for new, s in enumerate(sequences) if id(s) in row_of]
        size = next(size for size in self._decoder.batch_sizes if size >= max(1, len(sequences)))
        state = self._decoder.initial_state(size)
        if kept:
            to, source = map(list, zip(*kept, strict=True))
            for new, old in zip(state, self._state, strict=True):
                new[to] = old[source]
        self._lay_out(sequences, state)

    def _lay_out(self, sequences: list[Sequence], state: State) -> None:
        rows = len(state[0])
        padding = [SamplingParams(temperature=0.0)] * (rows - len(sequences))
        self.sequences = sequences
        self._state = state
        self._ids = np.zeros(rows, np.int32)
        self._uniforms = np.zeros(rows)
        self._sampler = Sampler([s.params for s in sequences] + padding, self._decoder.vocab_size)

    def step(self) -> None:
        """One decoder step, one draw, for every row."""
        for row, sequence in enumerate(self.sequences):
            self._ids[row] = sequence.next_input()
            self._uniforms[row] = sequence.next_uniform()
        logits, self._state = self._decoder.step(self._ids, self._state)
        drawn = self._sampler.sample(logits, self._uniforms).tolist()
        for sequence, id_ in zip(self.sequences, drawn, strict=False):
            sequence.advance(id_)


class Engine:
    """Owns a decoder and the thread that steps it.

    Args:
        decoder: stepped by this engine alone.
        max_waiting: sequences that may wait for a place in the batch before new ones are turned away.
    """

    def __init__(self, decoder: Decoder, max_waiting: int = 256) -> None:
        self._max_running = decoder.batch_sizes[-1]
        self._max_waiting = max_waiting
        self._decoder = decoder
        self._batch = _Batch(decoder)
        self._waiting: deque[Sequence] = deque()
        self._wake = threading.Condition()
        self._closing = False
        self._thread = threading.Thread(target=self._run, name="engine", daemon=True)
        self._thread.start()

    def submit(self, sequence: Sequence) -> "Future[Sequence]":
        """Queue a sequence.

        Returns:
            A future of the same sequence, finished. Cancelling it frees the sequence's place at the next step.

        Raises:
            BusyError: too many are waiting, or the engine is closing.
        """
        with self._wake:
            if self._closing:
                raise BusyError("the service is shutting down", retry_after_s=5)
            if len(self._waiting) >= self._max_waiting:
                raise BusyError(f"{len(self._waiting)} requests are waiting already", retry_after_s=1)
            self._waiting.append(sequence)
            self._wake.notify()
        sequence.done.add_done_callback(lambda future: sequence.cancel() if future.cancelled() else None)
        return sequence.done

    def close(self) -> None:
        """Finish what is running and waiting, take nothing new, and end the thread."""
        with self._wake:
            self._closing = True
            self._wake.notify()
        self._thread.join()

    def _run(self) -> None:
        while self._wait_for_work():
            self._retire_and_admit()
            if not self._batch.sequences:
                continue
            try:
                self._batch.step()
            except Exception as error:
                logger.exception("the decoder failed; its sequences are given up, the engine goes on")
                self._give_up(DecoderError(f"the decoder failed ({type(error).__name__}); try again"))

    def _wait_for_work(self) -> bool:
        """Block while there is nothing to do; False once there never will be."""
        with self._wake:
            while not self._batch.sequences and not self._waiting:
                if self._closing:
                    return False
                self._wake.wait()
            return True

    def _retire_and_admit(self) -> None:
        running = [s for s in self._batch.sequences if s.finish_reason is None]
        finished = [s for s in self._batch.sequences if s.finish_reason is not None]
        with self._wake:
            while self._waiting and len(running) < self._max_running:
                sequence = self._waiting.popleft()
                (running if sequence.finish_reason is None else finished).append(sequence)
        if running != self._batch.sequences:
            self._batch.replace(running)
        for sequence in finished:
            if sequence.done.set_running_or_notify_cancel():
                sequence.done.set_result(sequence)

    def _give_up(self, error: Exception) -> None:
        given_up = self._batch.sequences
        self._batch = _Batch(self._decoder)
        for sequence in given_up:
            if sequence.done.set_running_or_notify_cancel():
                sequence.done.set_exception(error)
