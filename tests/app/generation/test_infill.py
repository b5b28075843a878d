"""Chosen bars are made anew; all else of the tune stays byte for byte."""

import json
import re
from fractions import Fraction
from itertools import pairwise

import httpx
import numpy as np
import pytest

from app.abc.bar_spans import regions, text_bars
from app.abc.reader import Reader
from app.abc.timed_notes import timed_bars
from app.errors import RequestError
from app.inference.engine import Engine
from app.inference.sampler import SamplingParams
from app.inference.sequence import Sequence
from tests import judges
from tests.app.inference.fake_decoders import HashingDecoder

JIG = """X:1
T:A Jig to Mend
R:jig
M:6/8
L:1/8
K:D
|:A|dfe dBA|(3ABA F DFA|{c}d2e f-fe|[df]ed B2A|
dfe dBA|"D"B2A (FED)|E2F GFE|D3 D2:|
|:B|afa gfe|f>ed (edB|c)BA f2e-|eed cBA|1 Bcd e2:|2 d3 d2||
"""
HORNPIPE = "X:1\nR:hornpipe\nM:4/4\nL:1/8\nK:G\n|:DE|G>FG>A B2d2|(3cBA B>G A2G>E|D>GB>d c>AF>A|G2 G2 G2:|\n"


def lengths(abc: str) -> list[object]:
    return [bar.length for bar in Reader(abc).score.voices[0].bars]


def written(abc: str, number: int) -> str:
    ((region,),) = regions(abc, [number])
    return abc[region.begin : region.end]


def anew(client: httpx.Client, abc: str, bars: list[int], **options: object) -> str:
    response = client.post("/generate", json={"abc": abc, "bars": bars, **options})
    assert response.status_code == 200, response.text
    answer: str = response.json()["abc"]
    return answer


def test_bars_are_numbered_from_the_pickup_on() -> None:
    bars = text_bars(JIG)
    assert [bar.number for bar in bars] == list(range(16))
    assert written(JIG, 0) == "A"
    assert written(JIG, 1) == "dfe dBA"
    assert written(JIG, 9) == "B"
    assert [bar.number for bar in text_bars(JIG.replace("|:A|", "|:"))] == list(range(1, 16))


def test_what_holds_a_bar_to_its_neighbours_stays() -> None:
    assert written(JIG, 11) == "f>ed"  # the slur that opens here ends in the next bar
    assert written(JIG, 12) == "BA f2"  # the tied note at its end stays too
    assert written(JIG, 13) == "ed cBA"
    ((before, after),) = regions(JIG, [12, 13])  # chosen together, their tie may go
    assert JIG[before.begin : before.end] == "BA f2e-"
    assert JIG[after.begin : after.end] == "eed cBA"


def test_signs_at_the_ends_of_a_bar_stay() -> None:
    abc = "X:1\nM:2/4\nL:1/8\nK:C\n!segno!CDEF|GABc!fine!|!segno!!trill!c2 !f!B2 !D.S.! |]\n"
    assert [written(abc, number) for number in (1, 2, 3)] == ["CDEF", "GABc", "!trill!c2 !f!B2"]


@pytest.mark.parametrize(
    ("bars", "words"),
    [([16], "there is no bar 16; the tune has bars 0 to 15"), ([3, 99], "there is no bar 99")],
)
def test_bars_that_are_not_there_are_named(bars: list[int], words: str) -> None:
    with pytest.raises(RequestError, match=words):
        regions(JIG, bars)


@pytest.mark.parametrize("abc", [JIG, HORNPIPE, JIG.replace("\n", "\r\n"), JIG.rstrip("\n")])
@pytest.mark.parametrize("bars", [[1], [2, 3], [0, 4]])
def test_all_else_stays(client: httpx.Client, abc: str, bars: list[int]) -> None:
    made = anew(client, abc, bars, seed=1)
    assert made != abc
    spans = [region for run in regions(abc.replace("\r\n", " \n"), bars) for region in run]
    edges = [(0, 0), *((region.begin, region.end) for region in spans), (len(abc), len(abc))]
    kept = [abc[end:begin] for (_, end), (begin, _) in pairwise(edges)]
    assert re.fullmatch("([^|\n]+)".join(map(re.escape, kept)), made)
    assert lengths(made) == lengths(abc)
    assert not any(judges.abc2midi([made]))


def test_each_bar_can_be_made_anew(client: httpx.Client) -> None:
    made = [anew(client, JIG, [number], seed=number) for number in range(16)]
    assert all(lengths(each) == lengths(JIG) for each in made)
    assert not any(judges.abc2midi(made))
    assert len(set(made)) == 16


