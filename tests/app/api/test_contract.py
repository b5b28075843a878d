"""The HTTP contract, held over a real port with the real model and the real renderers."""

import io
import json
import wave
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import httpx
import mido
import numpy as np
import pytest

from model_store.store import Checkpoint
from tests import judges

TUNE = "X:1\nT:The Kesh\nM:6/8\nL:1/8\nK:G\nGAG GAB|ABA ABd|edd gdd|edB dBA|\n"


def generate(client: httpx.Client, **body: Any) -> dict[str, Any]:  # noqa: ANN401
    response = client.post("/generate", json=body)
    assert response.status_code == 200, response.text
    answer: dict[str, Any] = response.json()
    return answer


def test_an_empty_request_makes_one_tune(client: httpx.Client, checkpoint: Checkpoint) -> None:
    answer = generate(client)
    assert answer["abc"].startswith("X:1\n")
    assert answer["finish_reason"] in ("tunes", "length")
    assert answer["generated"] == len(answer["abc"]) - len("X:1\n") <= 1000
    manifest = checkpoint.manifest
    assert answer["model"] == {"name": manifest.name, "version": manifest.version, "hash": manifest.digest}


def test_the_start_string_is_continued_and_described(client: httpx.Client) -> None:
    start = "X:1\nT:Morning\nM:6/8\nK:D\n"
    answer = generate(client, start_string=start, seed=3)
    tune = answer["tunes"][0]
    assert answer["abc"].startswith(start)
    assert (tune["title"], tune["meter"], tune["key"]) == ("Morning", "6/8", "D")


@pytest.mark.parametrize("temperature", [0.5, 1.0, 2.0])
def test_every_tune_is_one_that_abc2midi_takes_without_a_word(client: httpx.Client, temperature: float) -> None:
    answer = generate(client, tunes=6, length=100_000, temperature=temperature, seed=2)
    assert [tune["complete"] for tune in answer["tunes"]] == [True] * 6
    assert judges.abc2midi([tune["abc"] for tune in answer["tunes"]]) == [[]] * 6


def test_what_is_asked_for_is_obeyed(client: httpx.Client) -> None:
    asked = {"key": "Ador", "meter": "6/8", "rhythm": "jig"}
    answer = generate(client, **asked, form="AABB8", low=62, high=84, seed=4, length=3000)
    (tune,) = answer["tunes"]
    assert {field: tune[field] for field in asked} == asked
    assert tune["complete"]
    assert judges.abc2midi([tune["abc"]]) == [[]]
    notes = judges.pitches_played(tune["abc"])
    assert min(notes) >= 62
    assert max(notes) <= 84


def test_a_faulty_start_string_is_continued_and_its_fault_reported(client: httpx.Client) -> None:
    start = "X:1\nT:Short\nM:6/8\nL:1/8\nK:D\nDFA|ABc d2d|AB|"
    (tune,) = generate(client, start_string=start, seed=1)["tunes"]
    assert [problem["line"] for problem in tune["problems"]] == [6]
    assert tune["complete"]


def test_a_free_tune_is_the_models_own(client: httpx.Client) -> None:
    free = generate(client, constrained=False, seed=2, temperature=1.5, tunes=8, length=20_000)
    assert any(judges.abc2midi([tune["abc"] for tune in free["tunes"]]))


def test_tunes_are_counted_and_the_last_ends_the_answer(client: httpx.Client) -> None:
    answer = generate(client, tunes=3, length=20_000, seed=11)
    assert answer["finish_reason"] == "tunes"
    assert sum(tune["complete"] for tune in answer["tunes"]) == 3
    assert answer["abc"].endswith("\n\n")


def test_the_notebooks_way_makes_exactly_so_many_characters(client: httpx.Client) -> None:
    answer = generate(client, start_string="X", length=6599, tunes=None)
    assert answer["generated"] == 6599
    assert len(answer["abc"]) == 6600
    assert answer["finish_reason"] == "length"


def test_the_same_seed_makes_the_same_tune_alone_and_beside_others(client: httpx.Client) -> None:
    def make(seed: int) -> str:
        return str(generate(client, seed=seed, length=300, temperature=1.2)["abc"])

    alone = [make(seed) for seed in range(12)]
    with ThreadPoolExecutor(12) as pool:
        assert list(pool.map(make, range(12))) == alone
    assert len(set(alone)) == 12


