"""Log lines and metrics of disconnected requests and of API keys."""

import json
import signal
import socket
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from prometheus_client.parser import text_string_to_metric_families

from app.api.api_keys import make
from tests.servers import Server, serving

PATIENCE_S = 30
ENDLESS = {"length": 10**9, "tunes": None}
TUNE = "X:1\nM:4/4\nL:1/8\nK:C\n" + "CDEF GABc|" * 40 + "\n"


def until(holds: Callable[[], Any]) -> Any:  # noqa: ANN401
    """Wait for something, and return it."""
    deadline = time.monotonic() + PATIENCE_S
    while not (found := holds()):
        assert time.monotonic() < deadline
    return found


def record_of(server: Server, id_: str) -> dict[str, Any]:
    """The line of the log about a request, once it is there."""
    line: str = until(
        lambda: next((line for line in list(server.log) if f'"{id_}"' in line and '"status"' in line), None)
    )
    record: dict[str, Any] = json.loads(line)
    return record


def samples(client: httpx.Client, name: str, **headers: str) -> dict[str, float]:
    """The samples of a metric with one label, by its value."""
    families = text_string_to_metric_families(client.get("/metrics", headers=headers).text)
    return {next(iter(s.labels.values())): s.value for family in families for s in family.samples if s.name == name}


@pytest.fixture(scope="module")
def endless() -> Iterator[Server]:
    """A service that makes tunes without end."""
    with serving(max_length=str(10**9), generate_timeout_s="100000") as server:
        yield server


@pytest.mark.parametrize(
    ("path", "body", "accept"),
    [
        ("/generate", ENDLESS, "application/json"),
        ("/generate", ENDLESS, "text/vnd.abc"),
        ("/generate", ENDLESS, "text/event-stream"),
        ("/generate", ENDLESS | {"avoid_copies": True}, "text/event-stream"),
        ("/render", {"abc": TUNE, "repeats": 8}, "audio/wav"),
    ],
)
def test_a_request_that_its_client_closes_is_logged_as_499(
    endless: Server, path: str, body: dict[str, Any], accept: str
) -> None:
    id_ = f"closed-{path[1:]}-{accept.partition('/')[2]}-{len(body)}"
    content = json.dumps(body).encode()
    head = f"POST {path} HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nAccept: {accept}\r\n"
    head += f"X-Request-ID: {id_}\r\nContent-Length: {len(content)}\r\n\r\n"
    host, port = endless.url.removeprefix("http://").split(":")
    with endless.client() as client:
        in_progress = "http_requests_in_progress"
        with socket.create_connection((host, int(port))) as connection:
            connection.sendall(head.encode() + content)
            if accept in ("text/event-stream", "audio/wav"):
                assert connection.recv(100).startswith(b"HTTP/1.1 200")
            else:
                until(lambda: f"{in_progress} 2.0" in client.get("/metrics").text)  # that one, and this question
        record = record_of(endless, id_)
        assert (record["status"], record["route"], record["whole"]) == (499, path, False)
        counted = f'http_requests_total{{method="POST",route="{path}",status="499"}}'
        assert counted in client.get("/metrics").text
        assert f'http_requests_total{{method="POST",route="{path}",status="200"}}' not in client.get("/metrics").text


def test_a_whole_answer_is_logged_with_its_status(client: httpx.Client, server: Server) -> None:
    for accept in ("application/json", "text/event-stream"):
        id_ = "whole-" + accept.partition("/")[2]
        client.post("/generate", json={"length": 20}, headers={"Accept": accept, "X-Request-ID": id_})
        record = record_of(server, id_)
        assert (record["status"], record["whole"]) == (200, True)
    client.head("/", headers={"X-Request-ID": "head"})
    record = record_of(server, "head")
    assert (record["method"], record["status"], record["bytes"], record["whole"]) == ("HEAD", 200, 0, True)


def test_requests_and_units_are_counted_by_key_label(tmp_path: Path) -> None:
    file = tmp_path / "keys"
    (ann, anns_line), (bob, bobs_line) = make("ann"), make("bob")
    file.write_text(f"{anns_line}\n{bobs_line}\n")

    def bearer(key: str, id_: str = "") -> dict[str, str]:
        return {"Authorization": f"Bearer {key}"} | ({"X-Request-ID": id_} if id_ else {})

    def told(name: str) -> dict[str, float]:
        return samples(client, name, **bearer(ann))

    with serving(api_keys_file=str(file), refresh_s="3600") as server, server.client() as client:
        made = client.post(
            "/generate",
            json={"length": 5000, "tunes": None},
            headers=bearer(bob, "bobs"),
        ).json()
        assert made["generated"] == 5000
        client.post("/render", json={"abc": TUNE, "format": "midi"}, headers=bearer(bob))
        client.post("/generate", json={"length": 10**6}, headers=bearer(bob, "refused"))
        client.get("/models", headers=bearer("lilt_unknown", "unknown"))
        client.get("/models")
        assert record_of(server, "bobs")["key"] == record_of(server, "refused")["key"] == "bob"
        assert "key" not in record_of(server, "unknown")
        requests, units = told("lilt_key_requests_total"), told("lilt_key_units_total")
        assert (requests["bob"], requests["(none)"]) == (3, 2)
        assert units["bob"] == 5 + 3 + 1

        file.write_text(f"{anns_line}\n")
        server.process.send_signal(signal.SIGHUP)
        until(lambda: any("1 keys of 1 holders" in line for line in list(server.log)) or not client.get("/healthz"))
        assert client.get("/models", headers=bearer(bob)).status_code == 401
        assert told("lilt_key_requests_total").keys() == {"ann", "(none)"}
        assert "bob" not in told("lilt_key_units_total")
    assert not any(key in "".join(server.log) for key in (ann, bob))


def test_key_labels_in_metrics_are_bounded_by_the_key_file(tmp_path: Path) -> None:
    """A request that outlives its key is counted with those that have none."""
    file = tmp_path / "keys"
    (ann, anns_line), (bob, bobs_line) = make("ann"), make("bob")
    file.write_text(f"{anns_line}\n{bobs_line}\n")
    body = {"length": 20_000, "tunes": None}
    bobs = {"Authorization": f"Bearer {bob}", "Accept": "text/event-stream"}
    with serving(api_keys_file=str(file), refresh_s="3600", max_batch="1") as server, server.client() as client:
        with client.stream("POST", "/generate", json=body, headers=bobs) as response:
            text = response.iter_text()
            next(text)
            file.write_text(f"{anns_line}\n")
            server.process.send_signal(signal.SIGHUP)
            until(lambda: any("1 keys of 1 holders" in line for line in list(server.log)))
            assert "event: done" in "".join(text)
        units = samples(client, "lilt_key_units_total", Authorization=f"Bearer {ann}")
    assert units.keys() == {"(none)"}
    assert units["(none)"] >= 19


def test_without_keys_no_label_is_counted(client: httpx.Client) -> None:
    client.post("/generate", json={"length": 5})
    assert samples(client, "lilt_key_requests_total").keys() == {"(none)"}
    assert samples(client, "lilt_key_units_total").keys() == {"(none)"}
