"""One address from a seed to ABC, sound, MIDI or a score, and `/generate` by an address."""

import io
import re
from typing import Any

import httpx
import mido
import pytest

from tests.servers import serving

WISHES = {"key": "D", "rhythm": "jig", "seed": "7", "length": "2000"}
MADE = {"key": "D", "rhythm": "jig", "seed": 7, "length": 2000}
ENDINGS = {
    "abc": "text/vnd.abc",
    "mp3": "audio/mpeg",
    "ogg": "audio/ogg",
    "wav": "audio/wav",
    "flac": "audio/flac",
    "mid": "audio/midi",
    "svg": "image/svg+xml",
    "png": "image/png",
    "pdf": "application/pdf",
    "musicxml": "application/vnd.recordare.musicxml+xml",
}


def made(client: httpx.Client, **fields: object) -> dict[str, Any]:
    answer: dict[str, Any] = client.post("/generate", json=MADE | fields).json()
    return answer


@pytest.mark.parametrize(("ending", "media_type"), ENDINGS.items())
def test_an_address_is_what_generating_and_rendering_make(client: httpx.Client, ending: str, media_type: str) -> None:
    response = client.get(f"/tune.{ending}", params=WISHES)
    assert response.status_code == 200, response.text
    assert response.headers["Content-Type"].partition(";")[0] == media_type
    assert response.headers["Lilt-Seed"] == "7"
    assert re.fullmatch(r"\w+/\d+", response.headers["Lilt-Model"])
    (tune,) = made(client)["tunes"]
    assert response.headers["Content-Disposition"].endswith(f'.{ending}"')
    if ending == "abc":
        assert response.text == tune["abc"]
    else:
        format_ = "midi" if ending == "mid" else ending
        rendered = client.get("/render", params={"abc": tune["abc"], "format": format_})
        assert (response.headers["ETag"], response.content) == (rendered.headers["ETag"], rendered.content)


def test_fields_of_both_are_obeyed(client: httpx.Client) -> None:
    played = client.get("/tune.mid", params=WISHES | {"program": "flute", "transpose": "2", "title": "Seven"})
    midi = mido.MidiFile(file=io.BytesIO(played.content))
    assert {event.program for event in midi if event.type == "program_change"} == {73}
    assert 'filename="Seven.mid"' in played.headers["Content-Disposition"]
    chosen = client.get("/tune.abc", params=WISHES | {"best_of": "4"})
    assert chosen.text == made(client, best_of=4)["tunes"][0]["abc"]
    higher = client.get("/tune.abc", params=WISHES | {"transpose": "2"})
    render = {"abc": made(client)["tunes"][0]["abc"], "format": "abc", "transpose": 2}
    assert higher.text == client.post("/render", json=render).text != client.get("/tune.abc", params=WISHES).text
    assert higher.headers["Lilt-Seed"] == "7"


@pytest.mark.parametrize("ending", ["abc", "svg"])
def test_what_is_kept_is_not_sent_again(client: httpx.Client, ending: str) -> None:
    first = client.get(f"/tune.{ending}", params=WISHES)
    assert first.headers["Cache-Control"] == "private, max-age=3600"
    again = client.get(f"/tune.{ending}", params=WISHES, headers={"If-None-Match": first.headers["ETag"]})
    assert (again.status_code, again.content) == (304, b"")
    head = client.head(f"/tune.{ending}", params=WISHES)
    assert (head.status_code, head.content) == (200, b"")
    for name in ("ETag", "Content-Type", "Content-Disposition", "Lilt-Seed", "Lilt-Model"):
        assert head.headers[name] == first.headers[name]


def test_a_player_can_seek(client: httpx.Client) -> None:
    whole = client.get("/tune.wav", params=WISHES).content
    part = client.get("/tune.wav", params=WISHES, headers={"Range": "bytes=1000-1999"})
    assert (part.status_code, part.content) == (206, whole[1000:2000])


@pytest.mark.parametrize("method", ["GET", "HEAD"])
def test_without_a_seed_it_leads_on_to_an_address_with_one(client: httpx.Client, method: str) -> None:
    wishes = {name: value for name, value in WISHES.items() if name != "seed"}
    response = client.request(method, "/tune.abc", params=wishes)
    assert (response.status_code, response.headers["Cache-Control"]) == (307, "no-store")
    assert response.next_request
    query = dict(response.next_request.url.params)
    assert query.items() > wishes.items()
    followed = client.get("/tune.abc", params=wishes, follow_redirects=True)
    assert followed.headers["Lilt-Seed"] == followed.url.params["seed"]


