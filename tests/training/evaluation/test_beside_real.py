"""Drawn tunes are held beside real ones by numbers and classifiers whose answers are known here."""

import json
from dataclasses import asdict
from pathlib import Path

import numpy as np
import pytest

from tests.training.made_up_tunes import AABB, FORGETFUL, OTHERS, REMEMBERING, tune
from training.cli.main import main
from training.evaluation import measures, music, two_sample, verdict, verdict_table
from training.evaluation.beside_real import ALL, BesideReal, RealSide, common_rhythm, of_rhythm, understood
from training.evaluation.two_sample import CLASSIFIERS, NUMBERS, WORDS
from training.evaluation.verdict import Verdict

KNOWN = {
    "bars that come again": 4 / 16,  # 5 and 6 of A, 5 and 7 of B
    "bars equal to the one 1 back": 0,
    "bars equal to the one 2 back": 0,
    "bars equal to the one 4 back": 3 / 12,
    "bars equal to the one 8 back": 1 / 8,
    "bar 1 = bar 5": 1,
    "bar 2 = bar 6": 1 / 2,
    "bar 7 of A = bar 7 of B": 1,
    "different bars of all": 12 / 16,
    "parts of 8 bars": 1,
    "parts of 4 bars": 0,
    "parts": 2,
    "bars as written": 16,
    "last note is the tonic": 1,
    "range, steps of the scale": 11,  # D to a
    "accidentals in 100 notes": 0,
}


def measured(tune: str) -> dict[str, float]:
    found = music.read(tune)
    assert found is not None
    return dict(zip((measure.name for measure in measures.MEASURES), measures.table([found])[0].tolist(), strict=True))


def test_a_tune_whose_numbers_are_known() -> None:
    found = measured(AABB)
    assert {name: found[name] for name in KNOWN} == pytest.approx(KNOWN)
    kinds = ("note repeated", "by step", "by third", "by fourth to octave")
    assert sum(found[name] for name in kinds) == pytest.approx(1 - 1 / 107)  # D up to f


def test_a_pickup_is_no_bar_one_of_its_part() -> None:
    with_pickups = AABB.replace("|:DFAF", "|:A2|DFAF").replace("A2 D4:|", "A2 D2:|")
    with_pickups = with_pickups.replace("|:fgaf", "|:A2|fgaf").replace("f2 d4:|", "f2 d2:|")
    found = measured(with_pickups)
    same = ("bar 1 = bar 5", "bar 2 = bar 6", "bar 7 of A = bar 7 of B", "parts of 8 bars")
    assert {name: found[name] for name in same} == {name: KNOWN[name] for name in same}
    assert found["bars as written"] == 18
    assert found["bars equal to the one 8 back"] == pytest.approx(2 / 10)  # the pickup, and bar 7


def test_what_has_no_meaning_for_a_tune_is_not_counted() -> None:
    short = "X:1\nM:4/4\nL:1/8\nK:C\nC8|^C8|D8|C8|]"
    found = measured(short)
    assert np.isnan(found["bar 1 = bar 5"])
    assert np.isnan(found["bars equal to the one 4 back"])
    assert found["accidentals in 100 notes"] == 25


def test_the_distance_is_the_largest_gap_between_two_distributions() -> None:
    one, other = np.array([1.0, 2.0, 3.0, 4.0]), np.array([3.0, 4.0, 5.0, 6.0])
    assert verdict.distance(one, other) == verdict.distance(other, one) == 0.5
    assert verdict.distance(one, one) == 0
    assert verdict.distance(one, one + 10) == 1


def test_a_verdict_goes_by_the_distance_between_halves() -> None:
    assert [verdict.judge(distance, 0.1) for distance in (0.05, 0.15, 0.25)] == [
        Verdict.AS_REAL,
        Verdict.NEAR,
        Verdict.FAR,
    ]
    values = np.random.default_rng(3).normal(size=400)
    halves = verdict.between_halves(values)
    assert 0.1 < halves < 0.2  # 1.36 √(2 / 200) = 0.136, by Kolmogorov's distribution
    assert verdict.judge(verdict.distance(values[:200], values[200:]), halves) is Verdict.AS_REAL


def test_what_no_real_tune_does_is_not_far_if_few_do_it() -> None:
    halves = verdict.between_halves(np.zeros(30))
    assert halves == pytest.approx(0.1)
    assert verdict.judge(verdict.distance(np.zeros(30), np.repeat([0.0, 1.0], [97, 3])), halves) is Verdict.AS_REAL


def test_tunes_of_one_kind_are_not_told_apart() -> None:
    found = two_sample.tell_apart(understood(REMEMBERING), understood(OTHERS))
    assert found is not None
    for name in CLASSIFIERS:
        assert found[name].auc == pytest.approx(0.5, abs=3 * found[name].error)


