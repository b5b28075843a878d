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
from app.sampling import Sampler, SamplingParams

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

    @property
    def next_input(self) -> int:
        """The id that the coming step reads."""
        return self._prompt[self._fed] if self._fed < len(self._prompt) else self.new_ids[-1]

    @property
    def next_draw(self) -> int:
        """The number of the draw that the coming step makes; below 0 while the prompt is being fed."""
        return self._fed + 1 - len(self._prompt)

    def advance(self, drawn: int) -> None:
        """Take the result of one step; `drawn` is nobody's while the prompt is being fed."""
        is_prefilling = self.next_draw < 0
        self._fed += 1
        if is_prefilling:
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
    """Rows that sequences are put into and taken out of, with their state; an empty row is stepped to no end."""

    def __init__(self, decoder: Decoder) -> None:
        self._decoder = decoder
        self._rows: list[Sequence | None]
        self._state: State
        self._ids: NDArray[np.int32]
        self._sampler: Sampler
        self._lay_out(decoder.batch_sizes[0])

    def __len__(self) -> int:
        return sum(sequence is not None for sequence in self._rows)

    def retire(self) -> list[Sequence]:
        """Take out the sequences that have ended."""
        ended = [row for row, sequence in enumerate(self._rows) if sequence and sequence.finish_reason]
        return [self._take_out(row) for row in ended]

    def give_up(self) -> list[Sequence]:
        """Take out all sequences."""
        return [self._take_out(row) for row, sequence in enumerate(self._rows) if sequence]

    def fit(self, arriving: list[Sequence]) -> None:
        """Take in sequences, and be of the smallest size that holds all."""
        running = len(self) + len(arriving)
        size = next(size for size in self._decoder.batch_sizes if size >= max(1, running))
        if size != len(self._rows):
            self._resize(size)
        free = (row for row, sequence in enumerate(self._rows) if sequence is None)
        for sequence, row in zip(arriving, list(free), strict=False):
            self._put_in(row, sequence)
            for array in self._state:
                array[row] = 0.0

    def step(self) -> None:
        """One decoder step and one draw for every row."""
        logits, self._state = self._decoder.step(self._ids, self._state)
        drawn = self._sampler.sample(logits)
        self._ids[:] = drawn
        for row, (sequence, id_) in enumerate(zip(self._rows, drawn.tolist(), strict=True)):
            if sequence is not None:
                sequence.advance(id_)
                self._ids[row] = sequence.next_input

    def _lay_out(self, size: int) -> None:
        self._rows = [None] * size
        self._state = self._decoder.initial_state(size)
        self._ids = np.zeros(size, np.int32)
        self._sampler = Sampler(size, self._decoder.vocab_size)

    def _resize(self, size: int) -> None:
        kept = [(row, sequence) for row, sequence in enumerate(self._rows) if sequence is not None]
        before = self._state
        self._lay_out(size)
        for new, (_, sequence) in enumerate(kept):
            self._put_in(new, sequence)
        for after, array in zip(self._state, before, strict=True):
            after[: len(kept)] = array[[row for row, _ in kept]]

    def _put_in(self, row: int, sequence: Sequence) -> None:
        self._rows[row] = sequence
        self._ids[row] = sequence.next_input
        self._sampler.put(row, sequence.params, sequence.next_draw)

    def _take_out(self, row: int) -> Sequence:
        sequence = self._rows[row]
        assert sequence is not None  # noqa: S101
        self._rows[row] = None
        self._sampler.clear(row)
        return sequence


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
            if not len(self._batch):
                continue
            try:
                self._batch.step()
            except Exception as error:
                logger.exception("the decoder failed; its sequences are given up, the engine goes on")
                failure = DecoderError(f"the decoder failed ({type(error).__name__}); try again")
                for sequence in self._batch.give_up():
                    if sequence.done.set_running_or_notify_cancel():
                        sequence.done.set_exception(failure)

    def _wait_for_work(self) -> bool:
        """Block while there is nothing to do; False once there never will be."""
        with self._wake:
            while not len(self._batch) and not self._waiting:
                if self._closing:
                    return False
                self._wake.wait()
            return True

    def _retire_and_admit(self) -> None:
        ended = self._batch.retire()
        arriving: list[Sequence] = []
        with self._wake:
            while self._waiting and len(self._batch) + len(arriving) < self._max_running:
                sequence = self._waiting.popleft()
                (ended if sequence.finish_reason else arriving).append(sequence)
        if ended or arriving:
            self._batch.fit(arriving)
        for sequence in ended:
            if sequence.done.set_running_or_notify_cancel():
                sequence.done.set_result(sequence)
