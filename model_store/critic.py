"""A checkpoint's critic: boosted trees that tell real tunes from the model's own; a file of its version.

The file is safetensors, metadata `{"format": "2"}`, with N nodes of T trees over F features:

    names        [.] uint8     the features' names in order, UTF-8, a line each; the last one is `ngrams` or
                           `log_ngrams`
    baseline     [1] float64   what all trees are added to
    roots        [T] int32     the first node of each tree
    features     [N] int32     which feature a node asks for; -1 for a leaf
    thresholds   [N] float64   a value no greater goes left
    lefts, rights [N] int32    the nodes below, always later ones
    missing_left [N] uint8     1 where NaN goes left
    values       [N] float64   what a leaf adds, in log odds
    ngram_bias   [1] float64   of the logistic regression over hashed n-grams, whose log odds the trees are told
    ngram_weights [K] float32  of its buckets (see `app.abc.ngrams`), K a power of two

The regression goes by how often each n-gram stands there (`ngrams`) or by 1 + the logarithm of that (`log_ngrams`), as
a row of length 1. In format 1 there are no n-grams, and neither of their arrays.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from model_store.array_file import ArrayFile

_OF_NODES = ("thresholds", "lefts", "rights", "missing_left", "values")
_LEAF = -1

NGRAMS, LOG_NGRAMS = "ngrams", "log_ngrams"
"""The feature that is the regression's log odds: of one by counts, and of one by their logarithms."""


@dataclass(frozen=True, eq=False)
class Critic(ArrayFile):
    """The arrays of the file."""

    WHAT: ClassVar = "a critic"
    FORMAT: ClassVar = 2
    ADDED: ClassVar = {"ngram_bias": 2, "ngram_weights": 2}

    names: NDArray[np.uint8]
    baseline: NDArray[np.float64]
    roots: NDArray[np.int32]
    features: NDArray[np.int32]
    thresholds: NDArray[np.float64]
    lefts: NDArray[np.int32]
    rights: NDArray[np.int32]
    missing_left: NDArray[np.uint8]
    values: NDArray[np.float64]
    ngram_bias: NDArray[np.float64] = field(default_factory=lambda: np.zeros(0))
    ngram_weights: NDArray[np.float32] = field(default_factory=lambda: np.zeros(0, np.float32))

    @cached_property
    def feature_names(self) -> tuple[str, ...]:
        """What it has to be told of a tune, in order."""
        return tuple(str(self.names.tobytes(), "utf-8").split("\n"))

    def log_odds(self, tunes: NDArray[np.float32]) -> NDArray[np.float64]:
        """How much likelier each tune is real than the model's own, as a logarithm.

        Args:
            tunes: [tunes, features], in the order of `feature_names`; NaN where a feature has no meaning.
        """
        at = np.tile(self.roots, (len(tunes), 1))  # [tunes, trees]
        rows = np.arange(len(tunes))[:, None]
        while (self.features[at] != _LEAF).any():
            value = tunes[rows, self.features[at]].astype(np.float64)  # a leaf asks for the last one, and stays
            goes_left = np.where(np.isnan(value), self.missing_left[at] == 1, value <= self.thresholds[at])
            below = np.where(goes_left, self.lefts[at], self.rights[at])
            at = np.where(self.features[at] == _LEAF, at, below)
        return np.asarray(self.baseline[0] + self.values[at].sum(axis=1))

    def ngram_log_odds(self, buckets: NDArray[np.int64], counts: NDArray[np.int64]) -> float:
        """The regression's log odds of one tune.

        Args:
            buckets: that its n-grams fall into.
            counts: how many fall into each.
        """
        values = log_row(counts) if LOG_NGRAMS in self.feature_names else _of_length_1(counts)
        return float(self.ngram_bias[0] + self.ngram_weights[buckets] @ values)

    def _has_fitting_ngrams(self) -> bool:
        """Whether the regression is there where the trees are told of it, and nowhere else."""
        told = sum(name in (NGRAMS, LOG_NGRAMS) for name in self.feature_names)
        if not told:
            return not len(self.ngram_bias) and not len(self.ngram_weights)
        return (
            told == 1
            and len(self.ngram_bias) == 1
            and len(self.ngram_weights).bit_count() == 1
            and bool(np.isfinite(self.ngram_bias).all() and np.isfinite(self.ngram_weights).all())
        )

    def _is_consistent(self) -> bool:
        nodes = len(self.features)
        if any(len(getattr(self, name)) != nodes for name in _OF_NODES) or len(self.baseline) != 1 or not nodes:
            return False
        try:
            features = len(self.feature_names)
        except UnicodeDecodeError:
            return False
        if not self._has_fitting_ngrams():
            return False
        inner = self.features != _LEAF
        here = np.arange(nodes)[inner]
        return (
            bool(((self.features >= _LEAF) & (self.features < features)).all())
            and bool(((self.roots >= 0) & (self.roots < nodes)).all())
            and all(bool(((below > here) & (below < nodes)).all()) for below in (self.lefts[inner], self.rights[inner]))
            and bool(np.isfinite(self.values).all() and np.isfinite(self.baseline).all())
            and not bool(np.isnan(self.thresholds).any())
        )


def log_row(counts: NDArray[np.int64]) -> NDArray[np.float64]:
    """How often n-grams stand in a tune, as a regression by logarithms is told of it: the second time says less."""
    return _of_length_1(1 + np.log(counts))


def _of_length_1(values: NDArray[Any]) -> NDArray[np.float64]:
    return np.asarray(values / np.sqrt(np.square(values).sum()))


def encode_names(names: Sequence[str]) -> NDArray[np.uint8]:
    """Feature names as the file has them."""
    return np.frombuffer("\n".join(names).encode(), np.uint8)
