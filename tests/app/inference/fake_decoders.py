"""Decoders whose answers are known by hand."""

import threading

import numpy as np
from numpy.typing import NDArray

from app.inference.decoder import State, power_of_two_sizes


class CountingDecoder:
    """After id n comes n + 1 (mod `vocab_size`), whatever is drawn; remembers the batch sizes it was stepped with."""

    def __init__(self, vocab_size: int = 10, max_batch: int = 8) -> None:
        self.vocab_size = vocab_size
        self.batch_sizes = power_of_two_sizes(max_batch)
        self.alphabet = None
        self.steps: list[int] = []

    def adopt(self) -> None:
        pass

    def initial_state(self, batch_size: int) -> State:
        return (np.zeros((batch_size, 1), np.float32),)

    def step(self, ids: NDArray[np.int32], state: State) -> tuple[NDArray[np.float32], State]:
        self.steps.append(len(ids))
        logits = np.full((len(ids), self.vocab_size), -np.inf, np.float32)
        logits[np.arange(len(ids)), (ids + 1) % self.vocab_size] = 0.0
        return logits, (state[0] + 1,)


class HashingDecoder(CountingDecoder):
    """Logits that depend on all that a sequence has read, and on nothing else."""

    def step(self, ids: NDArray[np.int32], state: State) -> tuple[NDArray[np.float32], State]:
        self.steps.append(len(ids))
        memory = (state[0] * 31 + ids[:, None] + 1) % 9973
        return np.sin(memory * np.arange(1, self.vocab_size + 1)).astype(np.float32), (memory.astype(np.float32),)


class GatedDecoder(CountingDecoder):
    """Steps only when it is let: `allow(n)` lets n more, `wait_for(n)` returns once n have been done."""

    def __init__(self, vocab_size: int = 10, max_batch: int = 8) -> None:
        super().__init__(vocab_size, max_batch)
        self._permits = threading.Semaphore(0)
        self._stepped = threading.Condition()

    def allow(self, steps: int) -> None:
        self._permits.release(steps)

    def wait_for(self, steps: int) -> None:
        with self._stepped:
            assert self._stepped.wait_for(lambda: len(self.steps) >= steps, timeout=30)

    def step(self, ids: NDArray[np.int32], state: State) -> tuple[NDArray[np.float32], State]:
        assert self._permits.acquire(timeout=30)
        with self._stepped:
            self._stepped.notify_all()
            return super().step(ids, state)


class FailingOnceDecoder(CountingDecoder):
    """Raises at its first step, then counts."""

    def step(self, ids: NDArray[np.int32], state: State) -> tuple[NDArray[np.float32], State]:
        if not self.steps:
            self.steps.append(len(ids))
            raise RuntimeError("broken")
        return super().step(ids, state)
