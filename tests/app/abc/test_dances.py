"""A dance is as fast however it is written."""

import statistics

import pytest

from app.abc.dances import dance_of, is_in_sixteenths, quarters_a_minute
from app.abc.duration import duration_s
from app.abc.fields import parse_meter
from app.abc.reader import read
from app.settings import Settings
from benchmarks.tempo import notes_a_minute
from model_store.store import Store

BAR = "d2fd Bdfd|edBA B2AG|"


@pytest.mark.parametrize("rhythm", ["reel", "hornpipe", "clog", "fling"])
def test_a_dance_in_sixteenths_in_two_four_lasts_as_long_as_in_eighths(rhythm: str) -> None:
    small = read(f"X:1\nR:{rhythm}\nM:2/4\nL:1/16\nK:D\n{BAR}\n")
    large = read(f"X:1\nR:{rhythm}\nM:C|\nL:1/8\nK:D\n{BAR}\n")
    assert is_in_sixteenths(small)
    assert not is_in_sixteenths(large)
    assert duration_s(small) == pytest.approx(duration_s(large))


def test_a_polka_has_its_beat_in_two_four_and_three_eight_is_a_short_three_four() -> None:
    polka = read(f"X:1\nR:polka\nM:2/4\nL:1/16\nK:D\n{BAR}\n")
    assert quarters_a_minute(polka) == 126
    short = read("X:1\nR:waltz\nM:3/8\nL:1/16\nK:D\nd4f2|a6|\n")
    long = read("X:1\nR:waltz\nM:3/4\nL:1/8\nK:D\nd4f2|a6|\n")
    assert duration_s(short) == pytest.approx(duration_s(long))


def test_a_jig_in_nine_eight_is_a_slip_jig_and_a_rhythm_is_found_inside_of_words() -> None:
    assert dance_of("jig", parse_meter("9/8")).name == "slip jig"
    assert dance_of("Irish double jig", parse_meter("6/8")).name == "double jig"
    assert dance_of("Hornpipe (old)", parse_meter("C|")).name == "hornpipe"


def test_what_a_tune_says_of_its_tempo_stays() -> None:
    assert duration_s(read("X:1\nR:reel\nM:4/4\nL:1/4\nQ:1/4=60\nK:D\nDEFG|\n")) == 4


def test_known_tunes_of_one_rhythm_are_as_fast_in_each_of_its_metres() -> None:
    index = Store(Settings().model_store).load("irish").tune_index()
    assert index is not None
    found = notes_a_minute([index.abc(number) for number in range(len(index))], 20)
    seen = set()
    for rhythm in ("reel", "hornpipe", "jig", "set dance", "air"):
        medians = [statistics.median(values) for values in found[rhythm].values() if len(values) > 2]
        assert max(medians) / min(medians) < 1.1
        seen.add(len(medians))
    assert max(seen) > 2
