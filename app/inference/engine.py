"""Continuous batching: sequences join and leave between the steps of a decoder, or of several, each with a thread.

The engine knows only ids; text lives outside it. While there are few sequences, one decoder steps them together, as
fast as it can. Of many, each lane takes its share: a decoder and a thread of its own, so that one lane's Python runs
while another's product is computed, and none waits for another.
"""

from collections.abc import Iterable

from app.inference.decoder import Decoder
from app.inference.dispatch import Dispatch
from app.inference.runner import Runner
from app.inference.scheduler import Scheduler
from app.inference.sequence import Sequence
from app.inference.submission import Submission


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
        decoders = (decoder, *lanes)
        self._scheduler = Scheduler(tuple(each.batch_sizes[-1] for each in decoders), max_waiting)
        self._dispatch = Dispatch(self._scheduler, len(decoders))
        self._runners = [
            Runner(lane, each, self._dispatch, () if lane else spare_work) for lane, each in enumerate(decoders)
        ]
        for runner in self._runners:
            runner.start()

    def submit(self, sequence: Sequence) -> Submission:
        """Queue a sequence.

        Raises:
            BusyError: too many are waiting, or the engine is closing.
        """
        return self._dispatch.submit(sequence)

    @property
    def max_running(self) -> int:
        """Sequences that can be stepped at a time."""
        return self._scheduler.max_running

    @property
    def waiting(self) -> int:
        """Sequences that wait for their first step or their next turn."""
        return len(self._scheduler.waiting)

    @property
    def running(self) -> int:
        """Sequences that are being stepped."""
        return self._scheduler.running

    def close(self) -> None:
        """Finish what is running and waiting, take nothing new, and end the threads."""
        self._dispatch.close()
        for runner in self._runners:
            runner.join()
