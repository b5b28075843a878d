"""NumPy: the folded step of float32, its matrix products by the BLAS that NumPy brings."""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from benchmarks.task import STEPS, Draw, Task, folded


def loop(task: Task) -> Callable[[], int]:
    w, draw = task.weights(), Draw()
    table, units = folded(w), len(w["recurrent"])

    def sigmoid(x: NDArray[np.float32]) -> NDArray[np.float32]:
        return np.reciprocal(1.0 + np.exp(-x))

    def work() -> int:
        h = c = np.zeros((task.batch, units), np.float32)
        ids = np.zeros(task.batch, np.int64)
        for _ in range(STEPS):
            i, f, g, o = np.split(table[ids] + h @ w["recurrent"], 4, axis=1)
            c = sigmoid(f) * c + sigmoid(i) * np.tanh(g)
            h = sigmoid(o) * np.tanh(c)
            ids = draw(h @ w["dense"] + w["dense_bias"])
        return task.batch * STEPS

    return work