def test_a_planted_difference_is_found() -> None:
    found = two_sample.tell_apart(understood(REMEMBERING), understood(FORGETFUL))
    assert found is not None
    assert found[NUMBERS].auc > 0.95
    assert found[NUMBERS].auc > found[WORDS].auc  # words of four notes do not reach four bars back


def test_a_copy_never_teaches_the_classifier_what_it_is_a_copy_of() -> None:
    copies = [each.replace("T:Known", "T:Copied") for each in REMEMBERING]
    found = two_sample.tell_apart(understood(REMEMBERING), understood(copies))
    assert found is not None
    assert found[NUMBERS].auc == pytest.approx(0.5, abs=0.01)  # each stands beside its like, on both sides at once
    assert found[WORDS].auc == pytest.approx(0.5, abs=0.01)


def test_the_verdict_tells_what_is_missing_and_what_is_not() -> None:
    side = RealSide(REMEMBERING, OTHERS)
    beside = side.beside(FORGETFUL)
    assert beside is not None
    assert (beside.real, beside.drawn) == (60, 60)
    far = {row.name for row in beside.rows[ALL] if row.verdict is Verdict.FAR}
    assert {"bars that come again", "bars equal to the one 4 back", "bar 1 = bar 5", "different bars of all"} <= far
    assert beside.row("parts of 8 bars").verdict is Verdict.AS_REAL
    assert beside.row("bars that come again", "reel") == beside.row("bars that come again")
    assert beside.row("bars that come again", "jig").verdict is Verdict.TOO_FEW
    assert {test.verdict for test in beside.tests if test.classifier == NUMBERS} == {Verdict.FAR}
    alike = side.beside([tune(number) for number in range(300, 360)])
    assert alike is not None
    assert {row.verdict for row in alike.rows[ALL]} == {Verdict.AS_REAL}
    assert BesideReal.from_json(json.loads(json.dumps(asdict(beside)))) == beside


def test_tunes_that_are_all_alike_are_not_varied() -> None:
    side = RealSide(REMEMBERING, OTHERS)
    beside = side.beside(REMEMBERING[:1] * 60)
    assert beside is not None
    assert beside.tests == []  # one family cannot be kept out of what a classifier learns from
    varieties = {each.name: each for each in beside.varieties}
    assert varieties["different first bars"].drawn == pytest.approx(1 / 30)
    assert varieties["different first bars"].verdict is Verdict.FAR
    assert varieties["different plans"].real == pytest.approx(1 / 30)  # the made-up reels all have one


def test_the_table_has_a_line_for_each_measure_and_its_verdict() -> None:
    beside = RealSide(REMEMBERING, OTHERS).beside(FORGETFUL)
    assert beside is not None
    lines = verdict_table.to_markdown(beside).split("\n")
    assert lines[0].startswith("Of 22 measures of all tunes: ")
    assert "AUC" in lines[0]
    for measure in measures.MEASURES:
        assert sum(line.startswith(f"| {measure.name} |") for line in lines) == 2
    again = next(line for line in lines if line.startswith("| bars that come again |"))
    assert again.endswith("| far |")


def test_where_there_is_little_little_is_said() -> None:
    beside = RealSide(REMEMBERING[:3], OTHERS[:3]).beside(FORGETFUL[:3])
    assert beside is not None
    assert (beside.tests, beside.varieties) == ([], [])
    assert {row.verdict for row in beside.rows[ALL]} == {Verdict.TOO_FEW}
    assert "too few" in verdict_table.to_markdown(beside)
    assert RealSide(REMEMBERING[:3], OTHERS[:3]).beside(["X:1\nK:C\n~~ no tune"]) is None


def test_tunes_of_one_rhythm_are_held_beside_real_ones_of_it() -> None:
    jigs = [tune.replace("R:reel", "R:jig") for tune in OTHERS]
    assert common_rhythm(OTHERS) == "reel"
    assert common_rhythm([*OTHERS, *jigs]) is None
    assert common_rhythm([tune.replace("R:reel", "R:polka") for tune in OTHERS]) is None
    assert of_rhythm([*OTHERS, *jigs], "jig") == jigs


def test_a_file_of_tunes_is_judged(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    book, drawn = tmp_path / "book.abc", tmp_path / "drawn.abc"
    book.write_text("\n\n".join([*REMEMBERING, *OTHERS]) + "\n", "utf-8")
    drawn.write_text("\n\n".join(FORGETFUL) + "\n", "utf-8")
    assert main(["judge", str(drawn), "--on", str(book), "--json", str(tmp_path / "told.json")]) == 0
    told = capsys.readouterr().out
    assert "| bars that come again |" in told
    written = BesideReal.from_json(json.loads((tmp_path / "told.json").read_text("utf-8")))
    assert told.strip() == verdict_table.to_markdown(written)
