"""The lab's tunebook, read once for all tests that look at it."""

from functools import cache

from training.corpora import corpus
from training.corpora.corpus import Corpus


@cache
def lab_as_found() -> Corpus:
    """In its old dialect."""
    return corpus.load([])


@cache
def lab_translated() -> Corpus:
    """In plain ABC."""
    return corpus.load([], translate=True)
