"""Whether a classifier can tell two lists of tunes apart: the AUC that it reaches on families that it has not seen.

Two classifiers that share no features: boosted trees over the plain numbers of a tune, and logistic regression over its
words, runs of one to four notes by scale degree and length. An AUC of 0.5 is a coin's, 1 tells every tune
(C2ST: Lopez-Paz and Oquab, 2017).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from math import sqrt
from typing import Any

import numpy as np
from numpy.typing import NDArray

from app.abc.pitch import STEPS
from training.corpora import families
from training.evaluation import measures
from training.evaluation.music import Music
from training.evaluation.verdict import LEAST

NUMBERS, WORDS = "boosted trees over the numbers", "logistic regression over words of notes"
CLASSIFIERS = (NUMBERS, WORDS)

_FOLDS = 5
_ROUNDS = 2  # of all folds, each dealt anew
_LONGEST_WORD = 4  # notes


@dataclass(frozen=True)
class Auc:
    """The mean of all folds, and its standard error (Hanley and McNeil, 1982)."""

    auc: float
    error: float


@dataclass(frozen=True)
class Tune:
    """A tune as text and as it was understood."""

    abc: str
    music: Music


def tell_apart(one: Sequence[Tune], other: Sequence[Tune]) -> dict[str, Auc] | None:
    """By classifier; None where there are too few tunes or families on a side."""
    if min(len(one), len(other)) < LEAST:
        return None
    tunes = [*one, *other]
    labels = np.repeat([0, 1], [len(one), len(other)])
    groups = _families([tune.abc for tune in tunes])
    if min(len(set(groups[labels == side])) for side in (0, 1)) < _FOLDS:
        return None
    music = [tune.music for tune in tunes]
    numbers, words = measures.table(music), [" ".join(notes(each)) for each in music]
    return {
        NUMBERS: _auc(_trees(), numbers, labels, groups),
        WORDS: _auc(_regression(), np.array(words, object), labels, groups),
    }


def notes(music: Music) -> list[str]:
    """Each note as its degree of the scale, with what alters it, and its length."""
    return [
        f"{(sound.place - music.tonic_step) % len(STEPS) + 1}{'*' * sound.is_altered}:{sound.length}"
        for sound in music.sounds
    ]


def _families(tunes: Sequence[str]) -> NDArray[np.int64]:
    """The number of each tune's family."""
    pairs = [*families.akin_pairs([tunes]), *families.melody_pairs([tunes])]
    found = np.zeros(len(tunes), np.int64)
    for number, members in enumerate(families.components(len(tunes), pairs)):
        found[members] = number
    return found


def _trees() -> Any:  # noqa: ANN401  # scikit-learn has no types
    from sklearn.ensemble import HistGradientBoostingClassifier

    return HistGradientBoostingClassifier(max_iter=80, max_leaf_nodes=8, early_stopping=False, random_state=1)


def _regression() -> Any:  # noqa: ANN401
    from sklearn.feature_extraction.text import TfidfVectorizer
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import make_pipeline

    words = TfidfVectorizer(
        ngram_range=(1, _LONGEST_WORD),
        tokenizer=str.split,
        token_pattern=None,
        lowercase=False,
        sublinear_tf=True,
        min_df=2,
    )
    return make_pipeline(words, LogisticRegression(C=10.0, solver="liblinear", random_state=1))


def _auc(model: Any, features: NDArray[Any], labels: NDArray[np.int64], groups: NDArray[np.int64]) -> Auc:  # noqa: ANN401
    from sklearn.metrics import roc_auc_score
    from sklearn.model_selection import StratifiedGroupKFold
    from threadpoolctl import threadpool_limits

    found: list[float] = []
    with threadpool_limits(1):  # so few tunes are not worth a second thread
        for number in range(_ROUNDS):
            folds = StratifiedGroupKFold(_FOLDS, shuffle=True, random_state=number)
            for learnt, held_out in folds.split(features, labels, groups):
                if len(set(labels[held_out])) == len(set(labels[learnt])) == 2:
                    model.fit(features[learnt], labels[learnt])
                    scores = model.predict_proba(features[held_out])[:, 1]
                    found.append(float(roc_auc_score(labels[held_out], scores)))
    auc = float(np.mean(found))
    return Auc(auc, _error(auc, *np.bincount(labels).tolist()))


def _error(auc: float, one: int, other: int) -> float:
    q1, q2 = auc / (2 - auc), 2 * auc**2 / (1 + auc)
    variance = auc * (1 - auc) + (other - 1) * (q1 - auc**2) + (one - 1) * (q2 - auc**2)
    return sqrt(max(0.0, variance) / (one * other))
