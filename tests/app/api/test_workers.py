"""One service by two processes: what holds of one process holds of both together."""

import json
import os
import signal
import socket
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import httpx
import pytest
from prometheus_client.parser import text_string_to_metric_families

from app.api import api_keys
from model_store.store import Checkpoint, Store
from tests.checkpoints import publish
from tests.servers import Server, serving

Both = tuple[httpx.Client, httpx.Client]

PATIENCE_S = 30
TUNE = "X:1\nM:4/4\nL:1/8\nK:C\nCDEF GABc|\n"


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory, checkpoint: Checkpoint) -> Store:
    store = Store(tmp_path_factory.mktemp("workers") / "store")
    publish(store, checkpoint, "one")
    return store


@pytest.fixture(scope="module")
def keys(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """A key of somebody who may do a lot, and of one with five units a minute; the file is beside."""
    folder = tmp_path_factory.mktemp("keys")
    made = {label: api_keys.make(label) for label in ("rich", "poor")}
    rates = {"rich": 1_000_000, "poor": 5}
    (folder / "keys").write_text("".join(f"{made[label][1]} {rates[label]}\n" for label in made))
    return {label: key for label, (key, _) in made.items()} | {"file": str(folder / "keys")}


@pytest.fixture(scope="module")
def running(store: Store, keys: dict[str, str]) -> Iterator[Server]:
    with serving(
        workers="2", model_store=str(store.root), refresh_s="3600", api_keys_file=keys["file"], max_renders="1"
    ) as server:
        yield server


@pytest.fixture(scope="module")
def both(running: Server, keys: dict[str, str]) -> Iterator[tuple[httpx.Client, httpx.Client]]:
    """Two clients that keep a connection each: the service's first two, so that each worker has one."""
    with opened(running, keys["rich"]) as one, opened(running, keys["rich"]) as other:
        yield one, other


@contextmanager
def opened(server: Server, key: str) -> Iterator[httpx.Client]:
    """A client with a connection that it keeps."""
    headers, limits = {"Authorization": f"Bearer {key}"}, httpx.Limits(keepalive_expiry=None)
    with httpx.Client(base_url=server.url, timeout=60, limits=limits, headers=headers) as client:
        assert client.get("/healthz").status_code == 200
        yield client


def until(is_so: Callable[[], bool], server: Server) -> None:
    deadline = time.monotonic() + PATIENCE_S
    while not is_so():
        assert time.monotonic() < deadline, "".join(server.log)


def total(client: httpx.Client, name: str, **labels: str) -> float:
    """The sum of the samples that have these labels."""
    families = text_string_to_metric_families(client.get("/metrics").text)
    return sum(s.value for f in families for s in f.samples if s.name == name and labels.items() <= s.labels.items())


def processes(client: httpx.Client) -> set[int]:
    """All of the service: the one that was started and its workers."""
    families = text_string_to_metric_families(client.get("/metrics").text)
    return {int(s.labels["pid"]) for f in families for s in f.samples if s.name == "process_resident_memory_bytes"}


def workers(server: Server, client: httpx.Client) -> set[int]:
    return processes(client) - {server.process.pid}


def test_each_worker_serves_and_a_seed_is_the_same_tune_in_all(running: Server, both: Both) -> None:
    answers = [client.post("/generate", json={"seed": 7}) for client in both]
    ids = {answer.headers["X-Request-ID"] for answer in answers}

    def lines() -> list[str]:
        return [line for line in running.log if any(id_ in line for id_ in ids)]

    until(lambda: len(lines()) == 2, running)
    assert len({json.loads(line)["pid"] for line in lines()}) == 2
    assert answers[0].json() == answers[1].json()


def test_what_a_caller_spends_is_counted_once_over_all_workers(both: Both, keys: dict[str, str]) -> None:
    headers, (one, other) = {"Authorization": f"Bearer {keys['poor']}"}, both
    for client, left in ((one, 4), (other, 3), (one, 2), (other, 1), (one, 0)):
        answer = client.post("/generate", json={"seed": 1, "length": 5}, headers=headers)
        assert answer.headers["RateLimit"].startswith(f'"minute";r={left};')
    refused = [client.post("/generate", json={"length": 5}, headers=headers).status_code for client in both]
    assert refused == [429, 429]


def test_metrics_tell_the_sum_whichever_worker_is_asked(both: Both) -> None:
    before = [total(client, "lilt_generations_total") for client in both]
    for client in both:
        client.post("/generate", json={"seed": 1, "length": 5})
    assert before[0] == before[1]
    assert [total(client, "lilt_generations_total") for client in both] == [before[0] + 2] * 2
    for client in both:
        asked = client.get("/metrics").text
        assert 'lilt_key_requests_total{key="rich"}' in asked
        assert 'lilt_engine_running{model="one"} 0.0' in asked
        assert len(processes(client)) == 3


def test_what_one_has_rendered_the_other_has_kept(both: Both) -> None:
    files = [client.post("/render", json={"abc": TUNE, "format": "midi"}).content for client in both]
    assert files[0] == files[1]
    assert total(both[0], "lilt_renders_total") == 1
    assert total(both[0], "lilt_render_cache_lookups_total", result="hit") == 1


def test_a_file_that_one_is_making_the_other_waits_for(both: Both) -> None:
    body = {"abc": TUNE.replace("CDEF", "FEDC") + "CDEF GABc|\n" * 60, "format": "wav"}
    before = total(both[0], "lilt_renders_total", format="wav")
    with both[0].stream("POST", "/render", json=body) as growing:
        begun = growing.iter_bytes(4096)
        first = next(begun)
        whole = both[1].post("/render", json=body).content
        assert whole == first + b"".join(begun)
    assert total(both[0], "lilt_renders_total", format="wav") == before + 1
    assert total(both[0], "lilt_render_cache_lookups_total", result="miss") == 2


def test_a_new_version_takes_over_in_every_worker(
    running: Server, both: Both, store: Store, checkpoint: Checkpoint
) -> None:
    published = publish(store, checkpoint, "one").manifest
    running.process.send_signal(signal.SIGHUP)
    for client in both:
        until(lambda client=client: client.get("/readyz").json()["models"][0]["version"] == 2, running)  # type: ignore[misc]
    until(lambda: total(both[0], "lilt_model_info", version="1") == 0, running)
    assert total(both[0], "lilt_model_info", version="2", digest=published.digest) == 1


def test_a_worker_that_is_killed_is_replaced_and_what_it_counted_stays(
    running: Server, both: Both, keys: dict[str, str]
) -> None:
    before, count = workers(running, both[0]), total(both[0], "lilt_generations_total")
    victim = min(before)
    os.kill(victim, signal.SIGKILL)

    def is_replaced() -> bool:
        with suppress(httpx.TransportError), opened(running, keys["rich"]) as client:  # it may be handed one as it dies
            now = workers(running, client)
            return len(now) == 2 and victim not in now
        return False

    until(is_replaced, running)
    assert any(f"worker {victim} was ended by SIGKILL" in line for line in running.log)
    with opened(running, keys["rich"]) as client:
        assert client.post("/generate", json={"seed": 3}).status_code == 200
        assert total(client, "lilt_generations_total") > count


def test_a_worker_that_hangs_is_replaced(store: Store) -> None:
    with serving(workers="2", model_store=str(store.root), worker_timeout_s="2") as server, server.client() as client:
        id_ = client.get("/models").headers["X-Request-ID"]
        until(lambda: any(id_ in line for line in server.log), server)
        alive = next(json.loads(line)["pid"] for line in server.log if id_ in line)
        (hung,) = workers(server, client) - {alive}
        os.kill(hung, signal.SIGSTOP)
        until(lambda: len(workers(server, client) - {hung, alive}) == 1, server)
        assert any(f"worker {hung} gives no sign of life" in line for line in server.log)
        assert any(f"worker {hung} was ended by SIGKILL" in line for line in server.log)
        assert httpx.get(f"{server.url}/models", timeout=60).status_code == 200

        (starting,) = hung_as_it_starts(server, {alive}, victim=(workers(server, client) - {alive}).pop())
        until(lambda: any(f"worker {starting} was ended by SIGKILL" in line for line in server.log), server)
        until(lambda: len(workers(server, client) - {starting, alive}) == 1, server)


def hung_as_it_starts(server: Server, others: set[int], victim: int) -> set[int]:
    """Kill a worker, and stop the one that replaces it before it can load a model."""
    children = Path(f"/proc/{server.process.pid}/task/{server.process.pid}/children")
    os.kill(victim, signal.SIGKILL)
    replaced: set[int] = set()
    while not replaced:
        replaced = set(map(int, children.read_text().split())) - {victim, *others}
    for process in replaced:
        os.kill(process, signal.SIGSTOP)
    assert not any(f"Started server process [{process}]" in line for line in server.log for process in replaced)
    return replaced


def is_listening(server: Server) -> bool:
    host, port = server.url.removeprefix("http://").split(":")
    with socket.socket() as client:
        return client.connect_ex((host, int(port))) == 0


def test_a_stop_lets_requests_end_in_every_worker(store: Store) -> None:
    with serving(workers="2", model_store=str(store.root)) as server, server.client() as one, server.client() as other:
        body, accept = {"seed": 1, "length": 3000, "tunes": None}, {"Accept": "text/event-stream"}
        with (
            one.stream("POST", "/generate", json=body, headers=accept) as first,
            other.stream("POST", "/generate", json=body, headers=accept) as second,
        ):
            texts = [first.iter_text(), second.iter_text()]
            begun = [next(text) for text in texts]
            for process in (server.process.pid, *workers_of(server)):  # as a service manager ends a whole group
                os.kill(process, signal.SIGTERM)
            ended = [start + "".join(text) for start, text in zip(begun, texts, strict=True)]
        assert all("event: done" in text for text in ended)
        assert server.process.wait(PATIENCE_S) == -signal.SIGTERM
        assert not is_listening(server)


def workers_of(server: Server) -> list[int]:
    return [
        int(line.split("Started server process [")[1].split("]")[0]) for line in server.log if "Started server" in line
    ]


def test_no_worker_outlives_the_process_that_started_it(store: Store) -> None:
    with serving(workers="2", model_store=str(store.root)) as server:
        left = workers_of(server)
        server.process.kill()
        until(lambda: not any(Path(f"/proc/{process}").exists() for process in left), server)


def test_what_keeps_a_worker_from_starting_is_said_once(store: Store, tmp_path: Path) -> None:
    (tmp_path / "keys").write_text("nobody\n")
    with (
        pytest.raises(AssertionError) as caught,
        serving(workers="2", model_store=str(store.root), api_keys_file=str(tmp_path / "keys")),
    ):
        pass
    assert str(caught.value).count("error: LILT_API_KEYS_FILE") == 1
