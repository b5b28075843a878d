"""What follows from a metre, and which lengths a note may have, as abc2midi plays and abcjs draws them."""

from fractions import Fraction

import pytest

from app.abc import written_subset
from app.abc.fields import parse_meter
from app.abc.lengths import broken_shares, is_note_value, parse_length, write_length
from app.abc.meters import METER_SIGNS, default_unit
from app.grammar import ticks
from tests import judges


def quarters(header: str, music: str) -> float:
    return judges.quarters_played(f"X:1\n{header}\nK:C\n{music}\n")


@pytest.mark.parametrize("name", [*written_subset.METERS, "3/16", "5/8", "4/2", "11/8"])
def test_a_note_without_lengths_lasts_what_abc2midi_plays(name: str) -> None:
    if reason := judges.missing(judges.abc2midi):
        pytest.skip(reason)
    length = parse_meter(name).length
    assert length
    played = quarters(f"M:{name}", "C" * int(length / default_unit(length)) + "|]")
    assert played == pytest.approx(float(length * 4), abs=0.1)


def test_a_tune_without_a_metre_counts_in_eighths() -> None:
    assert default_unit(None) == Fraction(1, 8)


@pytest.mark.parametrize("name", written_subset.METERS)
def test_tuplets_take_the_time_that_abc2midi_plays(name: str) -> None:
    if reason := judges.missing(judges.abc2midi):
        pytest.skip(reason)
    beats, beat_type = METER_SIGNS.get(name) or map(int, name.split("/"))
    times = written_subset.tuplet_times(beats)
    assert {2, 3, 4} <= times.keys() <= {2, 3, 4, 5}
    assert times == {int(notes): time for notes, time in ticks.METERS[name].tuplets.items()}
    rest = Fraction(beats, beat_type)
    for notes, time in times.items():
        tuplet = f"({notes}" + "C" * notes
        left = rest * 32 - time
        played = quarters(f"M:{name}\nL:1/32", f"{tuplet}C{left}|C{rest * 32}|]")
        assert played == pytest.approx(float(rest * 8), abs=0.1), tuplet


def test_abcjs_draws_every_length_that_is_written_and_below_a_whole_note_few_others() -> None:
    if reason := judges.missing(judges.abcjs):
        pytest.skip(reason)
    lengths = [Fraction(ticks, 64) for ticks in range(1, 129)]
    tunes = [f"X:1\nM:none\nL:1/64\nK:C\nC{length * 64}|C64|C64|C64|]\n" for length in lengths]
    said = judges.abcjs(tunes)
    drawn = {length for length, complaints in zip(lengths, said, strict=True) if not complaints}
    written = {length for length in lengths if written_subset.is_representable(length)}
    assert written <= drawn
    of_four_dots = {Fraction(31, 64), Fraction(31, 32), Fraction(63, 64)}
    assert {length for length in drawn - written if length < 1} == of_four_dots


def test_a_note_value_is_a_head_with_dots() -> None:
    of_quarter = [Fraction(1, 4), Fraction(3, 8), Fraction(7, 16), Fraction(15, 32)]
    assert [[is_note_value(length, dots) for length in of_quarter] for dots in range(4)] == [
        [True, False, False, False],
        [True, True, False, False],
        [True, True, True, False],
        [True, True, True, True],
    ]
    assert [is_note_value(Fraction(wholes), 3) for wholes in ("1", "3/2", "2", "3", "1/3", "5/8")] == [
        *[True, True, False, False, False, False]
    ]


@pytest.mark.parametrize(
    ("text", "length"), [("", "1"), ("2", "2"), ("/", "1/2"), ("3/2", "3/2"), ("/4", "1/4"), ("12", "12")]
)
def test_lengths_are_written_as_they_are_read(text: str, length: str) -> None:
    assert write_length(Fraction(length)) == text
    digits, slash, divisor = text.partition("/")
    assert parse_length(digits, slash, divisor) == Fraction(length)


@pytest.mark.parametrize("sign", [">", "<", ">>", "<<", ">>>"])
def test_a_broken_pair_lasts_as_long_as_before(sign: str) -> None:
    first, second = broken_shares(sign)
    assert first + second == 2
    assert (first > second) == (sign[0] == ">")


def test_every_length_of_the_grammar_is_one_that_is_written() -> None:
    for unit in written_subset.UNIT_LENGTHS:
        for text, length in ticks.lengths(ticks.in_ticks(unit)).items():
            digits, slash, divisor = text.partition("/")
            slashes = text.count("/") * slash
            units = parse_length(digits, slashes, divisor.strip("/"))
            assert units * unit == Fraction(length, ticks.TICKS_PER_WHOLE)
            assert written_subset.is_representable(units * unit)
