"""A tune is known again in any key and notation; its own bars are its own."""

import re

import pytest

from app.abc.fingerprint import melody
from app.generation.originality import Judgement, judge, originality
from model_store.tune_index import IndexedTune, TuneIndex
from training.dialect.transpose import transpose

TUNE = """X:1
T:The Real One
M:6/8
L:1/8
K:G
|:D2E|GAG ^GAB|ABA ABd|edd gdd|edB dBA|
GAG GAB|ABA ABd|edd gdB|A2G G3:|
|:B2d|e2f gfe|dBA Bcd|e2f g=fe|dBA B3|
e2f gfe|dBA Bcd|gfe dBA|B2A G3:|
"""
OTHER = "X:1\nT:Other\nM:4/4\nL:1/8\nK:D\nA4 F4|DEFG A2d2|f2e2 d2c2|d8|\n"


def index_of(*tunes: str) -> TuneIndex:
    return TuneIndex.of(
        [
            IndexedTune(abc, f"book {number}", [(bar.shape, bar.high, bar.number) for bar in melody(abc)])
            for number, abc in enumerate(tunes)
        ]
    )


def with_body(body: str, header: str = "X:1\nM:6/8\nL:1/8\nK:G\n") -> str:
    return header + body + "\n"


@pytest.mark.parametrize("tonic", ["A", "B", "D", "E"])
def test_a_copy_in_another_key_is_known(tonic: str) -> None:
    found = originality(transpose(TUNE, tonic), index_of(OTHER, TUNE))
    assert found
    assert found.judgement is Judgement.COPIES
    assert found.nearest
    assert (found.nearest.title, found.nearest.corpus, found.nearest.abc) == ("The Real One", "book 1", TUNE)
    assert found.bars == found.nearest.bars == (*range(1, 9), *range(10, 18))


def in_another_notation(abc: str) -> dict[str, str]:
    header, body = abc.split("K:G\n")
    lengths = re.compile(r"([A-Ga-g])(\d?)")
    return {
        "unit length 1/16": header.replace("L:1/8", "L:1/16")
        + "K:G\n"
        + lengths.sub(lambda note: note[1] + str(2 * int(note[2] or 1)), body),
        "6/4 for 6/8": header.replace("6/8", "6/4").replace("1/8", "1/4") + "K:G\n" + body,
        "no signature": header + "K:C\n" + re.sub(r"(?<![\^=])f", "^f", body),
        "held accidental": abc.replace("^GAB|", "^GA_c|"),
        "tied notes": abc.replace("e2f", "e-ef"),
        "grace notes, slurs, chord symbols": abc.replace("edd", '"G"(e{g}dd)').replace("B3", "~B3"),
        "chords under the melody": abc.replace("B3", "[GDB]3"),
        "without pickups": abc.replace("D2E|", "").replace("B2d|", ""),
    }


@pytest.mark.parametrize("name", in_another_notation(TUNE))
def test_a_copy_in_another_notation_is_known(name: str) -> None:
    found = originality(in_another_notation(TUNE)[name], index_of(TUNE))
    assert found
    assert len(found.bars) == 16


@pytest.mark.parametrize("changed", ["GAG ^GAc", "GAG GAB", "GA2 ^GAB", "GAz ^GAB", "GAG ^G>AB", "G,AG ^GAB"])
def test_one_note_makes_another_bar(changed: str) -> None:
    bars = melody(TUNE), melody(TUNE.replace("GAG ^GAB", changed))
    assert [one.shape == other.shape for one, other in zip(*bars, strict=True)] == [False] + [True] * 15


def test_bars_moved_by_other_steps_are_no_run() -> None:
    index = index_of(with_body("GAB cBA|Bcd edc|dGB AFD|GFG A2B|"))
    found = originality(with_body("GAB cBA|dGB AFD|Bcd edc|GFG A2B|"), index)
    assert found
    assert len(found.bars) == 1


def test_a_run_does_not_reach_from_one_tune_into_the_next() -> None:
    one, other = "GAB cBA|Bcd edc|", "dGB AFD|GFG A2B|"
    found = originality(with_body(one + other), index_of(with_body(one), with_body(other)))
    assert found
    assert len(found.bars) == 2
    assert found.judgement is Judgement.ORIGINAL


def test_of_equal_runs_the_tune_with_more_bars_in_common_is_nearest() -> None:
    bars = ["GAB cBA", "Bcd edc", "dGB AFD", "GFG A2B", "dcB AGF"]
    few, many = with_body("|".join([*bars[:2], "G6"])), with_body("|".join([*bars[2:4], "G6", bars[0], "A6", bars[4]]))
    found = originality(with_body("|".join(bars)), index_of(few, many))
    assert found
    assert found.nearest
    assert found.nearest.abc == many
    assert (found.bars, found.nearest.bars) == ((3, 4), (1, 2))


def test_a_tune_with_nothing_in_common_has_no_nearest() -> None:
    found = originality(OTHER, index_of(TUNE))
    assert found
    assert (found.judgement, found.bars, found.nearest) == (Judgement.ORIGINAL, (), None)


@pytest.mark.parametrize("abc", ["", "X:1\nK:G\n", "not a tune", with_body("GAB cBA|Bcd edc|dGB AFD|")])
def test_what_is_too_short_is_not_judged(abc: str) -> None:
    assert originality(abc, index_of(TUNE)) is None


@pytest.mark.parametrize(
    ("shared", "bars", "judgement"),
    [
        (0, 16, "original"),
        (3, 5, "original"),
        (4, 8, "echoes"),
        (4, 7, "copies"),
        (7, 16, "echoes"),
        (8, 16, "copies"),
        (8, 100, "copies"),
    ],
)
def test_where_the_judgements_begin(shared: int, bars: int, judgement: str) -> None:
    assert judge(shared, bars) == judgement
