"""Requests whose client disconnects, whose deadline passes or whose service shuts down."""

import signal
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import httpx
import pytest

from tests.servers import Server, serving

ENDLESS = {"length": 10**9, "tunes": None}


@pytest.fixture(scope="module")
def narrow_server() -> Iterator[Server]:
    """One place in the engine, and requests that would never end."""
    with serving(max_batch="1", max_length=str(10**9), generate_timeout_s="100000") as server:
        yield server


def test_a_disconnected_stream_frees_its_place(narrow_server: Server) -> None:
    with narrow_server.client() as client:
        with client.stream("POST", "/generate", json=ENDLESS, headers={"Accept": "text/event-stream"}) as response:
            assert "event: start" in next(response.iter_text())
        assert client.post("/generate", json={"length": 20}).status_code == 200


def test_a_disconnected_request_frees_its_place(narrow_server: Server) -> None:
    with narrow_server.client() as client:
        with pytest.raises(httpx.ReadTimeout):
            client.post("/generate", json=ENDLESS, timeout=httpx.Timeout(10, read=0.5))
        assert client.post("/generate", json={"length": 20}).status_code == 200


def test_a_deadline_ends_a_request_with_504() -> None:
    with serving(max_length=str(10**9), generate_timeout_s="0.3") as server, server.client() as client:
        response = client.post("/generate", json=ENDLESS)
        assert (response.status_code, response.headers["Content-Type"]) == (504, "application/problem+json")
        streamed = client.post("/generate", json=ENDLESS, headers={"Accept": "text/event-stream"})
        assert "event: error" in streamed.text
        assert '"status": 504' in streamed.text
        assert client.post("/generate", json={"length": 20}).status_code == 200


def test_shutdown_answers_every_accepted_request() -> None:
    body = {"length": 5000, "tunes": None, "seed": 1}
    with serving() as server, server.client() as client, ThreadPoolExecutor(8) as pool:
        expected = client.post("/generate", json=body).json()["abc"]
        with client.stream("POST", "/generate", json=body, headers={"Accept": "text/event-stream"}) as response:
            text = response.iter_text()
            next(text)
            others = [pool.submit(client.post, "/generate", json=body) for _ in range(8)]
            others[0].result()  # by now all have been accepted: they are made side by side
            server.process.terminate()
            assert "event: done" in "".join(text)
        answers = [other.result() for other in others]
    assert [answer.json()["abc"] for answer in answers] == [expected] * 8
    assert server.process.returncode == -signal.SIGTERM  # uvicorn passes the signal on once it is done
