"""Trains a critic: boosted trees that tell real tunes from what a model draws, and from real tunes that were spoilt.

The trees are told, beside the numbers of a tune, what a logistic regression over its n-grams makes of it. Of the tunes
that the regression learns from they are told what one says that has not seen the tune (stacking; Wolpert, 1992): else
they would take what it knows by heart for the truth.

The trees' log odds are those of real against the model's own, so that choosing among several drawn tunes in proportion
to the odds draws as real tunes are spread (sampling by importance). Spoilt tunes, whose bars were shuffled or whose
last bar was swapped, keep a critic from going by what only the model's tunes give away.
"""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from app.abc import features
from app.abc.features import Melody
from app.abc.ngrams import bucket_counts
from model_store.critic import LOG_NGRAMS, Critic, encode_names, log_row
from training.errors import TooFewTunesError
from training.evaluation.candidate import Candidate
from training.evaluation.tune_sampling import draw_as_served

FIRST_SEED = 1_000_001
"""Far from those of evaluations."""

LEAST = 20
"""Tunes on either side, below which there is nothing to learn from."""

_SPOILT_WEIGHT = 0.05  # of all spoilt tunes together, beside 1 of the real and 1 of the drawn ones
_SETTINGS = {
    "max_iter": 150,
    "learning_rate": 0.08,
    "max_leaf_nodes": 12,
    "min_samples_leaf": 20,
    "l2_regularization": 1.0,
    "early_stopping": False,
    "random_state": 1,
}
_LEAF = -1

_BUCKETS = 2**14
_FOLDS = 5
_INVERSE_REGULARISATION = 10.0


def of(candidate: Candidate, tunes: int) -> Critic:
    """A critic for a model, from the tunes that it learnt from and as many as wanted that it draws as the service does.

    The tunes of extra books, which its own are not to be like, are left out.

    Raises:
        TooFewTunesError: its tunes are not known, or there are too few.
    """
    real = candidate.corpus.without_extras(candidate.learnt) if candidate.corpus else candidate.learnt
    if len(real) < LEAST:  # before thousands are drawn in vain
        raise TooFewTunesError(f"{len(real)} tunes were learnt from; a critic needs {LEAST}")
    return train(real, draw_as_served(candidate, range(FIRST_SEED, FIRST_SEED + tunes)))


def train(real: Sequence[str], drawn: Sequence[str], seed: int = 1) -> Critic:
    """A critic from the tunes that a model learnt from and as many as wanted that it drew.

    Raises:
        TooFewTunesError: there are too few of either.
    """
    melodies = [melody for tune in real if (melody := features.read(tune))]
    others = [melody for tune in drawn if (melody := features.read(tune))]
    if min(len(melodies), len(others)) < LEAST:
        raise TooFewTunesError(
            f"{len(melodies)} real and {len(others)} drawn tunes that can be read; a critic needs {LEAST} of each"
        )
    generator = np.random.default_rng(seed)
    spoilt = [spoil(melody, generator) for melody in melodies]
    groups = [(melodies, True, 1.0), (others, False, 1.0), (spoilt, False, _SPOILT_WEIGHT)]
    labels = np.concatenate([np.full(len(group), is_real) for group, is_real, _ in groups])
    weights = np.concatenate([np.full(len(group), len(melodies) * share / len(group)) for group, _, share in groups])
    everything = [melody for group, _, _ in groups for melody in group]
    regression, by_ngrams = _learn_ngrams(everything, labels, weights, len(everything) - len(spoilt), seed)
    table = np.column_stack([[features.features(melody) for melody in everything], by_ngrams.astype(np.float32)])
    trees = _as_critic(_fitted(table, labels, weights), (*features.NAMES, LOG_NGRAMS))
    return replace(
        trees,
        ngram_bias=regression.intercept_.astype(np.float64),
        ngram_weights=regression.coef_[0].astype(np.float32),
    )


