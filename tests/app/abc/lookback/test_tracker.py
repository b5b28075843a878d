"""What a network is told of a text: known answers, any text whatever, and the same one character at a time."""

from random import Random

import numpy as np
import pytest
from numpy.typing import NDArray

from app.abc.lookback import Tracker, track
from app.abc.lookback.alphabet import Alphabet
from app.abc.lookback.columns import DEGREES, LAGS, PARTS, RUNS, columns
from tests.app.inference.test_decoder import TEXT

CHARACTERS = "".join(sorted(set(TEXT) | set("\n X:TRMLK|[]()<>{}\"!'^_=,-/0123456789ABCDEFGabcdefgzxVQibm")))
ALPHABET = Alphabet(CHARACTERS)
HEADER = "X:1\nR:reel\nM:4/4\nL:1/8\nK:D\n"
EIGHT = "ABcd efga|bagf edcB|ABcd efga|d2d2 d4|ABcd efga|bagf edcB|ABcd efga|e2c2 d4"


def rows(text: str, characters: str = CHARACTERS) -> NDArray[np.int32]:
    alphabet = Alphabet(characters)
    return track(alphabet, [characters.index(c) for c in text])


def column(name: str, text: str) -> list[int]:
    """A column after each character of a text."""
    names = [each.name for each in columns(len(CHARACTERS), is_planned=False)]
    return [int(value) for value in rows(text)[:, 1 + names.index(name)]]


