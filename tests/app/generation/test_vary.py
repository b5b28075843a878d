"""A share of a tune's different bars is made anew, or chosen bars at all their places; the same stay the same."""

import json
import re
from typing import Any

import httpx
import pytest

from app.abc.bar_spans import text_bars
from app.abc.reader import Reader
from app.abc.same_bars import different_bars, numbers_of, places_of, replaceable
from app.generation.infill_text import Pieces
from app.generation.jobs import InfillJob, share_of
from tests import judges

REEL = """X:1
T:A Reel to Vary
R:reel
M:4/4
L:1/8
K:G
|:D2|GABc d2BG|"D"c2A2 A2FA|GABc d2g2|f2a2 g2:|
|:fg|a2fd A2d2|GABc d2BG|(3efg dB c2A2|1 GA Bc d2BG-|G2 B2 d2:|2 BG FA B2AF|G6||
"""
TUNES = {
    "reel": REEL,
    "in Windows' lines": REEL.replace("\n", "\r\n"),
    "jig": "X:1\nR:jig\nM:6/8\nL:1/8\nK:D\n|:A|dfe dBA|BAF D3|dfe dBA|E2F D2:|\n|:B|afa gfe|dfe dBA|afa gfe|E2F D2:|\n",
    "hornpipe": "X:1\nR:hornpipe\nM:4/4\nL:1/8\nK:G\n|:DE|G>FG>A B2d2|(3cBA B>G A2G>E|G>FG>A B2d2|G2 G2 G2:|\n",
}


def generate(client: httpx.Client, **body: object) -> dict[str, Any]:
    response = client.post("/generate", json=body)
    assert response.status_code == 200, response.text
    answer: dict[str, Any] = response.json()
    return answer


def read(abc: str) -> str:
    return abc.replace("\r\n", " \n")


def same_of(abc: str) -> list[list[int]]:
    return numbers_of(different_bars(read(abc)))


def bars_of(abc: str) -> dict[int, str]:
    abc = read(abc)
    return {bar.number: abc[bar.groups[0].begin : bar.groups[-1].end] for bar in text_bars(abc)}


@pytest.mark.parametrize("share", [0.25, 1.0])
@pytest.mark.parametrize("abc", TUNES.values(), ids=TUNES.keys())
def test_a_share_of_the_different_bars_is_new_and_the_same_bars_stay_the_same(
    client: httpx.Client, abc: str, share: float
) -> None:
    answer = generate(client, abc=abc, vary=share, seed=2)
    made, changed = answer["abc"], answer["changed_bars"]
    assert same_of(made) == same_of(abc)
    assert judges.abc2midi([made]) == [[]]
    lengths = [[bar.length for bar in Reader(each).score.voices[0].bars] for each in (abc, made)]
    assert lengths[0] == lengths[1]
    before, after = bars_of(abc), bars_of(made)
    assert changed == [number for number in before if before[number] != after[number]]
    different = [numbers for numbers in same_of(abc) if not set(numbers).isdisjoint(changed)]
    assert sorted(number for numbers in different for number in numbers) == changed
    assert 1 <= len(different) <= share_of(len(same_of(abc)), share)
    assert re.sub(r"[^|:\r\n]", "", made.split("K:")[1]) == re.sub(r"[^|:\r\n]", "", abc.split("K:")[1])


def test_nothing_is_changed_by_a_share_of_nothing(client: httpx.Client) -> None:
    answer = generate(client, abc=REEL, vary=0, seed=1)
    assert (answer["abc"], answer["changed_bars"], answer["generated"]) == (REEL, [], 0)


def test_the_same_seed_varies_alike_streamed_or_not(client: httpx.Client) -> None:
    body = {"abc": REEL, "vary": 0.4, "seed": 5}
    once = generate(client, **body)
    assert generate(client, **body) == once != generate(client, **body | {"seed": 6})
    events = client.post("/generate", json=body, headers={"Accept": "text/event-stream"}).text
    (done,) = re.findall(r"event: done\ndata: (.*)", events)
    assert json.loads(done) == once


def test_a_greater_share_changes_these_bars_and_others(client: httpx.Client) -> None:
    few, more = (set(generate(client, abc=REEL, vary=share, seed=3)["changed_bars"]) for share in (0.2, 0.8))
    assert few < more


def test_a_range_holds_for_what_is_new(client: httpx.Client) -> None:
    answer = generate(client, abc=TUNES["jig"], vary=1, low=69, high=76, seed=1)
    heard = {
        bar: [pitch.midi for chord in played.chords for pitch in chord.pitches]
        for bar, played in zip(bars_of(answer["abc"]), Reader(answer["abc"]).score.voices[0].bars, strict=True)
    }
    assert answer["changed_bars"]
    assert all(69 <= pitch <= 76 for bar in answer["changed_bars"] for pitch in heard[bar])


