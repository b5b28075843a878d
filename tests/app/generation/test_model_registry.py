"""Several models at once, and versions that come and go while the service runs."""

import signal
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from model_store.store import Checkpoint, Store
from tests.checkpoints import publish
from tests.servers import Server, serving

PATIENCE_S = 30


@pytest.fixture
def store(tmp_path: Path, checkpoint: Checkpoint) -> Store:
    store = Store(tmp_path / "store")
    publish(store, checkpoint, "one")
    publish(store, checkpoint, "two")
    return store


@pytest.fixture
def running(store: Store) -> Iterator[Server]:
    with serving(model_store=str(store.root), refresh_s="3600") as server:
        yield server


def versions(client: httpx.Client) -> dict[str, int]:
    return {model["name"]: model["version"] for model in client.get("/readyz").json()["models"]}


def look_again(server: Server, client: httpx.Client, until: str) -> None:
    """Have the service look for new versions, and wait until its log says so."""
    server.process.send_signal(signal.SIGHUP)
    deadline = time.monotonic() + PATIENCE_S
    while not any(until in line for line in server.log):
        assert time.monotonic() < deadline, "".join(server.log)
        client.get("/healthz")


def test_every_model_is_served_and_the_first_is_the_default(running: Server) -> None:
    with running.client() as client:
        assert [model["name"] for model in client.get("/models").json()["models"]] == ["one", "two"]
        for asked, served in ((None, "one"), ("one", "one"), ("two", "two")):
            answer = client.post("/generate", json={"length": 5, "model": asked}).json()
            assert answer["model"]["name"] == served


def test_the_models_to_serve_can_be_named(store: Store) -> None:
    with serving(model_store=str(store.root), models="two, one") as server, server.client() as client:
        assert list(versions(client)) == ["two", "one"]
    with serving(model_store=str(store.root), models="two") as server, server.client() as client:
        assert list(versions(client)) == ["two"]


def test_a_new_version_takes_over_and_running_requests_end_on_theirs(
    running: Server, store: Store, checkpoint: Checkpoint
) -> None:
    body = {"length": 30_000, "tunes": None}
    with (
        running.client() as client,
        client.stream("POST", "/generate", json=body, headers={"Accept": "text/event-stream"}) as response,
    ):
        text = response.iter_text()
        next(text)
        publish(store, checkpoint, "one")
        look_again(running, client, "now serving one/2")
        assert versions(client) == {"one": 2, "two": 1}
        assert client.post("/generate", json={"length": 5}).json()["model"]["version"] == 2
        done = "".join(text).split("event: done")[1]
        assert '"version":1' in done
        assert '"generated":30000' in done


def test_rollback_is_followed(running: Server, store: Store, checkpoint: Checkpoint) -> None:
    publish(store, checkpoint, "two")
    with running.client() as client:
        look_again(running, client, "now serving two/2")
        store.rollback("two")
        look_again(running, client, "now serving two/1")
        assert versions(client) == {"one": 1, "two": 1}


def test_a_damaged_new_version_is_named_and_not_served(running: Server, store: Store, checkpoint: Checkpoint) -> None:
    weights = publish(store, checkpoint, "one").path("weights.safetensors")
    weights.write_bytes(weights.read_bytes()[:100])
    with running.client() as client:
        look_again(running, client, "still serving one/1")
        assert any("one/2/weights.safetensors" in line for line in running.log)
        assert versions(client) == {"one": 1, "two": 1}
        assert client.post("/generate", json={"length": 5}).status_code == 200
