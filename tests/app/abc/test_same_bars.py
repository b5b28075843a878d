"""Which bars of a tune are the same, and what of them is replaced at all their places."""

import pytest

from app.abc.same_bars import different_bars, keeps, numbers_of, places_of, replaceable
from app.errors import RequestError

HEAD = "X:1\nM:4/4\nL:1/8\nK:G\n"


def same_of(body: str) -> list[list[int]]:
    return numbers_of(different_bars(HEAD + body))


def replaced(body: str, *numbers: int) -> list[list[str]]:
    abc = HEAD + body
    return [[abc[place.begin : place.end] for place in places] for places in places_of(abc, numbers)]


def test_bars_that_are_written_the_same_are_the_same() -> None:
    assert same_of("|:GABc d2e2|GABc d4|GABc d2e2|1 G8:|2 G8||") == [[1, 3], [2], [4, 5]]


@pytest.mark.parametrize(
    "other",
    ["GA Bc d2e2", '"G"GABc "D"d2e2', "{g}GAB~c d2e2", "(GABc) d2e2", "GABc d2e2-"],
    ids=["spaces", "chord symbols", "ornaments", "slurs", "a tie to the next bar"],
)
def test_what_adorns_a_bar_makes_no_difference(other: str) -> None:
    assert same_of(f"GABc d2e2|{other}|e8|") == [[1, 2], [3]]


@pytest.mark.parametrize("other", ["GABc d2-d2", "GAB^c d2e2", "G>ABc d2e2", "(3GABc d2e2", "GABc d2z2"])
def test_other_notes_do(other: str) -> None:
    assert same_of(f"GABc d2e2|{other}|") == [[1], [2]]


@pytest.mark.parametrize("field", ["\nK:D\n", "\nL:1/16\n", "\nM:2/4\n", "[K:D]"])
def test_the_same_letters_in_another_key_metre_or_unit_are_another_bar(field: str) -> None:
    assert same_of(f"GABc d2e2|{field}GABc d2e2|") == [[1], [2]]
    back = "\nK:G\nM:4/4\nL:1/8\n"
    assert same_of(f"GABc d2e2|{field}GABc d2e2|{back}GABc d2e2|") == [[1, 3], [2]]


def test_any_place_of_a_bar_names_all_of_them() -> None:
    body = "|:GABc d2e2|G8|GA Bc d2e2|1 e8:|2 GABc d2e2||"
    assert replaced(body, 3) == replaced(body, 1, 5) == [["GABc d2e2", "GA Bc d2e2", "GABc d2e2"]]
    assert replaced(body, 2, 4) == [["G8"], ["e8"]]


def test_what_holds_one_place_stays_at_all_of_them() -> None:
    assert replaced("GABc d2e2|e8|GABc d2e2-|e8|", 1) == [["GABc d2", "GABc d2"]]
    assert replaced("GABc d2G2-|GABc d2e2|e8|GABc d2e2|", 2) == [["ABc d2e2", "ABc d2e2"]]
    assert replaced("GABc d2(e2|f8)|GABc d2e2|", 1) == [["GABc d2", "GABc d2"]]


def test_bars_that_are_held_everywhere_are_named() -> None:
    with pytest.raises(RequestError, match=r"bar 3, where bar 1 comes again, is held .* or leave `everywhere` out"):
        places_of(HEAD + "G8|e8|G8-|G4e4|", [1])
    with pytest.raises(RequestError, match="there is no bar 9; the tune has bars 1 to 2"):
        places_of(HEAD + "G8|e8|", [1, 9])
    with pytest.raises(RequestError, match="a field stands inside bar 2"):
        places_of(HEAD + "G8|e4[K:D]e4|", [2])


def test_only_bars_that_are_free_at_all_places_can_be_replaced() -> None:
    assert replaceable(different_bars(HEAD + "G8|e8|G8-|G4e4|e4[K:D]e4|z8|Z2|")) == [2, 4, 6]
    assert replaceable(different_bars(HEAD)) == []


def test_the_same_bars_are_kept_where_those_that_were_the_same_are_the_same_again() -> None:
    assert keeps([[1, 3], [2]], [[1, 3], [2]])
    assert keeps([[1, 2, 3]], [[1, 3], [2]])
    assert not keeps([[1], [2], [3]], [[1, 3], [2]])
    assert not keeps([[1, 3]], [[1, 3], [2]])
