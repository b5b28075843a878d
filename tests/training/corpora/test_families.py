"""Settings of one tune are found by their melody, and never lie on two sides of the split."""

from random import Random

import pytest

from tests.training.books import lab_as_found, lab_translated
from training.corpora import corpus, families, lab_corpus
from training.corpora.book import Book
from training.corpora.melodic_similarity import alike_pairs, is_alike, phrases
from training.corpora.split import split

REEL = (
    "X:1\nT:Cooley's\nR:reel\nM:4/4\nL:1/8\nK:Em\n"
    "|:EBBA B2 EB|B2 AB dBAG|FDAD BDAD|FDAD dAFD|\n"
    "EBBA B2 EB|B2 AB defg|afec dBAF|DEFD E2 D2:|\n"
    "|:eB B2 efge|eB B2 gedB|A2 FA DAFA|A2 FA defg|\n"
    "eB B2 eBgB|eB B2 defg|afec dBAF|DEFD E2 D2:|"
)
OTHER = (
    "X:2\nT:Another\nR:reel\nM:4/4\nL:1/8\nK:G\n"
    "|:G2 BG cGBG|DGBd gdBd|c2 ec gcec|fdcA dcBA|\n"
    "G2 BG dGBG|cBAB cdef|gfed cBAG|FDEF G2 D2:|"
)
IN_A_MINOR_WITH_OTHER_ORNAMENTS = (
    "X:9\nT:The Tulla\nM:C|\nL:1/8\nK:A Minor\n"
    "AeEd (3efe Ae|e2 de g>edc|BGdG eGdG|{c}BGdG gdBG|!\nAeed e2 Ae|e2 de gabc'|d'bag gedB|GABG A2 G2:|!\n"
    "ae e2 abc'a|ae e2 c'age|d2 Bd GdBd|d2 Bd gabc'|!\nae e2 aec'e|ae e2 gabc'|d'bag gedB|GABG A2 G2:|!"
)
IN_SIXTEENTHS = REEL.replace("4/4", "2/4").replace("1/8", "1/16").replace("Cooley's", "Luttrell's Pass")


@pytest.mark.parametrize("setting", [IN_A_MINOR_WITH_OTHER_ORNAMENTS, IN_SIXTEENTHS])
def test_another_setting_is_alike(setting: str) -> None:
    assert is_alike(phrases(REEL), phrases(setting))


def test_another_tune_is_not() -> None:
    assert not is_alike(phrases(REEL), phrases(OTHER))


def test_a_tune_that_nobody_understands_has_no_phrases() -> None:
    assert phrases("X:1\nK:Hp\nABcd|") == frozenset()


def test_known_settings_are_looked_up_once() -> None:
    of_tunes = [phrases(REEL), phrases(REEL), phrases(IN_SIXTEENTHS)]
    assert list(alike_pairs(of_tunes, ["a", "b", "c"])) == [(0, 1), (0, 2), (1, 2)]
    assert list(alike_pairs(of_tunes, ["a", "a", "c"])) == [(0, 2)]


def test_settings_in_two_books_share_the_place_of_the_first_book() -> None:
    alone = families.places([[REEL, OTHER]])
    both = families.places([[REEL, OTHER], [IN_SIXTEENTHS]])
    assert both == [*alone, alone[0]]
    assert families.places([[IN_SIXTEENTHS], [REEL]])[1] == families.fraction(IN_SIXTEENTHS)


def test_a_tune_like_tunes_on_two_sides_has_no_place() -> None:
    first = [f"X:{n}\nT:Tune {n}\nM:4/4\nL:1/8\nK:G\n" + f"{'ABcd'[n % 4]}8|" * (n + 1) for n in range(40)]
    placed = families.places([first])
    sides = {families.side(place): number for number, place in enumerate(placed) if place is not None}
    assert sides.keys() == {"train", "validation", "test"}
    bridge = [first[sides["train"]], first[sides["test"]].replace("T:", "T:Not "), first[sides["test"]]]
    kin = ["one", "one", "two"]
    assert families.places([first, bridge], [[], kin])[40:] == [None, None, None]


def test_known_settings_lie_together_whatever_they_sound_like() -> None:
    one, other = families.places([[REEL, OTHER]], [["tune 1", "tune 1"]])
    assert one == other


def test_the_labs_tunes_keep_their_sides_beside_another_book() -> None:
    lab = lab_as_found()
    sides = [set(side) for side in (lab.sides.train, lab.sides.validation, lab.sides.test)]
    other = [tune.replace("K:D Major", "K:G Major") for tune in lab.tunes[::40]]
    book = Book("other", "other.abc", "not stated", "0" * 64, tuple(other))
    both = corpus.merge([lab_corpus.open_book(), book])
    for side, beside in zip(sides, (both.sides.train, both.sides.validation, both.sides.test), strict=True):
        assert side == set(beside) & set(lab.tunes)


def test_an_extra_book_is_learnt_from_and_holds_nothing_out() -> None:
    lab = lab_as_found()
    held_out = set(lab.sides.validation) | set(lab.sides.test)
    settings = [tune.replace("K:D Major", "K:G Major").replace("T:", "T:Not ") for tune in lab.sides.test]
    generator = Random(1)
    bars = ["".join(generator.choice("DEFGABcd") for _ in range(8)) for _ in range(200)]
    new = [f"X:1\nT:New {n}\nM:4/4\nL:1/8\nK:D Major\n" + "|".join(bars[n::25]) + "|]" for n in range(25)]
    assert {families.side(families.fraction(tune)) for tune in new} > {"train"}
    book = Book("extra", "extra.abc", "not stated", "0" * 64, (*settings, *new), is_extra=True)
    both = corpus.merge([lab_corpus.open_book(), book])
    assert set(both.sides.validation) | set(both.sides.test) == held_out
    assert set(both.sides.train) == set(lab.sides.train) | set(new)
    assert {drop.reason for drop in both.drops} == {"like tunes on another side of the split"}
    alone = corpus.merge([Book("extra", "extra.abc", "not stated", "0" * 64, lab.tunes, is_extra=True)])
    assert alone.sides == lab.sides


def test_no_two_tunes_that_are_alike_lie_on_two_sides() -> None:
    lab = lab_translated()
    pairs = families.melody_pairs([lab.tunes])
    assert all(families.side(lab.places[one]) == families.side(lab.places[other]) for one, other in pairs)


def test_a_translated_tune_keeps_its_side() -> None:
    found, plain = lab_as_found(), lab_translated()
    placed = dict(zip(found.tunes, found.places, strict=True))
    kept = [tune for tune in found.tunes if tune not in {drop.tune for drop in plain.drops}]
    assert tuple(placed[tune] for tune in kept) == plain.places
    assert set(plain.sides.test) == {
        text for text, tune in zip(plain.tunes, kept, strict=True) if tune in set(found.sides.test)
    }
    assert (len(plain.sides.train), len(plain.sides.validation), len(plain.sides.test)) == (693, 34, 66)


def test_places_are_worked_out_for_runs_that_did_not_write_them_down() -> None:
    lab = lab_as_found()
    assert split(lab.tunes) == lab.sides