def test_a_chosen_bar_is_replaced_wherever_it_comes_again(client: httpx.Client) -> None:
    alone = generate(client, abc=REEL, bars=[1], seed=4)
    assert alone["changed_bars"] == [1]
    everywhere = generate(client, abc=REEL, bars=[1], everywhere=True, seed=4)
    assert everywhere["changed_bars"] == [1, 7, 9]
    made = bars_of(everywhere["abc"])
    assert made[1] == made[7]
    assert made[9] == made[1] + "-"  # tied to the next bar there, so that its last note stays at all places
    assert made[1].endswith("G")
    assert made[1] != bars_of(REEL)[1]
    assert {number: bar for number, bar in made.items() if number not in (1, 7, 9)} == {
        number: bar for number, bar in bars_of(REEL).items() if number not in (1, 7, 9)
    }
    assert judges.abc2midi([everywhere["abc"]]) == [[]]
    assert generate(client, abc=REEL, bars=[9], everywhere=True, seed=4)["abc"] == everywhere["abc"]


def test_bars_that_come_once_are_the_same_with_everywhere_or_without(client: httpx.Client) -> None:
    body = {"abc": REEL, "bars": [3, 4], "seed": 4}
    assert generate(client, **body, everywhere=True) == generate(client, **body)


@pytest.mark.parametrize(
    ("body", "field", "words"),
    [
        ({"abc": REEL, "vary": 1.5}, "vary", "1 or less is allowed"),
        ({"abc": REEL, "vary": -0.1}, "vary", "0 or more is allowed"),
        ({"abc": REEL, "vary": 0.5, "bars": [1]}, "vary", "not beside `bars`"),
        ({"vary": 0.5}, "abc", "must be sent together"),
        ({"abc": REEL, "vary": 0.5, "everywhere": True}, "everywhere", "only with `bars`"),
        ({"everywhere": True}, "everywhere", "only with `bars`"),
        ({"abc": REEL, "vary": 0.5, "length": 9}, "length", "not for a tune of which bars are made anew"),
        ({"abc": REEL, "vary": 0.5, "best_of": 2}, "best_of", "not for a tune of which bars are made anew"),
        ({"abc": REEL, "vary": 0.5, "low": 120}, "", "range"),
        ({"abc": "X:1\nM:2/4\nK:D\nD4-|D4|\n", "vary": 0.5}, "vary", "no bar of this tune can be made anew"),
        ({"abc": "X:1\nK:D\nV:1\nDEF|\nV:2\nDEF|\n", "vary": 0.5}, "vary", "several voices"),
        ({"abc": REEL, "bars": [30], "everywhere": True}, "bars", "the tune has bars 0 to 12"),
    ],
)
def test_what_cannot_be_varied_is_refused(
    client: httpx.Client, body: dict[str, object], field: str, words: str
) -> None:
    response = client.post("/generate", json=body)
    assert (response.status_code, response.headers["Content-Type"]) == (422, "application/problem+json")
    assert words in response.json()["detail"]
    if field:
        assert response.json()["errors"][0]["field"] == field


def test_what_may_be_drawn_is_bounded_by_the_text() -> None:
    for abc in TUNES.values():
        different = different_bars(abc)
        assert len(replaceable(different)) <= len(different) <= InfillJob(abc, vary=1.0).max_drawn_bars <= 200
    assert InfillJob(REEL, vary=0.0).max_drawn_bars == 0
    assert InfillJob("|" * 10_000, vary=1.0).max_drawn_bars == 200
    assert InfillJob(REEL, bars=(1, 2), everywhere=True).max_drawn_bars == 2


def test_pieces_of_a_text_are_replaced_at_all_their_places() -> None:
    text = "X:1\nK:D\nL:1/4\nM:2/4\nDE|FG|DE|AB|\n"
    pieces = Pieces.of(text, places_of(text, [1, 4]))
    assert pieces.text == text
    new = pieces.with_bars({1: "d2"})
    assert new.text == text.replace("DE", "d2")
    assert new.changed_since(pieces) == (1, 3)
    assert (new.before(4), new.after(1, [4]), new.after(1, [])) == (
        "X:1\nK:D\nL:1/4\nM:2/4\nd2|FG|d2|",
        "|FG|d2|",
        "|FG|d2|AB|\n",
    )