def pointed_at(lag: int, text: str) -> str:
    """What the pointer points at after each character, `-` for nothing."""
    found = [value // RUNS for value in column(f"back_{lag}", text)]
    return "".join((CHARACTERS + "-")[value] for value in found)


def test_a_bar_that_comes_again_is_pointed_at_character_by_character() -> None:
    bar = "AB/c/ (3def g2A2"
    told = pointed_at(1, f"{HEADER}{bar}|{bar}|")[len(HEADER) + len(bar) :]
    assert told == f"{bar}|{bar[0]}"
    runs = [value % RUNS for value in column("back_1", f"{HEADER}{bar}|{bar}|")]
    assert runs[len(HEADER) + len(bar)] == 0
    assert runs[-2:] == [4, 4]  # 12 to 23 characters


@pytest.mark.parametrize("lag", LAGS)
def test_each_pointer_looks_its_number_of_bars_back(lag: int) -> None:
    names = "ABcdefgaDE"
    text = HEADER + "".join(f"{name}8|" for name in names)
    told = pointed_at(lag, text)
    for number in range(len(names)):
        after_bar_line = told[len(HEADER) + 3 * number + 2]
        assert after_bar_line == (names[number + 1 - lag] if number + 1 >= lag else "-")


def test_after_other_notes_a_pointer_goes_on_where_a_note_begins_at_the_same_time() -> None:
    text = f"{HEADER}A2 Bc d4|e2 "
    assert pointed_at(1, text).endswith("A- B"), "the second of the bar's half notes is what follows"
    assert pointed_at(1, f"{HEADER}A2 Bc d4|e4").endswith(" "), "and its second half"
    assert pointed_at(1, f"{HEADER}A2 Bc d4|e6").endswith("-"), "where nothing begins there is nothing"


def test_white_space_and_the_kind_of_a_bar_line_are_not_what_is_written() -> None:
    runs = [value % RUNS for value in column("back_1", f"{HEADER}ABcd efga|\nABcdefga:|")]
    assert runs[-3] >= 3
    assert runs[-1] == runs[-2] == runs[-3]


def test_a_pickup_is_no_bar_and_bars_are_counted_within_the_part() -> None:
    text = f"{HEADER}|:d2|{EIGHT[:-1]}2:|\n|:e2|{EIGHT}|]"
    bars, parts = zip(*(divmod(value, PARTS) for value in column("bar", text)), strict=True)
    second = text.index("|:e2") + 2
    assert bars[text.index("d2") + 1] == bars[text.index("d2") + 4] == 1
    assert bars[text.index("2:|") - 1] == 8
    assert parts[second - 3] == 1
    assert (bars[second], parts[second]) == (1, 1)
    assert pointed_at(8, text)[second + 2] == "A", "the first bar of the part, eight bars back"


def test_a_second_ending_stands_in_the_place_of_the_first() -> None:
    text = f"{HEADER}|:{EIGHT[: EIGHT.rindex('|')]}|1 e2c2 d4:|2 f2c2 d4||\nA"
    bars = [value // PARTS for value in column("bar", text)]
    first, second = text.index("|1 e") + 3, text.index("|2 f") + 3
    assert bars[first] == bars[second] == 8
    assert pointed_at(8, text)[-1] == pointed_at(8, f"{HEADER}|:{EIGHT}:|\nA")[-1] == "B"


def test_time_is_told_whatever_it_is_written_with() -> None:
    def sixteenths(music: str) -> int:
        return column("place", HEADER + music)[-1] // DEGREES

    assert [sixteenths(music) for music in ("", "A", "A2", "A/", "A/2", "A3/2", "A//")] == [0, 2, 4, 1, 1, 3, 32]
    assert [sixteenths(music) for music in ("A>B", "A<B", "(3ABc", "[AC]2B", '{c}A"G7"B', "z2A-A")] == [
        4,
        4,
        4,
        6,
        4,
        8,
    ]
    assert sixteenths("ABcd|") == 0


def test_the_note_is_told_by_its_degree_of_the_scale() -> None:
    degrees = [value % DEGREES for value in column("place", HEADER + "DEFGABcd")]
    assert degrees[len(HEADER) :] == [1, 2, 3, 4, 5, 6, 7, 1]


def test_every_tune_begins_anew() -> None:
    alone = rows(TEXT.split("\n\n")[1])
    after_another = rows(TEXT)[-len(alone) :]
    np.testing.assert_array_equal(alone, after_another)


def texts() -> list[str]:
    """Free, faulty and none."""
    generator = Random(1)
    music = "|:[]()ABCDEFGabcdefg23/> <\n{}!\"z-^=_,'1"
    found = [
        "",
        "\n",
        "\n\n\n",
        "ABc|def",
        ":::|||[[[]]]",
        "X:1\nX:2\nK:\nK:D\n|",
        "K:D\nA:|\nX:2\nB|",
        "K:G\nA(3:2:3B|",
    ]
    for _ in range(100):
        head = generator.choice(["", HEADER, "K:Q\n", "M:0/0\nL:1/0\nK:C\n", "M:999/1\nL:9/1\nK:Ebmix\n"])
        found.append(head + "".join(generator.choice(music) for _ in range(300)))
        found.append("".join(generator.choice(CHARACTERS) for _ in range(300)))
    return found


def test_any_text_will_do_and_no_column_leaves_its_range() -> None:
    sizes = np.array([len(CHARACTERS), *(each.size for each in columns(len(CHARACTERS), is_planned=False))])
    for text in texts():
        told = rows(text)
        assert told.shape == (len(text), len(sizes))
        assert ((told >= 0) & (told < sizes)).all(), text


def test_a_copy_goes_its_own_way_from_any_place() -> None:
    for text in [TEXT, *texts()[-6:]]:
        whole = rows(text).tolist()
        tracker = Tracker(ALPHABET)
        for place, character in enumerate(text):
            tracker.advance(CHARACTERS.index(character))
            assert list(tracker.row) == whole[place]
            if place % 37 == 0:
                copy = tracker.copy()
                for other in "B|A2\n":
                    tracker.copy().advance(CHARACTERS.index(other))
                for number in range(place + 1, min(place + 60, len(text))):
                    copy.advance(CHARACTERS.index(text[number]))
                    assert list(copy.row) == whole[number]


def test_a_tracker_stands_as_another_and_goes_its_own_way() -> None:
    text = "X:1\nM:6/8\nK:D\ndfe dBA|(3ABA F DFA|dfe dBA|B2A FED|"
    marked, tracker = Tracker(ALPHABET), Tracker(ALPHABET)
    row, whole = tracker.row, rows(text).tolist()
    for character in text[:-12]:
        marked.advance(CHARACTERS.index(character))
    for written in ("", "X:2\nK:A\nab|", "c|d"):
        for character in written:
            tracker.advance(CHARACTERS.index(character))
        tracker.stand_as(marked)
        assert list(row) == list(marked.row)
        for place in range(len(text) - 12, len(text)):
            tracker.advance(CHARACTERS.index(text[place]))
            assert list(row) == whole[place]


def test_a_vocabulary_may_lack_what_it_likes() -> None:
    assert rows("abc", "abc").shape == (3, 1 + len(columns(3, is_planned=False)))
