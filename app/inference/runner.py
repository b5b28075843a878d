"""A thread that steps one lane's batch, and does spare work while there is nothing to step."""

import logging
import threading
from collections.abc import Iterable

from app.errors import DecoderError
from app.inference.batch import Batch
from app.inference.decoder import Decoder
from app.inference.dispatch import Dispatch

logger = logging.getLogger(__name__)

_BREATH_S = 0.001  # between two pieces of spare work: all other threads stand still during one


class Runner:
    """Owns a decoder, its batch and the thread that steps it.

    Args:
        spare_work: what is worth doing while there are no sequences, in pieces of a millisecond or so.
    """

    def __init__(self, lane: int, decoder: Decoder, dispatch: Dispatch, spare_work: Iterable[object] = ()) -> None:
        self._lane, self._decoder, self._dispatch = lane, decoder, dispatch
        self._batch = Batch(decoder)
        self._spare_work = iter(spare_work)
        self._thread = threading.Thread(target=self._run, name="engine", daemon=True)

    def start(self) -> None:
        """Start the thread."""
        self._thread.start()

    def join(self) -> None:
        """Wait for the thread's end, which comes once the dispatch is closed and nothing is left."""
        self._thread.join()

    def _run(self) -> None:
        self._decoder.adopt()
        while self._has_work():
            try:
                self._dispatch.change(self._lane, self._batch)
                self._step()
            except Exception as error:
                logger.exception("the decoder failed; its sequences are given up, the engine goes on")
                failed = DecoderError(f"the decoder failed ({type(error).__name__}); try again")
                self._dispatch.give_up(self._lane, self._batch, failed)

    def _has_work(self) -> bool:
        """Do spare work, then block, while there is nothing to do; False once there never will be."""
        if len(self._batch):
            return True
        while self._dispatch.is_idle and self._has_spared_time():
            self._dispatch.rest(self._lane, _BREATH_S)
        return self._dispatch.wait_for_work(self._lane)

    def _step(self) -> None:
        """Step until a sequence may join or leave. A step is so short that any work between two of them shows."""
        if not len(self._batch):
            return
        step, is_settled, lane = self._batch.step, self._dispatch.is_settled, self._lane
        while not step() and is_settled(lane):
            pass

    def _has_spared_time(self) -> bool:
        """One piece of the spare work; False if nothing is left of it."""
        try:
            return next(self._spare_work, self) is not self
        except Exception:
            logger.exception("warm-up failed and is disabled")
            self._spare_work = iter(())
            return False
