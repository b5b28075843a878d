"""A tune's originality over a real port: a model that has an index of its own tune of seed 1, and one that has none."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from app.abc.fingerprint import melody
from app.generation.bulk import BulkError, BulkJob, run
from app.generation.model_registry import Models
from app.generation.originality import Judgement
from app.settings import Settings
from model_store.store import Checkpoint, Store
from tests.app.generation.draws import draws, generate
from tests.app.generation.test_originality import TUNE, index_of
from tests.app.operations.test_metrics_and_logs import grown, samples
from tests.checkpoints import publish
from tests.servers import serving

REQUEST = {"seed": 1, "length": 2000}


@pytest.fixture(scope="module")
def own(checkpoint: Checkpoint) -> str:
    """The default model's tune of seed 1."""
    (text,) = draws(checkpoint, [1])
    return text.strip("\n") + "\n"


@pytest.fixture(scope="module")
def store(checkpoint: Checkpoint, own: str, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """`known` has an index, `plain` has none."""
    folder = tmp_path_factory.mktemp("store")
    publish(Store(folder), checkpoint, "known", index_of(TUNE, own))
    publish(Store(folder), checkpoint, "plain")
    return folder


@pytest.fixture(scope="module")
def client(store: Path) -> Iterator[httpx.Client]:
    with serving(model_store=str(store)) as server, server.client() as client:
        yield client


def judgement(answer: dict[str, Any]) -> str:
    return str(answer["tunes"][0]["originality"]["judgement"])


def test_a_generated_tune_that_copies_is_told_with_the_one_it_copies(client: httpx.Client, own: str) -> None:
    (tune,) = generate(client, **REQUEST)["tunes"]
    found = tune["originality"]
    assert found["judgement"] == "copies"
    assert found["shared_bars"] == len(found["bars"]) == len(melody(own))
    assert found["nearest"] == {
        "title": tune["title"],
        "corpus": "book 1",
        "abc": own,
        "bars": found["bars"],
    }


def test_a_model_without_an_index_says_nothing(client: httpx.Client) -> None:
    assert generate(client, **REQUEST, model="plain")["tunes"][0]["originality"] is None
    response = client.post("/originality", json={"abc": TUNE, "model": "plain"})
    assert (response.status_code, response.json()) == (200, None)


def test_a_copy_is_avoided_the_same_way_each_time(client: httpx.Client) -> None:
    first = generate(client, **REQUEST, avoid_copies=True)
    assert judgement(first) != "copies"
    assert first["seed"] == 1
    assert generate(client, **REQUEST, avoid_copies=True) == first


def test_draws_that_were_thrown_away_are_no_tunes_that_were_answered_with(client: httpx.Client) -> None:
    before = samples(client)
    answer = generate(client, **REQUEST, avoid_copies=True)
    assert grown(client, before, "lilt_tunes_total", model="known") == 1
    assert grown(client, before, "lilt_generations_total", model="known", outcome="tunes") == 1
    assert grown(client, before, "lilt_characters_total", model="known") > answer["generated"]


def test_what_copies_nothing_is_not_drawn_anew(client: httpx.Client) -> None:
    request = REQUEST | {"seed": 2}
    assert generate(client, **request, avoid_copies=True) == generate(client, **request)


def test_a_copy_that_cannot_be_avoided_is_told(client: httpx.Client) -> None:
    """The start string is all but the end of a known tune."""
    begun = TUNE[: TUNE.rindex("B2A")]
    assert judgement(generate(client, start_string=begun, seed=1, avoid_copies=True)) == "copies"


def test_a_stream_tells_the_tune_once_it_is_chosen(client: httpx.Client) -> None:
    body = REQUEST | {"avoid_copies": True}
    with client.stream("POST", "/generate", json=body, headers={"Accept": "text/event-stream"}) as response:
        events = [block.split("\n") for block in "".join(response.iter_text()).strip().split("\n\n")]
    (start, chunk, done) = [(event[0], json.loads(event[1].removeprefix("data: "))) for event in events]
    assert (start[0], chunk[0], done[0]) == ("event: start", "event: chunk", "event: done")
    assert start[1] == {"seed": done[1]["seed"], "model": done[1]["model"]}
    assert "X:1\n" + chunk[1]["text"] == done[1]["abc"]
    assert done[1] == generate(client, **body)


def test_any_tune_can_be_asked_about(client: httpx.Client) -> None:
    found = client.post("/originality", json={"abc": TUNE}).json()
    assert (found["judgement"], found["nearest"]["title"]) == ("copies", "The Real One")
    assert client.post("/originality", json={"abc": "X:1\nK:D\nDFA|\n"}).json() is None
    bare = {"Content-Type": "text/vnd.abc"}
    assert client.post("/originality", content=TUNE, headers=bare).json() == found
    refusal = client.post("/originality?model=none", content=TUNE, headers=bare)
    assert (refusal.status_code, refusal.json()["errors"][0]["field"]) == (422, "model")


@pytest.mark.parametrize(
    ("body", "says"),
    [
        ({"abc": "no tune"}, "no X: and no K:"),
        ({"abc": TUNE + "\n" + TUNE}, "2 tunes"),
        ({"abc": TUNE, "model": "other"}, "the loaded ones are known, plain"),
        ({"abc": TUNE + "%%abc-include x\n"}, "directive"),
        ({}, "abc"),
    ],
)
def test_what_is_no_tune_or_model_is_refused(client: httpx.Client, body: dict[str, str], says: str) -> None:
    response = client.post("/originality", json=body)
    assert (response.status_code, response.headers["Content-Type"]) == (422, "application/problem+json")
    assert says in response.json()["detail"]


def test_bulk_leaves_out_what_is_not_original(store: Path, own: str, tmp_path: Path) -> None:
    models = Models(Settings(model_store=store))
    models.start()
    try:
        any_tunes, originals = tmp_path / "any.abc", tmp_path / "original.abc"
        run(BulkJob(3), models, any_tunes)
        run(BulkJob(3, originality=Judgement.ORIGINAL), models, originals)
        with pytest.raises(BulkError, match="no index"):
            run(BulkJob(3, model="plain", originality=Judgement.ORIGINAL), models, tmp_path / "plain.abc")
    finally:
        for model in models.all():
            model.engine.close()
    body = own.split("\nK:")[1]
    assert body in any_tunes.read_text()
    assert body not in originals.read_text()
    assert originals.read_text().count("X:") == 3
