"""A short, bounded part of `make fuzz`, the same texts each time."""

from tests.fuzz.__main__ import fuzz, report


def test_strangers_texts_get_documented_answers_and_leave_nothing() -> None:
    tally, left = fuzz(minutes=0.25, clients=2, seed=1)
    assert not tally.findings, report(tally, left)
    assert not left, report(tally, left)
