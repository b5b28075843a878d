"""From logits to the next character: temperature, top-k and top-p, with one random stream per sequence.

A draw from a softmax is the argmax of logits plus independent Gumbel noise (Gumbel, 1954; Maddison et al., 2014). The
noise does not depend on the logits, so it is made ahead, many steps at a time, and a step is a few array operations.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

_STEPS_AHEAD = 64  # steps of noise made at once
_LARGEST_INVERSE = 1e6  # of a temperature: below a millionth the likeliest character is all there is
_LEAST_UNIFORM = np.float32(2**-25)  # for 0, whose noise would be -inf: where one character is allowed it must be drawn
_FLOATS_PER_COUNT = 8  # float32 numbers that Philox makes for each value of its counter


@dataclass(frozen=True)
class SamplingParams:
    """How a sequence is drawn.

    `temperature` 0 is greedy; `top_k` None and `top_p` 1 leave the distribution whole; `seed` fixes every draw.
    """

    temperature: float = 1.0
    top_k: int | None = None
    top_p: float = 1.0
    seed: int = 0

    @property
    def is_greedy(self) -> bool:
        return self.temperature == 0.0

    def leaves_one(self, vocab_size: int) -> bool:
        """Whether but one character can ever be drawn, so that drawing again gives the same."""
        return self.is_greedy or self.top_k == 1 or self.top_p * vocab_size <= 1.0  # the likeliest has 1/V at the least

    @property
    def cuts(self) -> bool:
        """Whether any character is left out."""
        return self.top_k is not None or self.top_p < 1.0


class GumbelNoise:
    """The noise of one sequence's draws, in order from the draw `first` on.

    Draw n is the same wherever it was begun: a counter-based generator (Philox; Salmon et al., 2011) begins at n.
    """

    def __init__(self, seed: int, first: int, vocab_size: int) -> None:
        counts = -(-vocab_size // _FLOATS_PER_COUNT)
        self._vocab_size, self._width = vocab_size, counts * _FLOATS_PER_COUNT
        self._generator = np.random.Generator(np.random.Philox(key=seed, counter=first * counts))

    def next(self, draws: int) -> NDArray[np.float32]:
        """The noise of that many draws, [draws, V]."""
        noise = self._generator.random((draws, self._width), dtype=np.float32)
        np.maximum(noise, _LEAST_UNIFORM, out=noise)
        for _ in range(2):
            np.negative(np.log(noise, out=noise), out=noise)
        return noise[:, : self._vocab_size]


class Sampler:
    """Draws an id for each row of a batch; a row's draws depend on its own logits, parameters and position alone."""

    def __init__(self, rows: int, vocab_size: int) -> None:
        self._vocab_size = vocab_size
        self._params: list[SamplingParams | None] = [None] * rows
        self._noises: list[GumbelNoise | None] = [None] * rows  # of those that are not greedy
        self._unused = [0] * rows  # steps until a row's first draw, beyond those that the noise is made for
        self._ahead = np.zeros((_STEPS_AHEAD, rows, vocab_size), np.float32)  # the noise of the steps to come
        self._step = 0
        self._inverse_temperature = np.ones((rows, 1), np.float32)
        self._tempered: set[int] = set()  # rows whose inverse temperature is not 1
        self._cutting: set[int] = set()  # rows that leave characters out
        self._scores = np.empty((rows, vocab_size), np.float32)

    def put(self, row: int, params: SamplingParams, draw: int) -> None:
        """Draw this row so from the next step on, which makes the sequence's draw number `draw`.

        A negative number is the count of steps, the next one included, whose result nobody will use.
        """
        inverse = 1.0 if params.is_greedy else min(_LARGEST_INVERSE, 1.0 / params.temperature)
        self._inverse_temperature[row] = inverse
        (self._tempered.add if inverse != 1.0 else self._tempered.discard)(row)
        (self._cutting.add if params.cuts else self._cutting.discard)(row)
        self._params[row] = params
        self._noises[row] = None if params.is_greedy else GumbelNoise(params.seed, max(0, draw), self._vocab_size)
        self._unused[row] = max(0, -draw)
        self._ahead[:, row] = 0.0
        self._fill(row, from_step=self._step)

    def clear(self, row: int) -> None:
        """Draw nothing more for this row."""
        self._params[row] = self._noises[row] = None
        self._tempered.discard(row)
        self._cutting.discard(row)

    def sample(self, logits: NDArray[np.float32], mask: NDArray[np.float32] | None = None) -> list[int]:
        """Logits [B, V], and a mask [B, V] to add to them, -inf for the ids that may not be drawn → B ids."""
        if self._step == _STEPS_AHEAD:
            self._step = 0
            for row in range(len(self._params)):
                self._fill(row, from_step=0)
        scores = logits
        if self._tempered:
            scores = np.multiply(scores, self._inverse_temperature, out=self._scores)
        if mask is not None:
            scores = np.add(scores, mask, out=self._scores)
        if self._cutting:  # shares are those among what is allowed
            scores = scores if scores is self._scores else scores.copy()
            self._cut(scores)
        scores = np.add(scores, self._ahead[self._step], out=self._scores)
        self._step += 1
        drawn: list[int] = scores.argmax(1).tolist()
        return drawn

    def _fill(self, row: int, from_step: int) -> None:
        """Make a row's noise from a step to the end of the block; none for a greedy row, or before its first draw."""
        begin = min(from_step + self._unused[row], _STEPS_AHEAD)
        self._unused[row] -= begin - from_step
        noise = self._noises[row]
        if noise and begin < _STEPS_AHEAD:
            self._ahead[begin:, row] = noise.next(_STEPS_AHEAD - begin)

    def _cut(self, scores: NDArray[np.float32]) -> None:
        """Set what top-k and top-p leave out to -inf; the likeliest character always stays."""
        rows = sorted(self._cutting)
        params = [p for p in (self._params[row] for row in rows) if p is not None]
        top_k = np.array([p.top_k or self._vocab_size for p in params])[:, None]
        top_p = np.array([p.top_p for p in params])[:, None]
        chosen = scores[rows].astype(np.float64)
        order = np.argsort(-chosen, axis=1, kind="stable")
        ranked = np.take_along_axis(chosen, order, axis=1)
        probabilities = np.exp(ranked - ranked[:, :1])
        probabilities /= probabilities.sum(axis=1, keepdims=True)
        likelier = probabilities.cumsum(axis=1) - probabilities  # probability of all that is likelier
        keep = (np.arange(self._vocab_size) < top_k) & ((likelier < top_p) | (top_p == 1.0))
        keep[:, 0] = True
        kept = np.empty_like(keep)
        np.put_along_axis(kept, order, keep, axis=1)
        scores[rows] = np.where(kept, scores[rows], -np.inf)
