"""Of the tunes that a model learnt each plan is published with its count, and held."""

from app.abc.lookback.alphabet import Alphabet
from model_store.plans import Plans
from training.corpora.corpus import Corpus
from training.learning.reading import Reader
from training.publishing.plans import REDRAWS, plans_of


def test_the_plans_of_tunes_are_counted_and_held(ten: Corpus) -> None:
    reader = Reader(ten.vocabulary, Alphabet(ten.vocabulary.characters, is_planned=True))
    once, twice = plans_of(ten.tunes, reader), plans_of([*ten.tunes, *ten.tunes], reader)
    assert once.are_held
    assert Plans.parse(once.to_bytes(), "plans.json") == once
    assert once.redraws == REDRAWS
    assert 0 < sum(plan.count for plan in once.plans) <= len(ten.tunes)
    assert [plan.count for plan in twice.plans] == [2 * plan.count for plan in once.plans]
