"""`/import` over a real port: our own MusicXML and MIDI come in again as they went out, and errors are in words."""

import gzip

import httpx
import pytest

from app.abc.playing_order import playing_order
from app.abc.reader import read
from app.interchange import abc_from_file
from tests.app.interchange.test_abc_from_file import OTHER, melody, midi
from tests.servers import serving

KINDS = (
    "jig",
    "reel",
    "hornpipe",
    "polka",
    "waltz",
    "slip jig",
    "march",
    "strathspey",
    "slide",
    "mazurka",
    "barndance",
)


def played(abc: str) -> list[tuple[float, int]]:
    """When each note begins that no tie leads into, in quarters from the first, and its pitch."""
    found, tied = [], set[int]()
    for bar in playing_order(read(abc)):
        at = bar.start
        for chord in bar.bar.chords:
            found += [(at, pitch.midi) for pitch in chord.pitches if pitch.midi not in tied]
            tied = {chord.pitches[index].midi for index in chord.tied}
            at += chord.length
    return [(float(4 * (at - found[0][0])), pitch) for at, pitch in found]


def test_a_dozen_tunes_come_in_again_from_musicxml_and_midi_with_the_same_notes(client: httpx.Client) -> None:
    rhythms = client.get("/models").json()["models"][0]["menus"]["rhythms"]
    wished = [*(rhythm for rhythm in KINDS if rhythm in rhythms), *rhythms][:13]
    for seed, rhythm in enumerate(wished, 1):
        made = client.get("/tune.abc", params={"rhythm": rhythm, "form": "AABB8", "seed": seed})
        abc = made.text
        # a thirty-second before a long note is read as a grace note of what was played: MIDI does not tell them apart
        for format_ in ("musicxml",) if "/4" in abc else ("musicxml", "midi"):
            options = {"abc": abc, "format": format_, "feel": 0, "chords": False}
            file = client.post("/render", json=options).content
            answer = client.post("/import", params={"name": f"{rhythm}.mid"}, content=file)
            assert answer.status_code == 200, answer.text
            found = answer.json()
            assert found["kind"] == format_
            assert found["left_out"] == []
            assert played(found["abc"]) == played(abc), (rhythm, seed, format_, abc, found["abc"])
            assert client.post("/render", json={"abc": found["abc"], "format": "midi"}).status_code == 200


def test_an_import_is_json_or_the_tune_alone(client: httpx.Client) -> None:
    answer = client.post("/import", content=OTHER, headers={"Content-Type": "application/octet-stream"})
    assert answer.headers["Content-Type"] == "application/json"
    assert answer.json()["abc"] == abc_from_file.to_abc(OTHER).abc
    assert answer.json()["title"] == "The Other & the Same"
    alone = client.post("/import", content=OTHER, headers={"Accept": "text/vnd.abc"})
    assert alone.headers["Content-Type"].startswith("text/vnd.abc")
    assert alone.text == answer.json()["abc"]
    assert client.post("/import", content=OTHER, headers={"Accept": "image/png"}).status_code == 406


def test_what_is_wrong_with_a_tune_is_told_with_it(client: httpx.Client) -> None:
    long_bar = OTHER.replace(b"<duration>12</duration>", b"<duration>24</duration>")
    (problem,) = client.post("/import", content=long_bar).json()["problems"]
    assert problem["message"].startswith("bar 3 holds 6 quarter notes")
    assert problem["line"] == 8


@pytest.mark.parametrize(
    ("content", "status", "kind", "told"),
    [
        (b"X:1\nK:D\nDEF|\n", 415, "media-type", "this seems to be ABC already"),
        (gzip.compress(OTHER), 415, "media-type", "this is neither"),
        (b"", 415, "media-type", "this is neither"),
        (OTHER[:2500], 422, "notation", "broken XML"),
        (midi(), 422, "notation", "not a note"),
        (midi(melody(*[(60 + n % 24, 1) for n in range(9000)])), 422, "notation", "allowed"),
    ],
)
def test_a_file_that_is_not_read_is_a_problem_in_words(
    client: httpx.Client, content: bytes, status: int, kind: str, told: str
) -> None:
    answer = client.post("/import", content=content)
    assert (answer.status_code, answer.headers["Content-Type"]) == (status, "application/problem+json")
    assert answer.json()["type"] == f"urn:lilt:problem:{kind}"
    assert told in answer.json()["detail"]


def test_a_file_may_be_larger_than_other_bodies_and_costs_by_its_size(client: httpx.Client) -> None:
    padding = b"<!--" + b" " * 400_000 + b"-->"
    assert client.post("/import", content=OTHER + padding).status_code == 200
    assert client.post("/import", content=OTHER + b" " * (2 * 1024 * 1024)).status_code == 413
    assert client.post("/check", json={"abc": " " * 400_000}).status_code == 413
    with serving(rate_per_minute="60") as server, server.client() as limited:
        left = limited.post("/import", content=OTHER + padding).headers["RateLimit"]
        assert "r=51" in left
