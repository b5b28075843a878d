"""The faults that take seconds; `python -m tests.faults` makes all of them, and prints what came of each."""

from pathlib import Path

import pytest

from tests.faults import cases
from tests.faults.cases import FAULTS


@pytest.mark.parametrize(
    "name",
    ["kill -9 of the service", "kill -9 of a renderer", "disk full", "clock ±10 years", "a model in halves",
     "SIGTERM under load"],
)  # fmt: skip
def test_after_a_fault_nothing_promised_is_lost_and_nothing_is_left(tmp_path: Path, name: str) -> None:
    outcome = FAULTS[name](tmp_path)
    if outcome.seen.startswith("not tried"):
        pytest.skip(outcome.seen)
    assert outcome.faults == []


def test_an_honest_client_is_served_beside_silent_ones(tmp_path: Path) -> None:
    assert cases.silent_connections(tmp_path, most=1500).faults == []
