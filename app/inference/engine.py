"""Continuous batching: a thread steps a decoder for all the sequences that are running, or several threads one each.

Sequences join and leave between steps. The engine knows only ids; text lives outside it.

While there are few sequences, one decoder steps them together, as fast as it can. Of many, each lane takes its share: a
decoder and a thread of its own, so that one lane's Python runs while another's product is computed, and none waits for
another.
"""

import logging
import threading
from collections import deque
from collections.abc import Iterable
from concurrent.futures import Future

from app.errors import BusyError, DecoderError
from app.inference.batch import Batch
from app.inference.decoder import Decoder
from app.inference.sequence import Sequence

logger = logging.getLogger(__name__)

TURN_STEPS = 512  # after so many, a sequence gives its place to one that waits, and queues again

_BREATH_S = 0.001  # between two pieces of spare work


class _Worker:
    """A batch, the thread that steps it, and what wakes the thread."""

    def __init__(self, decoder: Decoder, lock: threading.Lock) -> None:
        self.decoder = decoder
        self.batch = Batch(decoder)
        self.room = decoder.batch_sizes[-1]
        self.wake = threading.Condition(lock)
        self.is_on_duty = False
        self.thread: threading.Thread


class Engine:
    """Owns decoders and the threads that step them.

    Args:
        decoder: stepped by this engine alone; without lanes, for all sequences.
        max_waiting: sequences that may wait for their first step before new ones are turned away.
        spare_work: what is worth doing while there are no sequences, in pieces of a millisecond or so.
        lanes: decoders of the same model, among which the sequences are dealt out once they are too many for the first.
    """

    def __init__(
        self,
        decoder: Decoder,
        max_waiting: int = 256,
        spare_work: Iterable[object] = (),
        lanes: tuple[Decoder, ...] = (),
    ) -> None:
        self._max_waiting = max_waiting
        self._lock = threading.Lock()
        self._first = _Worker(decoder, self._lock)
        self._lanes = tuple(_Worker(lane, self._lock) for lane in lanes)
        self._alone = (self._first,)
        self._on_duty: tuple[_Worker, ...] = self._alone
        self._first.is_on_duty = True
        self.max_running = sum(worker.room for worker in self._lanes or self._alone)
        self._queue: deque[Sequence] = deque()  # those that wait for a first step, a next turn or another worker
        self._held = 0  # sequences that have not ended
        self._closing = False
        self._spare_work = iter(spare_work)
        for worker in (self._first, *self._lanes):
            worker.thread = threading.Thread(target=self._run, args=(worker,), name="engine", daemon=True)
            worker.thread.start()

    def submit(self, sequence: Sequence) -> "Future[Sequence]":
        """Queue a sequence.

        Returns:
            A future of the same sequence, finished. Cancelling it frees the sequence's place at the next step.

        Raises:
            BusyError: too many are waiting, or the engine is closing.
        """
        done = sequence.done
        with self._lock:
            if self._closing:
                raise BusyError("the service is shutting down", retry_after_s=5)
            waiting = sum(not queued.fed for queued in self._queue)
            if waiting >= self._max_waiting:
                raise BusyError(f"{waiting} requests are waiting already", retry_after_s=1)
            self._queue.append(sequence)
            self._held += 1
            self._choose_workers()
            self._wake(self._on_duty)
        done.add_done_callback(lambda future: sequence.cancel() if future.cancelled() else None)
        return done

    @property
    def waiting(self) -> int:
        """Sequences that wait for their first step or their next turn."""
        return len(self._queue)

    @property
    def running(self) -> int:
        """Sequences that are being stepped."""
        return self._held - len(self._queue)

    def close(self) -> None:
        """Finish what is running and waiting, take nothing new, and end the threads."""
        workers = (self._first, *self._lanes)
        with self._lock:
            self._closing = True
            self._wake(workers)
        for worker in workers:
            worker.thread.join()

    def _run(self, worker: _Worker) -> None:
        worker.decoder.adopt()
        while self._wait_for_work(worker):
            try:
                self._change_places(worker)
                self._step(worker)
            except Exception as error:
                logger.exception("the decoder failed; its sequences are given up, the engine goes on")
                self._give_up(worker, DecoderError(f"the decoder failed ({type(error).__name__}); try again"))

    def _step(self, worker: _Worker) -> None:
        """Until somebody may come or go; a step is so short that what is done between two counts."""
        step = worker.batch.step
        while len(worker.batch) and not (step() or self._queue or not worker.is_on_duty):
            pass

    def _wait_for_work(self, worker: _Worker) -> bool:
        """Do spare work, then block, while there is nothing to do; False once there never will be."""
        if len(worker.batch):
            return True
        if worker is self._first:
            while not (self._held or self._closing) and self._has_spared_time():
                with self._lock:  # all other threads stand still during a piece
                    worker.wake.wait_for(lambda: self._held or self._closing, _BREATH_S)
        with self._lock:
            while not (self._queue and worker.is_on_duty):
                if self._closing and not self._held:
                    return False
                worker.wake.wait()
            return True

    def _has_spared_time(self) -> bool:
        """One piece of the spare work; False if nothing is left of it."""
        try:
            return next(self._spare_work, self) is not self
        except Exception:
            logger.exception("the spare work failed; it is left")
            self._spare_work = iter(())
            return False

    def _change_places(self, worker: _Worker) -> None:
        """Let go of the sequences that have ended, and let in this worker's share of those that wait."""
        batch = worker.batch
        ended = batch.retire()
        arriving: list[Sequence] = []
        if ended or self._queue or not worker.is_on_duty:
            with self._lock:
                self._leave(len(ended))
                if worker.is_on_duty:
                    crowd = self._held - self.max_running
                    if crowd > 0:
                        self._queue.extend(batch.pause(at_most=crowd, turn_steps=TURN_STEPS))
                    share = min(worker.room, -(-self._held // len(self._on_duty)))
                    while self._queue and len(batch) + len(arriving) < share:
                        sequence = self._queue.popleft()
                        if sequence.finish_reason:  # nobody waits for it any more
                            ended.append(sequence)
                            self._leave(1)
                        else:
                            arriving.append(sequence)
                else:
                    self._queue.extendleft(reversed(batch.clear()))  # before those that have not begun
                    self._wake(self._on_duty)
        if ended or arriving:
            batch.fit(arriving)
        for sequence in ended:
            sequence.end()

    def _leave(self, sequences: int) -> None:
        """So many have ended; the lock is held."""
        self._held -= sequences
        self._choose_workers()
        if self._closing and not self._held:
            self._wake((self._first, *self._lanes))

    def _choose_workers(self) -> None:
        """The first for few sequences, the lanes for many; between, it stays as it is. The lock is held."""
        few = self._first.room if self._on_duty is self._alone else self._first.room * 3 // 4
        chosen = self._lanes if self._lanes and self._held > few else self._alone
        if chosen is not self._on_duty:
            for worker in (*self._on_duty, *chosen):
                worker.is_on_duty = worker in chosen
            self._on_duty = chosen
            self._wake(chosen)

    @staticmethod
    def _wake(workers: tuple[_Worker, ...]) -> None:
        for worker in workers:
            worker.wake.notify()

    def _give_up(self, worker: _Worker, error: Exception) -> None:
        sequences = worker.batch.clear()
        with self._lock:
            self._leave(len(sequences))
        for sequence in sequences:
            sequence.end(error)
