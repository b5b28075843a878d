"""What followed the last two signs when they were last written: known answers, and its definition on random text."""

from random import Random

import pytest

from app.abc.lookback import Tracker
from app.abc.lookback.alphabet import Alphabet
from app.abc.lookback.columns import MATCH_AT, RUNS, columns
from tests.app.abc.lookback.test_tracker import CHARACTERS, HEADER

ALPHABET = Alphabet(CHARACTERS, is_planned=True, is_matched=True)
ORDER = 2


def told(text: str) -> list[tuple[str, int]]:
    """What is pointed at after each character of a text, `-` for nothing, and the bucket of how long it was right."""
    tracker, found = Tracker(ALPHABET), []
    for character in text:
        tracker.advance(CHARACTERS.index(character))
        number, run = divmod(tracker.row[MATCH_AT], RUNS)
        found.append(((CHARACTERS + "-")[number], run))
    return found


def pointed_at(text: str) -> str:
    return "".join(character for character, _ in told(HEADER + text)[len(HEADER) :])


def test_it_is_the_last_column_of_a_network_that_is_told_it() -> None:
    names = [each.name for each in columns(len(CHARACTERS))]
    assert names.index("match") == MATCH_AT - 1 == ALPHABET.width - 1
    assert Alphabet.of_width(CHARACTERS, ALPHABET.width).is_matched
    assert not Alphabet.of_width(CHARACTERS, ALPHABET.width - 1).is_matched


def test_a_motif_that_comes_again_elsewhere_in_the_bar_is_pointed_at() -> None:
    assert pointed_at("dcBA|efgf dcBA") == "-----------BA|"


@pytest.mark.parametrize("line", ["abcd|efab", "abcd|ef ab", "ab cd|efab", "a bcd|efa b"])
def test_white_space_is_no_sign(line: str) -> None:
    assert pointed_at(line + "c").endswith("d")


def test_it_goes_on_until_it_is_wrong_and_then_looks_for_the_newest() -> None:
    assert pointed_at("abce abdf ab").endswith("d")
    assert pointed_at("abce abdf abc").endswith("e"), "`d` was wrong, and `e` is what followed `bc`"
    assert pointed_at("abce abdf abg").endswith("-")


def test_how_long_it_was_right_is_told() -> None:
    runs = [run for _, run in told(f"{HEADER}abcdefga|abcdefga|")]
    assert runs[-8:] == [0, 1, 1, 2, 2, 2, 3, 3]


def test_nothing_is_pointed_at_in_the_header_and_each_tune_begins_anew() -> None:
    assert {character for character, _ in told(HEADER)} == {"-"}
    again = told(f"{HEADER}abc abc\n\n{HEADER}ab")
    assert again[-1] == ("-", 0)


def test_on_any_text_it_is_what_it_says_of_itself() -> None:
    random = Random(3)
    for _ in range(200):
        text = (
            "".join(random.choices("abcde2 |\n", [3, 3, 3, 2, 2, 3, 3, 2, 0.2], k=300))
            .replace("\n\n", "\n")
            .lstrip("\n")
        )
        signs: list[str] = []
        target = -1  # the number of the sign that is pointed at
        for character, (pointed, run) in zip(text, told(HEADER + text)[len(HEADER) :], strict=True):
            if character in " \n":
                continue
            if target >= 0 and signs[target] == character:
                target += 1
                is_right = True
            else:
                is_right = False
            signs.append(character)
            if not is_right:
                last = tuple(signs[-ORDER:])
                earlier = (n for n in range(len(signs) - 1, ORDER - 1, -1) if tuple(signs[n - ORDER : n]) == last)
                target = next(earlier, -1)
            assert (run > 0) == is_right
            assert (pointed == "-") == (target < 0)
            assert pointed in (" \n-" if target < 0 else f" \n{signs[target]}")


def test_a_copy_goes_on_by_itself() -> None:
    tracker = Tracker(ALPHABET)
    for character in f"{HEADER}abcd|ab":
        tracker.advance(CHARACTERS.index(character))
    copy = tracker.copy()
    for character in "efg":
        tracker.advance(CHARACTERS.index(character))
    copy.advance(CHARACTERS.index("c"))
    assert CHARACTERS[copy.row[MATCH_AT] // RUNS] == "d"
    tracker.stand_as(copy)
    assert tracker.row == copy.row
    tracker.advance(CHARACTERS.index("d"))
    assert CHARACTERS[tracker.row[MATCH_AT] // RUNS] == "|"
