"""What can be asked of a tune, and how what cannot is refused: in plain words that name the field."""

import io
import json

import httpx
import mido
import pytest

TUNE = "X:1\nT:The Kesh\nM:6/8\nL:1/8\nK:G\nGAG GAB|ABA ABd|edd gdd|edB dBA|\n"


@pytest.mark.parametrize(
    ("body", "field", "words"),
    [
        ({"rhythm": "polca"}, "rhythm", "did you mean polka?"),
        ({"rhythm": "slip jig", "meter": "C|"}, "meter", "a slip jig is in 9/8, not in C|"),
        ({"rhythm": "jig", "meter": "5/4"}, "meter", "a jig is in 6/8, not in 5/4"),
        ({"rhythm": "jig", "meter": "99/4"}, "meter", "a jig is in 6/8, not in 99/4"),
        ({"meter": "99/4"}, "meter", "'99/4' is not a metre here; there are 4/4, 6/8"),
        ({"constrained": False, "key": "D"}, "key", "only a constrained tune can be held to what is asked for"),
        ({"best_of": 2, "tunes": None}, "best_of", "only whole tunes are chosen among; say how many `tunes`"),
        ({"title": "A\nK:D"}, "title", "a title is one line of text"),
        ({"title": " "}, "title", "is not a title"),
        ({"title": "50 % off"}, "title", "a title is one line of text without % and \\"),
        ({"title": "A", "start_string": "X:1\nT:B\n"}, "title", "or write T: into it"),
        ({"title": "A", "start_string": "X:1"}, "title", "ends with its X: line"),
        ({"title": "A" * 61}, "title", "at most 60"),
        ({"title": "A", "abc": TUNE, "bars": [1]}, "title", "not for a tune of which bars are made anew"),
    ],
)
def test_what_cannot_be_asked_is_refused_in_plain_words(
    client: httpx.Client, body: dict[str, object], field: str, words: str
) -> None:
    response = client.post("/generate", json=body)
    assert (response.status_code, response.headers["Content-Type"]) == (422, "application/problem+json")
    document = response.json()
    assert words in document["detail"]
    assert document["errors"][0]["field"] == field
    assert "Value error" not in response.text


def test_what_models_list_as_metres_of_a_rhythm_is_obeyed(client: httpx.Client) -> None:
    menus = client.get("/models").json()["models"][0]["menus"]
    assert list(menus["meters_of_rhythm"]) == menus["rhythms"]
    for number, (rhythm, meters) in enumerate(menus["meters_of_rhythm"].items()):
        asked = {"rhythm": rhythm, "meter": meters[-1]}
        (tune,) = client.post("/generate", json=asked | {"seed": number, "length": 2000}).json()["tunes"]
        assert {"rhythm": tune["rhythm"], "meter": tune["meter"]} == asked


@pytest.mark.parametrize(
    ("start", "before"),
    [
        ("X:1\n", "X:1\n"),
        ("", "X:1\n"),
        ("X:7\n", "X:7\n"),
        ("X:1\nM:2/4\nK:D\nD4|\n\n", "X:1\nM:2/4\nK:D\nD4|\n\nX:1\n"),
    ],
)
def test_a_title_that_is_asked_for_stays_as_it_is(client: httpx.Client, start: str, before: str) -> None:
    body = {"title": "'Twas A.J.'s 2nd Fancy!", "rhythm": "jig", "start_string": start, "seed": 3}
    answer = client.post("/generate", json=body).json()
    assert answer["abc"].startswith(before + "T:'Twas A.J.'s 2nd Fancy!\nR:jig\nM:6/8\n")
    assert answer["tunes"][-1]["title"] == "'Twas A.J.'s 2nd Fancy!"
    assert answer["generated"] == len(answer["abc"]) - len(start)
    chosen = client.post("/generate", json=body | {"best_of": 3}).json()
    assert chosen["tunes"][-1]["title"] == "'Twas A.J.'s 2nd Fancy!"


def test_a_title_may_be_in_any_letters(client: httpx.Client) -> None:
    answer = client.post("/generate", json={"title": "An Dóite’s", "seed": 3}).json()
    plain = client.post("/generate", json={"title": "An Doite's", "seed": 3}).json()
    assert answer["tunes"][0]["title"] == "An Dóite’s"
    assert answer["abc"] == plain["abc"].replace("An Doite's", "An Dóite’s")


@pytest.mark.parametrize("best_of", [1, 2])
def test_a_stream_has_the_title_too(client: httpx.Client, best_of: int) -> None:
    body = {"title": "Morning", "seed": 3, "best_of": best_of}
    events = client.post("/generate", json=body, headers={"Accept": "text/event-stream"}).text.strip().split("\n\n")
    told = [json.loads(event.split("\n")[1].removeprefix("data: ")) for event in events if event[0] != ":"]
    assert "X:1\n" + "".join(chunk["text"] for chunk in told[1:-1]) == told[-1]["abc"]
    assert told[-1] == client.post("/generate", json=body).json()


def programs(midi: bytes) -> set[int]:
    return {event.program for event in mido.MidiFile(file=io.BytesIO(midi)) if event.type == "program_change"}


def test_instruments_have_names(client: httpx.Client) -> None:
    names = client.get("/models").json()["instruments"]
    assert len(names) == len(set(names)) == 128
    assert {names[number]: number for number in (0, 21, 46, 73, 110)} == {
        "acoustic grand piano": 0,
        "accordion": 21,
        "orchestral harp": 46,
        "flute": 73,
        "fiddle": 110,
    }
    body = {"abc": TUNE, "format": "midi"}
    for name in ("flute", "Flute", 73):
        assert programs(client.post("/render", json=body | {"program": name}).content) == {73}
    assert programs(client.get("/render", params=body | {"program": "acoustic guitar (nylon)"}).content) == {24}
    assert programs(client.get("/render", params=body | {"program": "73"}).content) == {73}


@pytest.mark.parametrize(
    ("program", "words"),
    [
        ("fluet", "did you mean flute"),
        ("xyz", "/models and `lilt instruments` list them"),
        (128, "127 or less is allowed"),
        (1.5, ""),
    ],
)
def test_no_instrument_is_refused(client: httpx.Client, program: object, words: str) -> None:
    response = client.post("/render", json={"abc": TUNE, "program": program})
    assert response.status_code == 422
    assert response.json()["errors"][0]["field"] == "program"
    assert words in response.json()["detail"]
    assert "Value error" not in response.text