@pytest.mark.parametrize(
    ("ending", "query", "field", "words"),
    [
        ("mp4", {}, "ending", "'mp3'"),
        ("abc", {"bars": "1"}, "bars", "there is no such field"),
        ("abc", {"format": "mp3"}, "format", "there is no such field"),
        ("mp3", {"tempo": "fast"}, "tempo", "a number is allowed"),
        ("mp3", {"rhythm": "polca"}, "rhythm", "did you mean polka?"),
        ("mp3", {"program": "fluet"}, "program", "did you mean flute"),
        ("mp3", {"seed": "-1"}, "seed", "0 or more is allowed"),
        ("mp3", {"constrained": "false", "length": "20"}, "", "did not end within 20 characters"),
    ],
)
def test_what_cannot_be_is_refused(
    client: httpx.Client, ending: str, query: dict[str, str], field: str, words: str
) -> None:
    wishes = {"seed": "7"} | query
    response = client.get(f"/tune.{ending}", params=wishes)
    assert (response.status_code, response.headers["Content-Type"]) == (422, "application/problem+json")
    assert words in response.json()["detail"]
    assert not field or response.json()["errors"][0]["field"] == field
    assert client.post(f"/tune.{ending}", params=wishes).status_code == 405


def test_generate_by_an_address_answers_like_a_body(client: httpx.Client) -> None:
    response = client.get("/generate", params=WISHES)
    assert response.json() == made(client)
    assert response.headers["Cache-Control"] == "private, max-age=3600"
    assert response.headers["Vary"] == "Accept"
    again = client.get("/generate", params=WISHES, headers={"If-None-Match": response.headers["ETag"]})
    assert (again.status_code, again.content) == (304, b"")
    abc = {"Accept": "text/vnd.abc"}
    assert client.get("/generate", params=WISHES, headers=abc).text == made(client)["abc"]
    assert client.get("/generate", params={"length": "20"}).headers["Cache-Control"] == "no-store"
    head = client.head("/generate", params=WISHES)
    assert (head.status_code, head.content, head.headers["ETag"]) == (200, b"", response.headers["ETag"])


def test_a_query_has_lists_and_null(client: httpx.Client) -> None:
    tune = "X:1\nM:6/8\nK:D\nDFA d2f|afd D3|DFA BAF|E3 D3|]\n"
    posted = client.post("/generate", json={"abc": tune, "bars": [2, 3], "seed": 1}).json()
    for bars in ("2,3", ["2", "3"]):
        assert client.get("/generate", params={"abc": tune, "bars": bars, "seed": "1"}).json() == posted
    assert client.get("/generate", params={"tunes": "null", "length": "77", "seed": "1"}).json()["generated"] == 77
    refused = client.get("/generate", params={"abc": tune, "bars": "2,x"})
    assert (refused.status_code, refused.json()["errors"][0]["field"]) == (422, "bars.1")


def test_events_come_by_an_address_too(client: httpx.Client) -> None:
    events = {"Accept": "text/event-stream"}
    assert "event: done" in client.get("/generate", params=WISHES, headers=events).text
    head = client.head("/generate", params=WISHES, headers=events)
    assert (head.status_code, head.headers["Content-Type"].partition(";")[0]) == (200, "text/event-stream")
    assert head.headers["Lilt-Seed"] == "7"


def test_addresses_cost_what_they_make() -> None:
    def left(response: httpx.Response) -> int:
        return int(response.headers["RateLimit"].partition("r=")[2].partition(";")[0])

    with serving(quota_per_day="100") as server, server.client() as client:
        assert left(client.get("/generate", params=WISHES)) == 99
        assert left(client.get("/tune.abc", params=WISHES)) == 98
        assert left(client.get("/tune.mid", params=WISHES)) == 95  # the file costs three, of which one is the tune
        assert left(client.get("/tune.mid", params=WISHES)) == 94  # it is kept
        assert left(client.post("/chords", json={"abc": "X:1\nK:D\n" + "DEFG|" * 500})) == 92


def test_the_version_is_told(client: httpx.Client) -> None:
    version = client.get("/version").json()["version"]
    assert version == client.get("/openapi.json").json()["info"]["version"]
    (labels,) = re.findall(r"^lilt_build_info\{(.*)\} 1\.0$", client.get("/metrics").text, re.MULTILINE)
    assert f'version="{version}"' in labels
