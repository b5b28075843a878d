"""Bars with where their notes stand in the text and how long they last."""

from app.abc.timed_notes import timed_bars


def test_notes_stand_where_they_do_behind_a_field_that_goes_on_in_the_next_line() -> None:
    abc = "X:1\nT:a  % b\n+:   c\nM:2/4\nL:1/8\nK:C\nCDEF|\nw:a b % c\n+:   d e\nGABc|\n"
    assert ["".join(abc[place] for place in bar.places) for bar in timed_bars(abc)] == ["CDEF", "GABc"]
