"""What every contender is given: the weights, the vocabulary and how many sequences it makes at once."""

import json
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

START = "X:1\n"
STEPS = 64  # of a contender's turn between two looks at the clock; a whole tune has some hundred


@dataclass(frozen=True)
class Task:
    """A folder that `benchmarks.decode` has written, and a batch size; read without anything but NumPy."""

    folder: Path
    batch: int
    threads: int = 1

    def weights(self) -> dict[str, NDArray[np.float32]]:
        """`embedding` [V, E], `kernel` [E, 4U], `recurrent` [U, 4U], `bias` [4U], `dense` [U, V], `dense_bias` [V].

        The gates are in Keras's order: i, f, g, o.
        """
        with np.load(self.folder / "weights.npz") as arrays:
            return dict(arrays)

    @property
    def characters(self) -> str:
        found: str = json.loads((self.folder / "vocabulary.json").read_text())
        return found

    @property
    def graph(self) -> Path:
        """The service's own decoder graph of these weights, int8."""
        return self.folder / "decoder.tflite"


def folded(weights: dict[str, NDArray[np.float32]]) -> NDArray[np.float32]:
    """What an id adds to the gates, [V, 4U]: embedding, kernel and bias in one table."""
    table = weights["embedding"].astype(np.float64) @ weights["kernel"] + weights["bias"]
    return table.astype(np.float32)


class Draw:
    """A draw from the softmax of each row, with what a good engineer would use where the peer has none of its own."""

    def __init__(self) -> None:
        self._generator = np.random.default_rng(1)

    def __call__(self, logits: NDArray[np.float32]) -> NDArray[np.int64]:
        """Logits [B, V] → ids [B]: the largest of logits plus Gumbel noise."""
        noise = self._generator.standard_exponential(logits.shape, dtype=np.float32)
        return np.asarray((logits - np.log(noise)).argmax(axis=1))