def test_a_drawn_seed_is_returned_and_repeats_the_tune(client: httpx.Client) -> None:
    first = generate(client)
    assert generate(client, seed=first["seed"])["abc"] == first["abc"]


def test_temperature_zero_is_the_same_for_every_seed(client: httpx.Client) -> None:
    assert len({generate(client, temperature=0, seed=seed, length=80)["abc"] for seed in range(3)}) == 1


def test_an_empty_start_string_begins_where_tunes_begin(client: httpx.Client) -> None:
    assert generate(client, start_string="", length=50, temperature=0)["abc"].startswith("X:")


def test_bare_abc_is_answered_on_request(client: httpx.Client) -> None:
    response = client.post("/generate", json={"seed": 5}, headers={"Accept": "text/vnd.abc"})
    assert response.headers["Content-Type"].startswith("text/vnd.abc")
    assert response.text == generate(client, seed=5)["abc"]
    assert response.headers["Lilt-Seed"] == "5"


def samples_of(content: bytes) -> tuple[Any, float]:
    with wave.open(io.BytesIO(content)) as sound:
        frames = sound.readframes(sound.getnframes())
        return np.frombuffer(frames, "<i2") / 32768, sound.getnframes() / sound.getframerate()


@pytest.mark.parametrize("as_json", [True, False])
def test_a_tune_becomes_sound(client: httpx.Client, *, as_json: bool) -> None:
    abc_body = {"content": TUNE, "headers": {"Content-Type": "text/vnd.abc"}}
    response = client.post("/render", **({"json": {"abc": TUNE}} if as_json else abc_body))
    assert response.status_code == 200, response.text
    assert response.headers["Content-Type"] == "audio/wav"
    samples, duration_s = samples_of(response.content)
    assert 6 <= duration_s <= 12  # 24 eighths at 120 quarters a minute, and the tail
    assert 0.1 < np.abs(samples).max() < 1


def test_a_tune_becomes_midi_by_field_query_or_accept(client: httpx.Client) -> None:
    by_field = client.post("/render", json={"abc": TUNE, "format": "midi", "feel": 0})
    by_accept = client.post("/render", json={"abc": TUNE, "feel": 0}, headers={"Accept": "audio/midi"})
    abc = {"Content-Type": "text/vnd.abc"}
    by_query = client.post("/render", params={"format": "midi", "feel": "0"}, content=TUNE, headers=abc)
    for response in (by_field, by_accept, by_query):
        assert response.headers["Content-Type"] == "audio/midi"
        assert response.content == by_field.content
    notes = [m for m in mido.MidiFile(file=io.BytesIO(by_field.content)) if m.type == "note_on" and m.velocity]
    assert len(notes) == 24


def test_tempo_program_and_transpose_are_obeyed(client: httpx.Client) -> None:
    body = {"abc": TUNE, "format": "midi", "tempo": 240, "program": 73, "transpose": 2, "feel": 0}
    changed = mido.MidiFile(file=io.BytesIO(client.post("/render", json=body).content))
    plain = mido.MidiFile(
        file=io.BytesIO(client.post("/render", json={"abc": TUNE, "format": "midi", "tempo": 120, "feel": 0}).content)
    )
    assert changed.length == pytest.approx(plain.length / 2, rel=0.01)
    assert {m.program for m in changed if m.type == "program_change"} == {73}
    first_of = [next(m.note for m in file if m.type == "note_on") for file in (plain, changed)]
    assert first_of[1] == first_of[0] + 2


def test_models_tells_what_is_loaded(client: httpx.Client, checkpoint: Checkpoint) -> None:
    (model,) = client.get("/models").json()["models"]
    assert model["hash"] == checkpoint.manifest.digest
    assert model["config"]["lstm_units"] == checkpoint.manifest.model.lstm_units
    assert model["vocabulary"] == checkpoint.manifest.vocabulary
    assert model["defaults"] == checkpoint.manifest.defaults.model_dump()


def test_whatever_the_menus_offer_is_obeyed(client: httpx.Client) -> None:
    (model,) = client.get("/models").json()["models"]
    for menu, field in (("keys", "key"), ("meters", "meter"), ("rhythms", "rhythm"), ("forms", "form")):
        offered = model["menus"][menu]
        assert len(offered) == len(set(offered)) >= 8
        for value in offered:
            answer = generate(client, **{field: value}, length=120, seed=1)
            assert field == "form" or answer["tunes"][0][field] == value


