"""The best of several over a real port: a critic whose taste is known chooses, and all that was drawn is counted."""

import json
import logging
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import httpx
import numpy as np
import pytest

from app.abc import features
from app.generation.bulk import EACH, BulkError, BulkJob, run
from app.generation.jobs import GenerationJob, seed_of_draw
from app.generation.model_registry import Models, ServedModel
from app.generation.start_job import max_characters
from app.settings import Settings
from model_store.critic import Critic, encode_names
from model_store.store import Checkpoint, Store
from tests.app.generation.draws import draws, generate
from tests.app.generation.test_originality import index_of
from tests.app.operations.test_metrics_and_logs import grown, samples
from tests.checkpoints import publish
from tests.servers import serving

CANDIDATES = 6
REQUEST = {"seed": 1, "length": 2000, "best_of": CANDIDATES}


def taste(name: str, threshold: float, odds: float) -> Critic:
    """Prefers tunes whose feature is greater."""
    return Critic(
        names=encode_names((name,)),
        baseline=np.zeros(1),
        roots=np.zeros(1, np.int32),
        features=np.array([0, -1, -1], np.int32),
        thresholds=np.array([threshold, 0, 0]),
        lefts=np.array([1, 1, 2], np.int32),
        rights=np.array([2, 1, 2], np.int32),
        missing_left=np.ones(3, np.uint8),
        values=np.array([0, -odds, odds]),
    )


@pytest.fixture(scope="module")
def candidates(checkpoint: Checkpoint) -> list[str]:
    """What the draws of seed 1 are."""
    return draws(checkpoint, (seed_of_draw(1, number) for number in range(CANDIDATES)))


