"""One decode step, (ids, state) → (logits, state), as a LiteRT graph."""

from functools import partial
from pathlib import Path
from typing import Protocol

import numpy as np
from ai_edge_litert.interpreter import Interpreter
from numpy.typing import NDArray

from app.abc.lookback import track
from app.abc.lookback.alphabet import Alphabet
from app.abc.lookback.plan import Planner
from app.inference import cpu_affinity

State = tuple[NDArray[np.float32], ...]
"""What a batch of sequences remembers: arrays [B, units], row b belonging to sequence b."""

Ids = NDArray[np.int32]
"""What a step reads of B sequences: each one's character, [B]; or a row of `lookback.Tracker` of each, [B, width]."""


FEW = 8
"""Sequences that are faster stepped together than shared out among lanes."""

FEW_BESIDE_A_SERVER = 32
"""The same where a server wants Python's lock too, which each lane takes for every step."""


MIN_SHARED_UNITS = 512
"""Of a network whose steps are shared among threads; with 384 one thread is as fast, and takes a third less of the
processor (docs/decisions/023-loop-of-a-narrow-network.md)."""


class Decoder(Protocol):
    """A model that is stepped one character at a time; its state goes in and out, so that a sequence is a value."""

    vocab_size: int
    batch_sizes: tuple[int, ...]
    """The batch sizes that can be stepped, ascending."""

    @property
    def alphabet(self) -> Alphabet | None:
        """Where there is one, rows of a `lookback.Tracker` of it are what is read."""
        ...

    def adopt(self) -> None:
        """Called by the thread that will step it, before it does."""
        ...

    def initial_state(self, batch_size: int) -> State:
        """The state before the first character: zeros."""
        ...

    def step(self, ids: Ids, state: State) -> tuple[NDArray[np.float32], State]:
        """What comes next and the state → logits [B, V] float32 and the next state; B is one of `batch_sizes`."""
        ...


def read(decoder: Decoder, ids: NDArray[np.int32], planner: Planner | None = None) -> Ids:
    """What a decoder reads of a whole text [N], one character after another: [N], or rows [N, width]."""
    return track(decoder.alphabet, ids.tolist(), planner) if decoder.alphabet else ids


def power_of_two_sizes(max_size: int) -> tuple[int, ...]:
    """1, 2, 4 … and `max_size` itself."""
    return tuple(sorted({1 << k for k in range(max_size.bit_length())} | {max_size}))


class LiteRTDecoder:
    """The folded one-step graph of a checkpoint: inputs `ids`, `h`, `c`; outputs `logits`, `h`, `c`.

    Args:
        threads: that share a step; what it gives does not depend on how many.
        characters: the vocabulary's, for a graph that reads more than them.

    Raises:
        ValueError: the graph reads what this code does not tell it.

    A batch size is laid out when it is first stepped, in 2 ms, unless that starts threads: for these there is room now.
    """

    def __init__(self, graph: Path, max_batch: int = 64, threads: int = 1, characters: str = "") -> None:
        content = graph.read_bytes()
        self.batch_sizes = power_of_two_sizes(max_batch)
        self._lay_out = partial(_CompiledStep, content, threads=threads)
        at_once = self.batch_sizes if threads > 1 else self.batch_sizes[:1]
        self._steps = {size: self._lay_out(size) for size in at_once}
        self.vocab_size, self.units = self._steps[1].vocab_size, self._steps[1].units
        self.alphabet = _alphabet(characters, self._steps[1].width)

    @classmethod
    def for_engine(
        cls, graph: Path, max_batch: int, threads: int, few: int = FEW, characters: str = ""
    ) -> "tuple[LiteRTDecoder, ...]":
        """One for a few sequences, whose threads share each step if it has many units, and for more a lane a thread."""
        most = max_batch if threads == 1 else min(few, max_batch)
        first = cls(graph, most, characters=characters)
        if threads > 1 and first.units >= MIN_SHARED_UNITS:
            first = cls(graph, most, threads, characters)
        if most == max_batch:
            return (first,)
        share = -(-max_batch // threads)
        return (first, *(cls(graph, share, characters=characters) for _ in range(threads)))

    def adopt(self) -> None:
        for step in self._steps.values():
            if step.helpers:
                cpu_affinity.keep_apart(step.helpers)

    def initial_state(self, batch_size: int) -> State:
        return np.zeros((batch_size, self.units), np.float32), np.zeros((batch_size, self.units), np.float32)

    def step(self, ids: Ids, state: State) -> tuple[NDArray[np.float32], State]:
        size = len(ids)
        if size not in self._steps:
            self._steps[size] = self._lay_out(size)
        return self._steps[size](ids, state)


def _alphabet(characters: str, width: int) -> Alphabet | None:
    if not width:
        return None
    return Alphabet.of_width(characters, width - 1)


class _CompiledStep:
    """The graph laid out for one batch size; `helpers` are the threads that the caller's shares each step with."""

    def __init__(self, content: bytes, batch_size: int, threads: int) -> None:
        before = cpu_affinity.native_threads()
        self._interpreter = Interpreter(model_content=content, num_threads=threads)
        signature = self._interpreter.get_signature_runner()
        inputs, outputs = signature.get_input_details(), signature.get_output_details()
        del signature  # it holds a reference that forbids resizing
        self.vocab_size, self.units = int(outputs["logits"]["shape"][-1]), int(inputs["h"]["shape"][-1])
        self._ids, self._h_in, self._c_in = (int(inputs[name]["index"]) for name in ("ids", "h", "c"))
        self._logits, self._h_out, self._c_out = (int(outputs[name]["index"]) for name in ("logits", "h", "c"))
        told = [int(size) for size in inputs["ids"]["shape"][1:]]
        self.width = told[0] if told else 0
        """Integers that it reads of each sequence; 0: only the character."""
        self._interpreter.resize_tensor_input(self._ids, [batch_size, *told])
        self._interpreter.resize_tensor_input(self._h_in, [batch_size, self.units])
        self._interpreter.resize_tensor_input(self._c_in, [batch_size, self.units])
        self._interpreter.allocate_tensors()
        self.helpers = sorted(cpu_affinity.native_threads() - before)

    def __call__(self, ids: Ids, state: State) -> tuple[NDArray[np.float32], State]:
        run = self._interpreter
        run.set_tensor(self._ids, ids)
        run.set_tensor(self._h_in, state[0])
        run.set_tensor(self._c_in, state[1])
        run.invoke()
        return run.get_tensor(self._logits), (run.get_tensor(self._h_out), run.get_tensor(self._c_out))
