"""Continuous batching: one thread steps a decoder for all the sequences that are running.

Sequences join and leave between steps. The engine knows only ids; text lives outside it.
"""

import logging
import threading
from collections import deque
from collections.abc import Iterable
from concurrent.futures import Future

from app.batch import Batch
from app.decoder import Decoder
from app.errors import BusyError, DecoderError
from app.sequence import Sequence

logger = logging.getLogger(__name__)

TURN_STEPS = 512  # after so many, a sequence gives its place to one that waits, and queues again

_BREATH_S = 0.001  # between two pieces of spare work


class Engine:
    """Owns a decoder and the thread that steps it.

    Args:
        decoder: stepped by this engine alone.
        max_waiting: sequences that may wait for their first step before new ones are turned away.
        spare_work: what is worth doing while there are no sequences, in pieces of a millisecond or so.
    """

    def __init__(self, decoder: Decoder, max_waiting: int = 256, spare_work: Iterable[object] = ()) -> None:
        self.max_running = decoder.batch_sizes[-1]
        self._max_waiting = max_waiting
        self._batch = Batch(decoder)
        self._queue: deque[Sequence] = deque()  # those that wait for their first step or their next turn
        self._wake = threading.Condition()
        self._closing = False
        self._spare_work = iter(spare_work)
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
            waiting = sum(not queued.fed for queued in self._queue)
            if waiting >= self._max_waiting:
                raise BusyError(f"{waiting} requests are waiting already", retry_after_s=1)
            self._queue.append(sequence)
            self._wake.notify()
        sequence.done.add_done_callback(lambda future: sequence.cancel() if future.cancelled() else None)
        return sequence.done

    @property
    def waiting(self) -> int:
        """Sequences that wait for their first step or their next turn."""
        return len(self._queue)

    @property
    def running(self) -> int:
        """Sequences that are stepped together."""
        return len(self._batch)

    def close(self) -> None:
        """Finish what is running and waiting, take nothing new, and end the thread."""
        with self._wake:
            self._closing = True
            self._wake.notify()
        self._thread.join()

    def _run(self) -> None:
        while self._wait_for_work():
            try:
                self._change_places()
                if len(self._batch):
                    self._batch.step()
            except Exception as error:
                logger.exception("the decoder failed; its sequences are given up, the engine goes on")
                self._give_up(DecoderError(f"the decoder failed ({type(error).__name__}); try again"))

    def _wait_for_work(self) -> bool:
        """Do spare work, then block, while there is nothing to do; False once there never will be."""
        if len(self._batch):
            return True
        while not (self._queue or self._closing) and self._has_spared_time():
            with self._wake:  # all other threads stand still during a piece
                self._wake.wait_for(lambda: self._queue or self._closing, _BREATH_S)
        with self._wake:
            while not self._queue:
                if self._closing:
                    return False
                self._wake.wait()
            return True

    def _has_spared_time(self) -> bool:
        """One piece of the spare work; False if nothing is left of it."""
        try:
            return next(self._spare_work, self) is not self
        except Exception:
            logger.exception("the spare work failed; it is left")
            self._spare_work = iter(())
            return False

    def _change_places(self) -> None:
        """Let go of the sequences that have ended, and let in those that wait."""
        ended = self._batch.retire()
        arriving: list[Sequence] = []
        if self._queue:
            with self._wake:
                crowd = len(self._batch) + len(self._queue) - self.max_running
                paused = self._batch.pause(at_most=crowd, turn_steps=TURN_STEPS) if crowd > 0 else []
                while self._queue and len(self._batch) + len(arriving) < self.max_running:
                    sequence = self._queue.popleft()
                    (ended if sequence.finish_reason else arriving).append(sequence)
                self._queue.extend(paused)
        if ended or arriving:
            self._batch.fit(arriving)
        for sequence in ended:
            if sequence.done.set_running_or_notify_cancel():
                sequence.done.set_result(sequence)

    def _give_up(self, error: Exception) -> None:
        for sequence in self._batch.clear():
            if sequence.done.set_running_or_notify_cancel():
                sequence.done.set_exception(error)