def test_healthz_and_readyz(client: httpx.Client) -> None:
    assert client.get("/healthz").json() == {"status": "ok"}
    ready = client.get("/readyz").json()
    assert (ready["status"], ready["decoder"], ready["missing"]) == ("ready", "litert", [])
    assert ready["sandbox"] in ("bubblewrap", "landlock", "limits")


@pytest.mark.parametrize(
    "path", ["/", "/embed", "/js/page.js", "/style.css", "/icon.svg", "/docs", "/docs.js", "/vendor/abcjs.js"]
)
def test_pages_are_served_under_a_strict_policy(client: httpx.Client, path: str) -> None:
    response = client.get(path)
    assert response.status_code == 200
    assert "default-src 'self'" in response.headers["Content-Security-Policy"]
    assert "unsafe-inline" not in response.headers["Content-Security-Policy"]
    assert "microphone=()" in response.headers["Permissions-Policy"]
    assert ("midi=(self)" in response.headers["Permissions-Policy"]) is (path != "/embed")


def test_the_interface_page_loads_nothing_from_elsewhere(client: httpx.Client) -> None:
    for path in ("/", "/embed", "/docs", "/js/page.js", "/docs.js"):
        assert "http://" not in client.get(path).text
        assert "https://" not in client.get(path).text


def events_of(client: httpx.Client, body: dict[str, Any]) -> list[tuple[str, dict[str, Any]]]:
    """The events of a streamed answer: (name, data)."""
    with client.stream("POST", "/generate", json=body, headers={"Accept": "text/event-stream"}) as response:
        assert response.headers["Content-Type"].startswith("text/event-stream")
        blocks = "".join(response.iter_text()).strip().split("\n\n")
    fields = [dict(line.split(": ", 1) for line in block.split("\n")) for block in blocks if block != ": ping"]
    return [(field["event"], json.loads(field["data"])) for field in fields]


@pytest.mark.parametrize("length", [1, 300, 20_000])
def test_a_stream_adds_up_to_the_plain_answer(client: httpx.Client, length: int) -> None:
    body = {"seed": 9, "length": length, "tunes": None, "start_string": "X:1\n"}
    (first, start), *chunks, (last, whole) = events_of(client, body)
    assert (first, start) == ("start", {"seed": 9, "model": whole["model"]})
    assert {name for name, _ in chunks} == {"chunk"}
    assert last == "done"
    assert whole == generate(client, **body)
    assert "X:1\n" + "".join(data["text"] for _, data in chunks) == whole["abc"]


def test_a_long_stream_comes_in_pieces(client: httpx.Client) -> None:
    assert len(events_of(client, {"length": 20_000, "tunes": None})) > 4


@pytest.mark.parametrize("how", [{}, {"avoid_copies": True}, {"abc": TUNE, "bars": [2]}])
def test_a_stream_that_is_left_can_be_made_again(client: httpx.Client, how: dict[str, Any]) -> None:
    """By its seed and model, which come before the tune, in the headers and in the first event."""
    with client.stream("POST", "/generate", json=how, headers={"Accept": "text/event-stream"}) as response:
        lines = response.iter_lines()
        assert next(lines) == "event: start"
        start = json.loads(next(lines).removeprefix("data: "))
    model = start["model"]
    assert response.headers["Lilt-Seed"] == str(start["seed"])
    assert response.headers["Lilt-Model"] == f"{model['name']}/{model['version']}"
    again = [generate(client, **how, seed=start["seed"]) for _ in range(2)]
    assert again[0] == again[1]
    assert (again[0]["seed"], again[0]["model"]) == (start["seed"], model)


def test_what_came_of_a_stream_that_was_left_is_the_beginning_of_the_tune_made_again(client: httpx.Client) -> None:
    body = {"length": 20_000, "tunes": None}
    text, seed = "X:1\n", None
    with client.stream("POST", "/generate", json=body, headers={"Accept": "text/event-stream"}) as response:
        for line in response.iter_lines():
            if line.startswith("data: "):
                data = json.loads(line.removeprefix("data: "))
                seed, text = data.get("seed", seed), text + data.get("text", "")
            if len(text) > 300:
                break
    assert generate(client, **body, seed=seed)["abc"].startswith(text)


def test_a_stream_that_cannot_begin_is_a_plain_problem(client: httpx.Client) -> None:
    response = client.post("/generate", json={"start_string": "\u2603"}, headers={"Accept": "text/event-stream"})
    assert (response.status_code, response.headers["Content-Type"]) == (422, "application/problem+json")
