"""The service and bulk on a Ray cluster of two local nodes; `make ray` runs this in an environment that has Ray."""

import json
import os
import signal
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx
import pytest

ray = pytest.importorskip("ray", reason="Ray is not installed here; `make ray` has it in an environment of its own")

from ray import serve  # noqa: E402
from ray.cluster_utils import Cluster  # noqa: E402
from ray.util.state import list_actors  # noqa: E402
from ray.util.state.common import ActorState  # noqa: E402

from app import __main__ as command_line  # noqa: E402
from app.generation.bulk import BulkJob, Drawn  # noqa: E402
from app.generation.model_registry import ServedModel  # noqa: E402
from deploy.ray.bulk import draw  # noqa: E402
from deploy.ray.service import Lilt  # noqa: E402
from tests.servers import ROOT  # noqa: E402

REPLICAS = 2


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Two nodes of one core each, whose processes find this folder's packages; the dashboard is what lists actors."""
    os.environ |= {"PYTHONPATH": str(ROOT), "LILT_CACHE": str(tmp_path_factory.mktemp("cache"))}
    nodes = Cluster(
        initialize_head=True, head_node_args={"num_cpus": 1, "include_dashboard": True}
    )  # which lists actors
    try:
        nodes.add_node(num_cpus=1)
        ray.init(address=nodes.address, log_to_driver=False)
        yield
    finally:
        serve.shutdown()
        ray.shutdown()
        nodes.shutdown()


@pytest.fixture(scope="module")
def url(cluster: None) -> str:  # noqa: ARG001
    """The service with a replica on each node."""
    serve.start(http_options={"host": "127.0.0.1", "port": 8765})
    serve.run(Lilt.options(num_replicas=REPLICAS, max_ongoing_requests=128).bind(), name="lilt", route_prefix="/")
    return "http://127.0.0.1:8765"


def living(kind: str) -> list[ActorState]:
    found = list_actors(filters=[("state", "=", "ALIVE")], detail=True)
    return [actor for actor in found if kind in actor.class_name]


def make(url: str, seed: int) -> str:
    with httpx.Client(base_url=url, timeout=60, trust_env=False) as client:
        answer = client.post("/generate", json={"seed": seed})
        assert answer.status_code == 200, answer.text
        return str(answer.json()["abc"])


def replica(url: str) -> str:
    """One that the proxy chooses, by when its process began."""
    with httpx.Client(base_url=url, timeout=60, trust_env=False) as client:
        lines = client.get("/metrics").text.splitlines()
    return next(line for line in lines if line.startswith("process_start_time_seconds"))


def test_each_node_has_a_replica_and_a_seed_makes_the_same_tune_on_any(url: str) -> None:
    replicas = living("ServeReplica")
    assert len({actor.node_id for actor in replicas}) == REPLICAS
    with ThreadPoolExecutor(16) as pool:  # many at once, or the proxy takes the replica beside it
        tunes = [pool.submit(make, url, 5) for _ in range(64)]
        asked = {pool.submit(replica, url) for _ in range(64)}
    assert len({tune.result() for tune in tunes}) == 1
    assert len({one.result() for one in asked}) == REPLICAS


def test_a_stream_comes_whole_and_in_order(url: str) -> None:
    text, done = "", {}
    request = {"seed": 5, "tunes": None, "length": 4000}
    with (
        httpx.Client(base_url=url, timeout=60, trust_env=False) as client,
        client.stream("POST", "/generate", json=request, headers={"Accept": "text/event-stream"}) as answer,
    ):
        events, event = 0, ""
        for line in answer.iter_lines():
            name, _, value = line.partition(": ")
            if name == "event":
                event = value
            elif name == "data" and event == "chunk":
                text, events = text + json.loads(value)["text"], events + 1
            elif name == "data" and event == "done":
                done = json.loads(value)
    assert events > 1
    assert done["abc"].endswith(text)
    assert done["generated"] == 4000


def test_sound_and_refusals_are_the_services_own(url: str) -> None:
    with httpx.Client(base_url=url, timeout=60, trust_env=False) as client:
        abc = make(url, 5)
        assert client.post("/render", json={"abc": abc, "format": "wav"}).content.startswith(b"RIFF")
        assert client.post("/generate", json={"length": -1}).headers["content-type"] == "application/problem+json"


def test_a_replica_that_is_killed_is_replaced_without_a_hand(url: str) -> None:
    before = make(url, 9)
    victim = living("ServeReplica")[0]
    os.kill(victim.pid, signal.SIGKILL)
    alive = 0
    for _ in range(600):
        with httpx.Client(base_url=url, timeout=60, trust_env=False) as client:
            alive += client.get("/readyz").status_code == 200
        replicas = living("ServeReplica")
        if len(replicas) == REPLICAS and victim.pid not in {actor.pid for actor in replicas}:
            break
    else:
        pytest.fail("it was not replaced")
    assert alive
    assert make(url, 9) == before


@pytest.mark.usefixtures("cluster")
def test_bulk_with_a_killed_worker_writes_the_file_of_one_machine(tmp_path: Path) -> None:
    serve.shutdown()  # its cores are wanted
    whole, spread = tmp_path / "whole.jsonl", tmp_path / "spread.jsonl"
    assert command_line.main(["bulk", "--count", "1500", "--out", str(whole)]) == 0
    killed: list[int] = []

    def kill_one_on_the_way(job: BulkJob, model: ServedModel, first_seed: int) -> Drawn:
        for number, drawn in enumerate(draw(job, model, first_seed)):
            if number == 300:
                killed.append(living("Worker")[0].pid)
                os.kill(killed[0], signal.SIGKILL)
            yield drawn

    assert command_line.main(["bulk", "--count", "1500", "--out", str(spread)], drawing=kill_one_on_the_way) == 0
    assert killed
    assert spread.read_bytes() == whole.read_bytes()
