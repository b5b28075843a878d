"""The harness that counts faulty tunes: each can be made again, and none goes uncounted."""

import json
from dataclasses import asdict, replace
from pathlib import Path

from tests.wellformed import JUDGES, Outcome, by_chance, by_model, read, table

CLEAN = Outcome("model", 7, {}, "X:1\n", is_finished=True, complaints={judge: [] for judge in JUDGES})


def test_a_number_makes_the_same_tune_alone_and_among_others() -> None:
    assert by_chance(17) == by_chance(17)
    assert by_model([17]) == by_model([16, 17])[1:]


def test_a_fault_is_counted_for_its_judge_and_can_be_made_again() -> None:
    faulty = replace(CLEAN, number=8, complaints=CLEAN.complaints | {"music21": ["measure 3 lasts 5 quarters, not 4"]})
    endless = replace(CLEAN, number=9, is_finished=False)
    last = table([CLEAN, faulty, endless]).split("\n")[-1].split()
    assert last == ["model", "3", "1", "0", "1", "0"]
    assert [outcome.is_faulty for outcome in (CLEAN, faulty, endless)] == [False, True, True]
    assert str(faulty).startswith("model:8 ")


def test_an_interrupted_run_leaves_whole_outcomes(tmp_path: Path) -> None:
    file = tmp_path / "outcomes.jsonl"
    line = json.dumps(asdict(CLEAN))
    file.write_text(f"{line}\n{line[:40]}")
    assert read(file) == {("model", 7): CLEAN}
