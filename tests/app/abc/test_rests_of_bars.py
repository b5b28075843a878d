"""A rest of several bars counts as so many, for every reader alike."""

import re

import pytest

from app.abc.bar_spans import regions, text_bars
from app.abc.duration import duration_s, played
from app.abc.fingerprint import melody, read_voices
from app.abc.reader import read
from app.errors import RequestError
from app.interchange import musicxml_writer

HEADER = "X:1\nM:4/4\nL:1/8\nK:D\n"
SHORT = HEADER + "A2|DFAd fdAF|Z4|DFAd fdAF:|\n|:[K:G]Z2|GABc d4|1 Z2:|2 G8|]\n"
LONG = HEADER + "A2|DFAd fdAF|Z|Z|Z|Z|DFAd fdAF:|\n|:[K:G]Z|Z|GABc d4|1 Z|Z:|2 G8|]\n"


def test_it_is_written_and_played_as_single_bars_are() -> None:
    assert musicxml_writer.write(read(SHORT)) == musicxml_writer.write(read(LONG))
    assert duration_s(read(SHORT)) == pytest.approx(duration_s(read(LONG)))
    assert played(read(SHORT)) == played(read(LONG))


def test_bars_are_numbered_as_those_of_single_bars() -> None:
    assert melody(SHORT) == melody(LONG)
    numbers = [bar.number for bar in text_bars(SHORT)]
    assert numbers == [0, 1, 2, 6, 7, 9, 10, 12]
    assert {bar.number for bar in text_bars(LONG)} >= set(numbers)
    written = re.findall(rb'<measure number="(\d+)"', musicxml_writer.write(read(SHORT)))
    assert [int(number) for number in written] == [bar.number for bar in text_bars(LONG)]


@pytest.mark.parametrize("abc", [SHORT, HEADER + "A Z3 B|Z2C|Z0|z8 Z|c-Z9d|", HEADER + '"Am"Z4|(Z2)|{c}Z3|'])
def test_every_reader_counts_the_same_bars(abc: str) -> None:
    (bars,), (heard,), found = [voice.bars for voice in read(abc).voices], read_voices(abc), text_bars(abc)
    assert [bar.count for bar in bars] == [bar.bars for bar in heard] == [bar.count for bar in found]
    singles = [single for bar in bars for single in bar.single_bars()]
    assert len(singles) == sum(bar.count for bar in bars)


def test_it_is_not_made_anew_in_part() -> None:
    for number in (2, 3, 5):
        with pytest.raises(RequestError, match="bars 2 to 5 are one rest"):
            regions(SHORT, [number])
    with pytest.raises(RequestError, match="there is no bar 13; the tune has bars 0 to 12"):
        regions(SHORT, [13])
    assert [region.number for run in regions(SHORT, [1, 6]) for region in run] == [1, 6]