def _learn_ngrams(
    melodies: Sequence[Melody], labels: NDArray[np.bool_], weights: NDArray[np.float64], known: int, seed: int
) -> tuple[Any, NDArray[np.float64]]:
    """A logistic regression over the n-grams of the first `known` melodies, and the log odds of each melody.

    Those of a melody that it learns from are said by one that has learnt from the other folds alone. The melodies
    after the `known` ones are the first ones spoilt, in their order: each is judged by the same one as its original.
    """
    from sklearn.linear_model import LogisticRegression
    from sklearn.model_selection import StratifiedKFold
    from threadpoolctl import threadpool_limits

    def learn(rows: NDArray[np.int64]) -> Any:  # noqa: ANN401
        model = LogisticRegression(C=_INVERSE_REGULARISATION, solver="liblinear", random_state=seed)
        return model.fit(table[rows], labels[rows], weights[rows])

    table, spoilt = _ngram_table(melodies), len(melodies) - known
    found = np.empty(len(melodies))
    with threadpool_limits(1):  # the same weights on any machine
        for others, fold in StratifiedKFold(_FOLDS, shuffle=True, random_state=seed).split(
            table[:known], labels[:known]
        ):
            told = np.concatenate([fold, known + fold[fold < spoilt]])
            found[told] = learn(others).decision_function(table[told])
        return learn(np.arange(known)), found


def _ngram_table(melodies: Sequence[Melody]) -> Any:  # noqa: ANN401
    """Which buckets the n-grams of each melody fall into, and how often, [melodies, buckets] (sparse)."""
    from scipy.sparse import csr_array

    rows = [bucket_counts(melody, _BUCKETS) for melody in melodies]
    ends = np.cumsum([0, *(len(buckets) for buckets, _ in rows)], dtype=np.int32)  # liblinear takes no other
    columns = np.concatenate([buckets for buckets, _ in rows]).astype(np.int32)
    values = np.concatenate([log_row(counts) for _, counts in rows])
    return csr_array((values, columns, ends), (len(rows), _BUCKETS))


def spoil(melody: Melody, generator: np.random.Generator) -> Melody:
    """A real tune with its whole bars shuffled, or its last one swapped with another; parts end where they did."""
    bars = list(melody.bars)
    whole = [number for number, bar in enumerate(bars) if sum(bar.ticks) == bar.whole]
    if len(whole) < 2:
        return melody
    order = generator.permutation(whole).tolist() if generator.random() < 0.5 else _swapped(whole, generator)
    for number, source in zip(whole, order, strict=True):
        bars[number] = melody.bars[source]._replace(ends_part=melody.bars[number].ends_part)
    return replace(melody, bars=tuple(bars))


def _swapped(whole: list[int], generator: np.random.Generator) -> list[int]:
    other = int(generator.integers(len(whole) - 1))
    order = list(whole)
    order[-1], order[other] = order[other], order[-1]
    return order


def _fitted(table: NDArray[np.float32], labels: NDArray[np.bool_], weights: NDArray[np.float64]) -> Any:  # noqa: ANN401
    from sklearn.ensemble import HistGradientBoostingClassifier
    from threadpoolctl import threadpool_limits

    with threadpool_limits(1):  # the same trees on any machine
        return HistGradientBoostingClassifier(**_SETTINGS).fit(table, labels, weights)


def _as_critic(model: Any, names: Sequence[str]) -> Critic:  # noqa: ANN401
    """The trees of scikit-learn's model, one after another."""
    trees = [each[0].nodes for each in model._predictors]
    begins = np.cumsum([0, *map(len, trees)])
    nodes = np.concatenate(trees)
    shift = np.repeat(begins[:-1], [len(tree) for tree in trees])
    is_leaf = nodes["is_leaf"] == 1
    here = np.arange(len(nodes))
    return Critic(
        names=encode_names(names),
        baseline=np.asarray(model._baseline_prediction, np.float64).reshape(1),
        roots=begins[:-1].astype(np.int32),
        features=np.where(is_leaf, _LEAF, nodes["feature_idx"]).astype(np.int32),
        thresholds=np.where(is_leaf, 0.0, nodes["num_threshold"]).astype(np.float64),
        lefts=np.where(is_leaf, here, nodes["left"] + shift).astype(np.int32),
        rights=np.where(is_leaf, here, nodes["right"] + shift).astype(np.int32),
        missing_left=(~is_leaf & (nodes["missing_go_to_left"] == 1)).astype(np.uint8),
        values=np.where(is_leaf, nodes["value"], 0.0).astype(np.float64),
    )
