"""How likely a model finds the end of a prompt."""

import numpy as np
from numpy.typing import NDArray


class PromptScorer:
    """Adds up the log-probabilities of a prompt's ids from a place on.

    Args:
        prompt: the ids.
        scored_from: the place, ≥ 1, of the first that counts.
    """

    def __init__(self, prompt: list[int], scored_from: int) -> None:
        self._prompt, self._scored_from = prompt, scored_from
        self.log_probability = 0.0
        """The log probability in nats, at temperature 1 and without mask, top-k and top-p."""

    def take(self, place: int, logits: NDArray[np.float32]) -> None:
        """Take what the model makes of the id at a place, [V]; places that do not count are passed over."""
        if self._scored_from <= place < len(self._prompt):
            shifted = logits.astype(np.float64) - logits.max()
            self.log_probability += float(shifted[self._prompt[place]] - np.log(np.exp(shifted).sum()))
