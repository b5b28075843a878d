"""From logits to the next character: temperature, top-k, top-p and one random stream per sequence."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

_BLOCK = 256  # uniforms drawn at a time, so that a step does not pay for a call into the generator


@dataclass(frozen=True)
class SamplingParams:
    """How a sequence is drawn.

    `temperature` 0 is greedy; `top_k` None and `top_p` 1 leave the distribution whole; `seed` fixes every draw.
    """

    temperature: float = 1.0
    top_k: int | None = None
    top_p: float = 1.0
    seed: int = 0


class UniformStream:
    """The n-th draw of a sequence depends on its seed and n alone (Philox: Salmon et al., 2011)."""

    def __init__(self, seed: int) -> None:
        self._generator = np.random.Generator(np.random.Philox(seed))
        self._block: list[float] = []

    def next(self) -> float:
        """The next number in [0, 1)."""
        if not self._block:
            self._block = self._generator.random(_BLOCK).tolist()[::-1]
        return self._block.pop()


class Sampler:
    """Draws one id for each row of a batch whose parameters stay the same from step to step.

    A row's result does not depend on the other rows: every operation runs along the row.
    """

    def __init__(self, params: list[SamplingParams], vocab_size: int) -> None:
        temperature = np.array([p.temperature for p in params])[:, None]
        self._greedy = temperature[:, 0] == 0.0
        self._temperature = np.where(temperature == 0.0, 1.0, temperature)  # [B, 1]
        self._top_k = np.array([p.top_k or vocab_size for p in params])[:, None]  # [B, 1]
        self._top_p = np.array([p.top_p for p in params])[:, None]  # [B, 1]
        self._all_greedy = bool(self._greedy.all())
        self._any_greedy = bool(self._greedy.any())
        self._any_cut = bool((self._top_k < vocab_size).any() or (self._top_p < 1.0).any())

    def sample(self, logits: NDArray[np.float32], uniforms: NDArray[np.float64]) -> NDArray[np.intp]:
        """Logits [B, V] and uniforms [B] in [0, 1) → ids [B]."""
        if self._all_greedy:
            return self._likeliest(logits)
        weights = self._weights(logits)
        cumulative = weights.cumsum(axis=1)
        threshold = uniforms[:, None] * cumulative[:, -1:]
        drawn: NDArray[np.intp] = (cumulative > threshold).argmax(axis=1)
        if not self._any_greedy:
            return drawn
        return np.where(self._greedy, self._likeliest(logits), drawn)

    def _likeliest(self, logits: NDArray[np.float32]) -> NDArray[np.intp]:
        return np.asarray(logits.argmax(axis=1))

    def _weights(self, logits: NDArray[np.float32]) -> NDArray[np.float64]:
        """Unnormalised probabilities [B, V]; the likeliest character weighs 1."""
        shifted = logits.astype(np.float64)
        shifted -= shifted.max(axis=1, keepdims=True)
        with np.errstate(over="ignore"):  # a tiny temperature: -inf is what is meant
            shifted /= self._temperature
        weights = np.exp(shifted, out=shifted)
        if self._any_cut:
            self._cut(weights)
        return weights

    def _cut(self, weights: NDArray[np.float64]) -> None:
        """Zero what top-k and top-p leave out; the likeliest character always stays."""
        order = np.argsort(-weights, axis=1, kind="stable")
        ranked = np.take_along_axis(weights, order, axis=1)
        ranked /= ranked.sum(axis=1, keepdims=True)
        before = ranked.cumsum(axis=1) - ranked  # probability of all that is likelier
        rank = np.arange(weights.shape[1])[None, :]
        keep = (rank < self._top_k) & ((before < self._top_p) | (self._top_p == 1.0))
        keep[:, 0] = True
        kept = np.empty_like(keep)
        np.put_along_axis(kept, order, keep, axis=1)
        weights *= kept
