"""Which rhythms can be asked for, and in which metres; the same list says how fast they are."""

import pytest

from app.abc import rhythms
from app.abc.dances import DANCES, dance_of
from app.abc.fields import parse_meter
from app.abc.rhythms import METERS_OF_RHYTHM, meters_to_ask_for
from app.errors import RequestError
from app.generation.menus import Menus
from app.grammar import Request
from app.grammar.ticks import METERS


def test_every_speed_is_that_of_a_rhythm_on_the_list() -> None:
    known = {name.replace(" ", "") for name in METERS_OF_RHYTHM}
    assert {dance.name.replace(" ", "") for dance in DANCES} <= known
    for name, meters in METERS_OF_RHYTHM.items():
        assert name == "walkaround" or dance_of(name, parse_meter(meters[0])).name in name


def test_every_rhythm_can_be_asked_for_in_each_of_its_metres() -> None:
    assert Menus.of("".join(map(chr, range(32, 127)))).rhythms == tuple(METERS_OF_RHYTHM)
    for name in METERS_OF_RHYTHM:
        assert meters_to_ask_for(name)
        for meter in (None, *meters_to_ask_for(name)):
            rhythms.check(name.title(), meter)
            Request(rhythm=name, meter=meter)
            assert meter is None or meter in METERS


@pytest.mark.parametrize(
    ("rhythm", "meter", "field", "words"),
    [
        ("polca", None, "rhythm", r"'polca' is not a rhythm here \(did you mean polka\?\); there are reel, jig, "),
        ("slipjig", None, "rhythm", "did you mean slip jig"),
        ("xyz", None, "rhythm", "'xyz' is not a rhythm here; there are reel, jig, "),
        ("slip jig", "C|", "meter", r"a slip jig is in 9/8, not in C\|"),
        ("Jig", "5/4", "meter", "a jig is in 6/8, not in 5/4"),
        ("jig", "99/4", "meter", "a jig is in 6/8, not in 99/4"),
        ("hornpipe", "C|", "meter", r"a hornpipe is in 4/4, C or 2/4, not in C\|"),
        ("air", "12/8", "meter", "an air is in 3/4, "),
    ],
)
def test_what_cannot_be_is_refused_with_what_can(rhythm: str, meter: str | None, field: str, words: str) -> None:
    with pytest.raises(RequestError, match=words) as refused:
        rhythms.check(rhythm, meter)
    assert refused.value.faults[0].field == field


@pytest.mark.parametrize(
    ("title", "rhythm"),
    [
        ("The Rights of Man Hornpipe", "hornpipe"),
        ("Two Slip Jigs", "jig"),
        ("Waltzes", "waltz"),
        ("Dick's marches", "march"),
        ("Reel or Jig?", "jig"),
        ("Jiggling", ""),
        ("The Banshee", ""),
    ],
)
def test_the_rhythm_that_a_title_names_last(title: str, rhythm: str) -> None:
    assert rhythms.rhythm_in_title(title) == rhythm
