"""Slow and silent clients time out, and delay nobody else."""

import json
import socket
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from tests.servers import Server, serving

TIMEOUT_S = 1.0
BOUND_S = 20.0
MOST = 20


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    """A service that waits a second for its clients, and has room for twenty."""
    with serving(client_timeout_s=str(TIMEOUT_S), max_connections=str(MOST)) as running:
        yield running


@pytest.fixture
def client(server: Server) -> Iterator[httpx.Client]:
    with server.client() as client:
        yield client


def connect(server: Server) -> socket.socket:
    url = httpx.URL(server.url)
    assert url.port
    return socket.create_connection((url.host, url.port), timeout=BOUND_S)


def rest_of(connection: socket.socket) -> bytes:
    """All that the server sends until it closes; fails if it does not within `BOUND_S`."""
    received = b""
    try:
        while piece := connection.recv(65536):
            received += piece
    except ConnectionResetError:
        pass
    return received


def drip(connection: socket.socket, data: bytes) -> None:
    """Send a byte every tenth of a second until the server has had enough."""
    connection.settimeout(0.1)
    try:
        for byte in data:
            connection.send(bytes([byte]))
            try:
                if connection.recv(1, socket.MSG_PEEK) is not None:
                    return
            except TimeoutError:
                continue
    except OSError:
        return
    finally:
        connection.settimeout(BOUND_S)
    pytest.fail("the server took every byte of it")


def test_a_silent_client_times_out(server: Server, client: httpx.Client) -> None:
    with connect(server) as silent:
        assert rest_of(silent) == b""
    assert client.get("/healthz").status_code == 200


def test_a_slow_head_times_out(server: Server, client: httpx.Client) -> None:
    with connect(server) as slow:
        drip(slow, b"GET /healthz HTTP/1.1\r\nHost: localhost\r\nX-Slow: " + b"a" * 300)
        assert rest_of(slow).startswith(b"HTTP/1.1 408 ")
    assert client.get("/healthz").status_code == 200


@pytest.mark.parametrize("path", ["/generate", "/render", "/check"])
def test_a_slow_body_times_out(server: Server, client: httpx.Client, path: str) -> None:
    head = f"POST {path} HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: 400\r\n\r\n"
    with connect(server) as slow:
        slow.sendall(head.encode())
        drip(slow, b" " * 400)
        answer = rest_of(slow)
        assert answer.startswith(b"HTTP/1.1 408 ")
        assert b"application/problem+json" in answer
    assert client.get("/healthz").status_code == 200


def test_a_body_that_nobody_reads_keeps_no_connection(server: Server) -> None:
    head = b"POST /nowhere HTTP/1.1\r\nHost: localhost\r\nContent-Length: 400\r\n\r\n"
    with connect(server) as slow:
        slow.sendall(head)
        assert slow.recv(12) == b"HTTP/1.1 404"
        deadline = time.monotonic() + BOUND_S
        try:
            while time.monotonic() < deadline:
                slow.send(b" ")
                time.sleep(0.05)
        except OSError:
            return
    pytest.fail("the connection was kept")


def test_an_idle_keep_alive_connection_times_out(server: Server) -> None:
    with connect(server) as kept:
        for _ in range(2):
            kept.sendall(b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n")
            answer = b""
            while not answer.endswith(b"}"):
                answer += kept.recv(65536)
            assert answer.startswith(b"HTTP/1.1 200")
        assert b"HTTP/1.1" not in rest_of(kept)


def ask_for_long_sound(reader: socket.socket, request_id: str) -> None:
    """28 MB, which will not fit into any buffer on the way."""
    bars = "CDEF GABc|" * 4
    body = json.dumps({"abc": f"X:1\nM:4/4\nL:1/8\nK:C\n{bars}\n", "repeats": 20, "format": "wav"}).encode()
    head = b"POST /render HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
    reader.sendall(head + b"X-Request-ID: %b\r\nContent-Length: %d\r\n\r\n" % (request_id.encode(), len(body)) + body)


def test_a_stalled_reader_times_out(server: Server, client: httpx.Client) -> None:
    with connect(server) as reader:
        ask_for_long_sound(reader, "reader")
        deadline = time.monotonic() + 3 * BOUND_S
        while not (lines := [line for line in server.log if '"request_id": "reader"' in line]):
            assert time.monotonic() < deadline
            client.get("/healthz")
    (record,) = map(json.loads, lines)
    assert (record["route"], record["status"], record["whole"]) == ("/render", 499, False)


def test_an_answer_that_takes_longer_than_a_clients_time_is_whole(client: httpx.Client) -> None:
    answer = client.post("/generate", json={"length": 100_000, "tunes": None})
    assert answer.json()["generated"] == 100_000


def test_the_longest_idle_connection_is_dropped_past_the_bound(server: Server, client: httpx.Client) -> None:
    silent = [connect(server) for _ in range(5 * MOST)]
    try:
        assert client.get("/healthz").status_code == 200
        assert client.post("/generate", json={"length": 50}).status_code == 200
        files = Path(f"/proc/{server.process.pid}/fd")
        deadline = time.monotonic() + BOUND_S
        while len(list(files.iterdir())) > MOST + 20:  # what the service itself has open, and a few
            assert time.monotonic() < deadline
            client.get("/healthz")
    finally:
        for connection in silent:
            connection.close()


@pytest.fixture(scope="module")
def patient_server() -> Iterator[Server]:
    """It waits longer for its clients than a test does, and has room for twenty."""
    with serving(client_timeout_s="100", max_connections=str(MOST)) as running:
        yield running


@pytest.mark.parametrize("owes", ["a body", "to read"])
def test_clients_that_keep_it_waiting_within_a_request_give_way_too(patient_server: Server, owes: str) -> None:
    """A thousand of them, each with a body that does not come, locked all others out for as long as they liked."""
    others = [connect(patient_server) for _ in range(MOST)]
    try:
        for number, other in enumerate(others):
            if owes == "a body":
                head = b"POST /check HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
                other.sendall(head + b"Expect: 100-continue\r\nContent-Length: 400\r\n\r\n")
                assert other.recv(12) == b"HTTP/1.1 100"
            else:
                ask_for_long_sound(other, f"stalled-{number}")
                assert other.recv(12) == b"HTTP/1.1 200"
        deadline = time.monotonic() + BOUND_S
        while not is_let_in(patient_server):  # until buffers on the way are full, they are being answered
            assert time.monotonic() < deadline
    finally:
        for other in others:
            other.close()


def is_let_in(server: Server) -> bool:
    with connect(server) as newest:
        newest.sendall(b"GET /healthz HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
        return rest_of(newest).startswith(b"HTTP/1.1 200 ")
