"""The scheduler behind one lock, which callers and runners share, and the futures of those who wait for sequences."""

from threading import Condition, Lock

from app.errors import BusyError
from app.inference.batch import Batch
from app.inference.scheduler import Scheduler
from app.inference.sequence import Sequence
from app.inference.submission import Submission


class Dispatch:
    """Hands sequences from callers to runners, one a lane, and what they came to back to the callers."""

    def __init__(self, scheduler: Scheduler, lanes: int) -> None:
        self._scheduler = scheduler
        self._lock = Lock()
        self._wakes = tuple(Condition(self._lock) for _ in range(lanes))
        self._submissions: dict[Sequence, Submission] = {}
        self._closing = False
        self.is_settled = scheduler.is_settled  # asked at each step

    @property
    def is_idle(self) -> bool:
        """Whether there is nothing to do, and may be soon."""
        return not (self._scheduler.held or self._closing)

    def submit(self, sequence: Sequence) -> Submission:
        """Queue a sequence.

        Raises:
            BusyError: too many are waiting, or the engine is closing.
        """
        submission = Submission(sequence)
        with self._lock:
            if self._closing:
                raise BusyError("the service is shutting down", retry_after_s=5)
            self._scheduler.add(sequence)
            self._submissions[sequence] = submission
            self._wake_those_on_duty()
        return submission

    def close(self) -> None:
        """Take nothing new; runners end once nothing is left."""
        with self._lock:
            self._closing = True
            self._wake_all()

    def wait_for_work(self, lane: int) -> bool:
        """Block until there is something for a lane that steps nothing; False once there never will be."""
        with self._lock:
            while not (self._scheduler.waiting and lane in self._scheduler.on_duty):
                if self._closing and not self._scheduler.held:
                    return False
                self._wakes[lane].wait()
            return True

    def rest(self, lane: int, at_most_s: float) -> None:
        """Block while there is nothing to do, for so long at the most."""
        with self._lock:
            self._wakes[lane].wait_for(lambda: not self.is_idle, at_most_s)

    def change(self, lane: int, batch: Batch) -> None:
        """Tell of sequences that have begun or ended, and let sequences in and out of a lane's batch."""
        for sequence in batch.take_begun():
            self._submissions[sequence].begin()
        with self._lock:
            before = self._scheduler.on_duty
            changes = self._scheduler.schedule(lane)
            batch.take_out(changes.leaving)  # under the lock: another lane may take one as soon as it is queued
            ended = self._part_with(changes.ended)
            if lane not in self._scheduler.on_duty or before is not self._scheduler.on_duty:
                self._wake_those_on_duty()
        try:
            if changes.leaving or changes.joining:
                batch.take_in(changes.joining)
        finally:
            for submission in ended:
                submission.end()

    def give_up(self, lane: int, batch: Batch, error: Exception) -> None:
        """End all sequences of a lane by an error."""
        with self._lock:
            batch.clear()
            given_up = self._part_with(self._scheduler.give_up(lane))
            self._wake_those_on_duty()
        for submission in given_up:
            submission.end(error)

    def _part_with(self, sequences: tuple[Sequence, ...]) -> list[Submission]:
        """The submissions of sequences that have ended; the lock is held."""
        parted = [self._submissions.pop(sequence) for sequence in sequences]
        if self._closing and not self._scheduler.held:
            self._wake_all()
        return parted

    def _wake_those_on_duty(self) -> None:
        for lane in self._scheduler.on_duty:
            self._wakes[lane].notify()

    def _wake_all(self) -> None:
        for wake in self._wakes:
            wake.notify()
