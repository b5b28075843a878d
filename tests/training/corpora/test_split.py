"""The split is fixed, and nothing of a held-out tune is learnt from."""

from collections import Counter

import pytest

from tests.training.conftest import ten_tunes
from training.corpora import corpus
from training.corpora.split import melody, split, title
from training.errors import CorpusError


def test_no_melody_and_no_title_is_on_two_sides() -> None:
    tunes = corpus.load([]).tunes
    sides = split(tunes)
    assert sorted(sides.train + sides.validation + sides.test) == sorted(tunes)
    for key in (melody, title):
        seen = [{key(tune) for tune in side} - {""} for side in (sides.train, sides.validation, sides.test)]
        assert not seen[0] & seen[1]
        assert not seen[0] & seen[2]
        assert not seen[1] & seen[2]


def test_the_labs_split_is_the_written_one() -> None:
    sides = split(corpus.load([]).tunes)
    assert (len(sides.train), len(sides.validation), len(sides.test)) == (701, 34, 67)


def test_a_tune_keeps_its_side_as_the_tunebook_grows() -> None:
    tunes = corpus.load([]).tunes
    titles = Counter(title(tune) for tune in tunes)
    alone = {tune for tune in tunes if titles[title(tune)] == 1}
    whole, half = split(tunes), split(tunes[::2])
    assert set(half.test) & alone <= set(whole.test)
    assert set(half.validation) & alone <= set(whole.validation)


@pytest.mark.parametrize("count", [3, 4, 5, 10])
def test_a_small_tunebook_has_three_sides(count: int) -> None:
    sides = split(tuple(ten_tunes()[:count]))
    assert min(len(sides.train), len(sides.validation), len(sides.test)) >= 1
    assert len(sides.train) + len(sides.validation) + len(sides.test) == count


def test_variants_of_one_tune_stay_together() -> None:
    tunes = ten_tunes()
    relaid = tunes[0].replace("|", "|\n").replace("T:Number 0", "T:Another name")
    renamed = "X:99\nT:another NAME\nK:D\nDDDD|"
    sides = split((*tunes, relaid, renamed))
    family = {tunes[0], relaid, renamed}
    assert any(family <= set(side) for side in (sides.train, sides.validation, sides.test))


def test_too_few_tunes_are_refused() -> None:
    with pytest.raises(CorpusError, match="2 different melodies"):
        split((*ten_tunes()[:2], ten_tunes()[0].replace("X:0", "X:7")))