@pytest.mark.parametrize(
    ("meter", "music", "bars"),
    [
        ("4/4", 'DFAf DFAd-|"D"d2dc BGAB|A8|', [2]),
        ("4/4", "DFAf DFAd-|!trill!d2dc BGAB|A8|", [2]),
        ("4/4", "DFAf DFAd-|{e}d2dc BGAB|A8|", [2]),
        ("4/4", 'DFAf D2 (FA|"D"d2)dc "^up"BGAB|A8|', [1]),
        ("4/4", 'DFAf D2 (FA|"D"d2)dc "^up"BGAB|A8|', [2]),
        ("2/4", "(D>)F A>(B|A2)f2|", [1]),
        ("2/4", "(D>)F A>(B|A2)f2|", [2]),
        ("2/4", "D>F (A<B|c>)d f2|", [2]),
        ("6/8", '(3ABA F "D"(DFA|f)ed !fermata!B2A|d6|', [1, 2]),
        ("4/4", "d2(3(efg a2)(f2|d4) ~d4|", [1]),
        ("4/4", "A2 Td2 .f.e ud2-|d4 [FA]4|", [1, 2]),
        ("4/4", "A2 d2 f2 e2 d2-|d4 [FA]4|", [1]),
        ("4/4", "C8&E4G4|D8|", [1]),
    ],
)
def test_a_bar_is_as_long_as_it_was_or_as_its_metre(
    client: httpx.Client, meter: str, music: str, bars: list[int]
) -> None:
    tune = f"X:10\nT:Dóite\nQ:1/4=120\nM:{meter}\nL:1/8\nK:D\n{music}\n"
    before = [min(bar.length, Fraction(meter)) for bar in Reader(tune).score.voices[0].bars]
    for seed in range(6):
        made = anew(client, tune, bars, seed=seed)
        assert lengths(made) == before, made
        spans = [region for run in regions(tune, bars) for region in run]
        assert made.startswith(tune[: spans[0].begin])
        assert made.endswith(tune[spans[-1].end :])


def test_notes_have_their_places_and_lengths() -> None:
    tune = 'X:1\nM:6/8\nL:1/8\nK:D\n|:"D"A>B (3c{d}ef|[L:1/16]d4-d2 [df]3z3:|\nM:2/4\nZ2|A2&c2|\n'
    bars = timed_bars(tune)
    assert [[tune[place] for place in bar.places] for bar in bars] == [
        ["A", "B", "c", "e", "f"],
        ["d", "d", "[", "z"],
        ["Z"],
        ["A"],
    ]
    assert [bar.length for bar in bars] == [Fraction(1, 2), Fraction(3, 4), Fraction(1), Fraction(1, 8)]
    assert bars[0].lengths[0] == Fraction(3, 16)
    assert bars[0].room_between(bars[0].places[2], len(tune)) == Fraction(1, 4)


def test_the_same_seed_makes_the_same_bars_streamed_or_not(client: httpx.Client) -> None:
    once = anew(client, JIG, [7], seed=7)
    assert anew(client, JIG, [7], seed=7) == once
    assert {anew(client, JIG, [7], seed=seed) for seed in range(8, 12)} != {once}
    body = {"abc": JIG, "bars": [7], "seed": 7}
    events = client.post("/generate", json=body, headers={"Accept": "text/event-stream"}).text
    (done,) = re.findall(r"event: done\ndata: (.*)", events)
    assert json.loads(done)["abc"] == once


@pytest.mark.parametrize("meter", ["999+999+999+999/1", "99/1"])
def test_a_bar_that_no_bar_could_fill_is_refused_at_once(client: httpx.Client, meter: str) -> None:
    response = client.post("/generate", json={"abc": f"X:1\nM:{meter}\nK:C\nZ|C|\n", "bars": [1]})
    assert response.status_code == 422
    assert "whole notes; 16 are allowed where one is made anew" in response.json()["detail"]


def test_a_range_holds(client: httpx.Client) -> None:
    made = anew(client, JIG, [1, 2, 3, 4], seed=1, low=69, high=76)
    new = [written(made, number) for number in (1, 2, 3, 4)]
    heard = [pitch.midi for bar in Reader(made).score.voices[0].bars[1:5] for c in bar.chords for pitch in c.pitches]
    assert heard
    assert all(69 <= pitch <= 76 for pitch in heard), new


@pytest.mark.parametrize(
    ("body", "words"),
    [
        ({"abc": JIG}, "must be sent together"),
        ({"bars": [1]}, "must be sent together"),
        ({"abc": JIG, "bars": [1], "key": "D"}, "key: not for a tune of which bars are made anew"),
        ({"abc": JIG, "bars": [1], "constrained": False}, "constrained"),
        ({"abc": JIG, "bars": [40]}, "there is no bar 40; the tune has bars 0 to 15"),
        ({"abc": "not a tune", "bars": [1]}, "K:"),
        ({"abc": JIG, "bars": []}, "at least 1"),
    ],
)
def test_what_cannot_be_is_refused(client: httpx.Client, body: dict[str, object], words: str) -> None:
    response = client.post("/generate", json=body)
    assert response.status_code == 422
    assert words in response.text


def test_the_engine_adds_up_what_the_model_makes_of_a_prompt() -> None:
    """Beside a sequence that draws; the sum is the reference's, which reads the same ids alone."""
    decoder = HashingDecoder()
    ids = np.array([1, 5, 2, 7, 3, 3], np.int32)
    expected, state = 0.0, decoder.initial_state(1)
    for number, (id_, following) in enumerate(pairwise(ids.tolist()), 1):
        logits, state = decoder.step(np.array([id_], np.int32), state)
        if number >= 2:
            row = logits[0].astype(np.float64)
            expected += row[following] - np.log(np.exp(row).sum())
    engine = Engine(HashingDecoder())
    try:
        other = engine.submit(Sequence(ids[:1], 20, SamplingParams(seed=1))).done
        scored = engine.submit(Sequence(ids, 1, SamplingParams(), scored_from=2)).done.result()
        assert not other.exception()
    finally:
        engine.close()
    assert scored.log_probability == pytest.approx(expected)
    assert expected < 0
