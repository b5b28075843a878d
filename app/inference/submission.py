"""A sequence that the engine has taken on, for whoever waits for it."""

from concurrent.futures import Future

from app.inference.completion import Completion
from app.inference.sequence import Sequence


class Submission:
    """Tells when a sequence's first id is there and what it came to.

    `begun` is resolved once there is a new id, `done` once the sequence has ended; cancelling `done` frees the
    sequence's place at the next step. The sequence knows nothing of those who wait, so that nothing holds itself.
    """

    def __init__(self, sequence: Sequence) -> None:
        self._sequence = sequence
        self.begun: Future[None] = Future()
        self.done: Future[Completion] = Future()
        self.done.add_done_callback(lambda done: sequence.cancel() if done.cancelled() else None)

    @property
    def new_ids(self) -> list[int]:
        """Those that are there so far; the list grows while it is read."""
        return self._sequence.new_ids

    def begin(self) -> None:
        """The engine's word that the first id is there."""
        if self.begun.set_running_or_notify_cancel():
            self.begun.set_result(None)

    def end(self, error: Exception | None = None) -> None:
        """The engine's word that the sequence has ended, or what it failed by."""
        if not self.done.set_running_or_notify_cancel():
            return
        if error:
            self.done.set_exception(error)
        else:
            self.done.set_result(self._sequence.completion())
