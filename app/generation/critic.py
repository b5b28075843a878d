"""Scores tunes by a critic, as how real it takes them for, and chooses among several candidates.

A candidate is chosen with a probability in proportion to its odds of being real rather than the model's own: of many
candidates so chosen, the tunes are spread as real ones are (sampling by importance), where always taking the best would
make them all alike.
"""

from collections.abc import Iterable, Sequence
from random import Random

import numpy as np
from numpy.typing import NDArray

from app.abc import features
from app.abc.features import Melody
from app.abc.ngrams import bucket_counts
from model_store import critic
from model_store.errors import InvalidCheckpointError


class Critic:
    """A checkpoint's critic, told of tunes by their text.

    Args:
        trees: the critic's file.
        label: what it is called in errors.

    Raises:
        InvalidCheckpointError: it goes by features that this Lilt does not have.
    """

    def __init__(self, trees: critic.Critic, label: str) -> None:
        known = (*features.NAMES, critic.NGRAMS, critic.LOG_NGRAMS)
        unknown = [name for name in trees.feature_names if name not in known]
        if unknown:
            raise InvalidCheckpointError(
                f"{label}: goes by features that this Lilt does not have: {', '.join(unknown)}"
            )
        self._trees = trees
        self._columns = [known.index(name) for name in trees.feature_names]

    def log_odds(self, tunes: Sequence[str]) -> NDArray[np.float64]:
        """How much likelier each tune is real than the model's own, as a logarithm; minus infinity for no tune."""
        found = np.full(len(tunes), -np.inf)
        melodies = {number: melody for number, tune in enumerate(tunes) if (melody := features.read(tune))}
        if melodies:
            found[list(melodies)] = self.log_odds_of(melodies.values())
        return found

    def log_odds_of(self, melodies: Iterable[Melody]) -> NDArray[np.float64]:
        """The same of tunes that have been read; of one at least."""
        return self._trees.log_odds(np.array([self._numbers(melody)[self._columns] for melody in melodies]))

    def _numbers(self, melody: Melody) -> NDArray[np.float32]:
        """All features of a tune, and what the n-grams say of it, where they are asked."""
        buckets = len(self._trees.ngram_weights)
        by_ngrams = self._trees.ngram_log_odds(*bucket_counts(melody, buckets)) if buckets else features.NAN
        both = np.array([by_ngrams, by_ngrams], np.float32)  # one of them is asked for, if any
        return np.append(features.features(melody), both)


def choose(log_odds: Sequence[float], seed: int) -> int:
    """The number of the candidate that is chosen, always the same for a seed; any of them where all are hopeless."""
    best = max(log_odds)
    if best == -np.inf:
        return 0
    weights = np.exp(np.asarray(log_odds) - best)
    ends = np.cumsum(weights)
    return int(np.searchsorted(ends, Random(seed).random() * ends[-1], side="right"))  # noqa: S311


def score(log_odds: float) -> float:
    """The odds as a probability: 0 for what is surely the model's own, 1 for what might well stand in a book."""
    return float(1 / (1 + np.exp(-log_odds)))
