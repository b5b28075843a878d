"""Of the tunes that a model learnt each plan is published with its count, and held, and each header."""

from app.abc.lookback.alphabet import Alphabet
from model_store.plans import KnownHeader, Plans
from training.corpora.corpus import Corpus
from training.learning.reading import Reader
from training.publishing.plans import REDRAWS, headers_of, plans_of


def test_the_plans_of_tunes_are_counted_and_held(ten: Corpus) -> None:
    reader = Reader(ten.vocabulary, Alphabet(ten.vocabulary.characters, is_planned=True))
    once, twice = plans_of(ten.tunes, reader), plans_of([*ten.tunes, *ten.tunes], reader)
    assert once.are_held
    assert Plans.parse(once.to_bytes(), "plans.json") == once
    assert once.redraws == REDRAWS
    assert 0 < sum(plan.count for plan in once.plans) <= len(ten.tunes)
    assert [plan.count for plan in twice.plans] == [2 * plan.count for plan in once.plans]


def test_headers_are_counted_with_the_rhythm_that_their_title_names() -> None:
    jig = "X:1\nT:The Jig Of Time\nR:Jig\nM:6/8\nL:1/8\nK:D\nA6|]"
    unnamed, waltz = jig.replace("R:Jig\n", ""), jig.replace("Jig", "waltz").replace("6/8", "3/4")
    wrong = jig.replace("6/8", "9/8")
    assert headers_of([jig, wrong, *[jig] * 5, unnamed, unnamed, waltz]) == (
        KnownHeader(6, "jig", "jig", "6/8", "1/8", "D"),
        KnownHeader(2, "jig", "", "6/8", "1/8", "D"),
    )