@pytest.fixture(scope="module")
def store(checkpoint: Checkpoint, candidates: list[str], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """`flowing` likes the one candidate that moves most by step, and knows it; `plain` has no critic."""
    folder = tmp_path_factory.mktemp("store")
    shares = sorted(steps(candidate) for candidate in candidates)
    assert shares[-2] < shares[-1]
    critic = taste("by_step", (shares[-2] + shares[-1]) / 2, 40.0)
    publish(Store(folder), checkpoint, "flowing", index_of(max(candidates, key=steps)), critic)
    publish(Store(folder), checkpoint, "plain")
    return folder


def steps(abc: str) -> float:
    melody = features.read(abc)
    assert melody is not None
    return float(features.features(melody)[features.NAMES.index("by_step")])


@pytest.fixture(scope="module")
def client(store: Path) -> Iterator[httpx.Client]:
    with serving(model_store=str(store)) as server, server.client() as client:
        yield client


def test_the_critic_chooses_the_same_each_time(client: httpx.Client, candidates: list[str]) -> None:
    answer = generate(client, **REQUEST)
    assert answer["abc"] == max(candidates, key=steps)
    assert answer["seed"] == 1
    assert answer["tunes"][0]["score"] == pytest.approx(1.0)
    assert generate(client, **REQUEST) == answer


def test_one_of_one_is_the_first_and_has_no_score(client: httpx.Client, candidates: list[str]) -> None:
    answer = generate(client, **REQUEST | {"best_of": 1})
    assert answer["abc"] == candidates[0]
    assert answer["tunes"][0]["score"] is None
    assert generate(client, seed=1, length=2000) == answer


def test_what_copies_is_not_chosen_where_that_is_asked_for(client: httpx.Client, candidates: list[str]) -> None:
    """The critic's darling stands in the index."""
    assert generate(client, **REQUEST)["tunes"][0]["originality"]["judgement"] == "copies"
    answer = generate(client, **REQUEST, avoid_copies=True)
    assert answer["abc"] in set(candidates) - {max(candidates, key=steps)}
    assert answer["tunes"][0]["score"] == pytest.approx(0.0)
    assert generate(client, **REQUEST, avoid_copies=True) == answer


def test_all_that_was_drawn_is_counted_and_one_answer(client: httpx.Client, candidates: list[str]) -> None:
    before = samples(client)
    generate(client, **REQUEST)
    assert grown(client, before, "lilt_tunes_total", model="flowing") == 1
    assert grown(client, before, "lilt_generations_total", model="flowing", outcome="tunes") == 1
    drawn = sum(len(candidate) - len("X:1\n") for candidate in candidates)
    assert grown(client, before, "lilt_characters_total", model="flowing") == drawn


def test_an_allowance_is_charged_for_all_that_may_be_drawn() -> None:
    assert max_characters(GenerationJob(length=100, best_of=8)) == 800
    assert max_characters(GenerationJob(length=100, best_of=8, avoid_copies=True)) == 800
    assert max_characters(GenerationJob(length=100, best_of=2, avoid_copies=True)) == 500


def test_a_stream_tells_the_tune_once_it_is_chosen(client: httpx.Client) -> None:
    with client.stream("POST", "/generate", json=REQUEST, headers={"Accept": "text/event-stream"}) as response:
        events = [block.split("\n") for block in "".join(response.iter_text()).strip().split("\n\n")]
    (start, chunk, done) = [
        (event[0], json.loads(event[1].removeprefix("data: "))) for event in events if event[0] != ":"
    ]
    assert (start[0], chunk[0], done[0]) == ("event: start", "event: chunk", "event: done")
    assert "X:1\n" + chunk[1]["text"] == done[1]["abc"]
    assert done[1] == generate(client, **REQUEST)


def test_models_tell_whether_they_can_choose(client: httpx.Client) -> None:
    told = {model["name"]: model["max_best_of"] for model in client.get("/models").json()["models"]}
    assert told == {"flowing": 64, "plain": 1}


@pytest.mark.parametrize(
    ("body", "says"),
    [
        ({"best_of": 2, "model": "plain"}, "plain/1 was published without a critic"),
        ({"best_of": 2, "tunes": None}, "only whole tunes"),
        ({"best_of": 65}, "64"),
        ({"best_of": 0}, "1"),
        ({"best_of": 2, "abc": "X:1\nK:D\nDFA|d3|", "bars": [1]}, "best_of"),
    ],
)
def test_what_cannot_be_chosen_is_refused(client: httpx.Client, body: dict[str, object], says: str) -> None:
    response = client.post("/generate", json=body)
    assert (response.status_code, response.headers["Content-Type"]) == (422, "application/problem+json")
    assert "best_of" in response.text
    assert says in response.text


@pytest.fixture
def loaded(store: Path) -> Iterator[Models]:
    models = Models(Settings(model_store=store))
    models.start()
    yield models
    for model in models.all():
        model.engine.close()


def test_bulk_writes_what_the_service_answers_with(loaded: Models, client: httpx.Client, tmp_path: Path) -> None:
    out = tmp_path / "tunes.jsonl"
    run(BulkJob(2, replace(EACH, best_of=CANDIDATES)), loaded, out)
    first, second = (json.loads(line) for line in out.read_text("utf-8").splitlines())
    assert first["abc"] == generate(client, **REQUEST)["tunes"][0]["abc"]
    assert second["abc"] == generate(client, **REQUEST | {"seed": second["seed"]})["tunes"][0]["abc"]
    with pytest.raises(BulkError, match="plain/1 was published without a critic"):
        run(BulkJob(2, replace(EACH, best_of=2), model="plain"), loaded, tmp_path / "plain.abc")


def test_a_critic_of_another_lilt_is_named_and_not_used(
    checkpoint: Checkpoint, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    publish(Store(tmp_path), checkpoint, "other", critic=taste("swing", 1.0, 1.0))
    models = Models(Settings(model_store=tmp_path))
    with caplog.at_level(logging.ERROR):
        models.start()
    served: ServedModel = models.all()[0]
    served.engine.close()
    assert served.critic is None
    assert "critic.safetensors: goes by features that this Lilt does not have: swing" in caplog.text
