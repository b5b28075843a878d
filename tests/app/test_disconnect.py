"""A client that goes away frees its place: here the engine has one, and the request that held it would never end."""

from collections.abc import Iterator

import httpx
import pytest

from tests.servers import Server, serving

ENDLESS = {"length": 10**9, "tunes": None}


@pytest.fixture(scope="module")
def narrow_server() -> Iterator[Server]:
    with serving(max_batch="1", max_length=str(10**9), generate_timeout_s="100000") as server:
        yield server


def test_a_stream_that_is_left_frees_its_place(narrow_server: Server) -> None:
    with narrow_server.client() as client:
        with client.stream("POST", "/generate", json=ENDLESS, headers={"Accept": "text/event-stream"}) as response:
            assert next(response.iter_text()).startswith("event: chunk")
        assert client.post("/generate", json={"length": 20}).status_code == 200


def test_a_plain_request_that_is_left_frees_its_place(narrow_server: Server) -> None:
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
