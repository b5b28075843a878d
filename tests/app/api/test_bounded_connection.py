"""What is no HTTP, or too much of it: refused by a problem document, before it costs the event loop much."""

import json
import socket
from collections.abc import Iterator

import httpx
import pytest

from app.api.bounded_connection import FREE_CHUNKS, MAX_HEAD_BYTES
from tests.servers import Server, serving

BOUND_S = 20.0
CHUNKED = b"Host: localhost\r\nTransfer-Encoding: chunked\r\n"
CHECK = b"POST /check HTTP/1.1\r\nContent-Type: text/vnd.abc\r\n" + CHUNKED


@pytest.fixture(scope="module")
def small_server() -> Iterator[Server]:
    """It takes small bodies alone."""
    with serving(max_body_bytes="2000", log_format="json") as running:
        yield running


def answer_to(url: httpx.URL, *pieces: bytes, after_first: bytes = b"") -> bytes:
    """All that is answered to pieces, each sent once the service has taken in those before.

    Args:
        after_first: what is to be answered to the first piece before the others are sent.
    """
    assert url.port
    with socket.create_connection((url.host, url.port), timeout=BOUND_S) as connection:
        received = b""
        try:
            for number, piece in enumerate(pieces):
                connection.sendall(piece)
                while not number and after_first not in received:
                    received += connection.recv(65536)
                assert httpx.get(f"{url}/healthz").status_code == 200
            while piece := connection.recv(65536):
                received += piece
        except (ConnectionResetError, BrokenPipeError):
            pass
        return received


def problem_in(answer: bytes, status: int) -> str:
    """What the problem document of an answer says."""
    head, _, body = answer.partition(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 %d " % status), answer[:200]
    lines = head.lower().split(b"\r\n")
    for line in (b"content-type: application/problem+json", b"connection: close", b"x-content-type-options: nosniff"):
        assert line in lines
    problem = json.loads(body)
    assert problem["status"] == status
    return str(problem["detail"])


def in_chunks(body: bytes, size: int) -> bytes:
    pieces = [body[at : at + size] for at in range(0, len(body), size)]
    return b"".join(b"%x\r\n%b\r\n" % (len(piece), piece) for piece in pieces) + b"0\r\n\r\n"


def test_a_body_of_very_many_small_chunks_is_refused(client: httpx.Client) -> None:
    """Each took the event loop ten microseconds: 200 KB of single bytes held it for a second, 2 MB for 18."""
    body = b"a" * (2 * FREE_CHUNKS)
    detail = problem_in(answer_to(client.base_url, CHECK + b"\r\n" + in_chunks(body, 1)), 400)
    assert detail == "the body comes in chunks of less than 64 bytes on average; send larger ones, or a Content-Length"


@pytest.mark.parametrize("size", [1, 11])
def test_a_tune_that_comes_by_lines_or_characters_is_read(client: httpx.Client, size: int) -> None:
    tune = b"X:1\nL:1/8\nM:4/4\nK:C\n" + b"CDEF GABc|\n" * 300
    answer = answer_to(client.base_url, CHECK + b"Connection: close\r\n\r\n" + in_chunks(tune, size))
    assert answer.startswith(b"HTTP/1.1 200 "), answer[:300]


@pytest.mark.parametrize("is_parted", [False, True])
def test_an_address_is_bounded_alike_however_it_comes(client: httpx.Client, *, is_parted: bool) -> None:
    """One that came at once could be of any length, one in parts of 16 KiB."""

    def ask(length: int) -> bytes:
        head = b"GET /render?abc=%b HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n" % (b"a" * length)
        parts = (head[:20_000], head[20_000:-9], head[-9:]) if is_parted else (head,)
        return answer_to(client.base_url, *parts)

    assert "no X: and no K: field" in problem_in(ask(32_000), 422)
    assert problem_in(ask(MAX_HEAD_BYTES), 431) == "address and headers are longer than 65,536 bytes"


@pytest.mark.parametrize(
    "request_",
    [
        b"hello\r\n\r\n",
        b"GET /healthz HTTP/1.1\r\n\r\n",  # without Host
        b"GET /healthz HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n",
        b"GET /\xff\xfe HTTP/1.1\r\nHost: a\r\n\r\n",
        b"GET /healthz HTTP/1.1\r\nHost: a\r\nX-<script>: a\r\n\r\n",
        b"POST /check HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n",
        CHECK + b"\r\n1\r\na\r\nZZ\r\n",
    ],
    ids=["words", "no host", "two hosts", "bytes in a path", "a header's name", "two lengths", "a broken chunk"],
)
def test_what_is_no_http_gets_a_problem_document_without_an_echo(client: httpx.Client, request_: bytes) -> None:
    assert problem_in(answer_to(client.base_url, request_), 400) == "this is no request as HTTP has it (RFC 9112)"


def test_a_body_that_breaks_off_or_goes_on_after_the_answer_began_leaves_no_traceback(small_server: Server) -> None:
    """It was a fault in the log, by whoever liked: the answer had begun, and could be no refusal any more."""
    url = httpx.URL(small_server.url)
    head = b"GET /generate?seed=1&tunes=null&length=8000 HTTP/1.1\r\nAccept: text/event-stream\r\n" + CHUNKED
    began = b"event: start"
    broken = answer_to(url, head + b"\r\n1\r\na\r\n", b"ZZ\r\n", after_first=began)
    body = in_chunks(b"a" * 5000, 1000)
    large = answer_to(url, head + b"Connection: close\r\n\r\n1\r\na\r\n", body, after_first=began)
    assert b"event: done" not in broken
    assert b"event: done" in large
    assert not [line for line in small_server.log if '"level": "ERROR"' in line]


@pytest.mark.parametrize(
    ("request_", "status"),
    [
        (b"HEAD /render?abc=%b HTTP/1.1\r\nHost: localhost\r\n\r\n" % (b"a" * MAX_HEAD_BYTES), 431),
        (b"HEAD /healthz HTTP/1.1\r\n" + CHUNKED + b"\r\nZZ\r\n", 400),
    ],
    ids=["a long address", "a broken chunk"],
)
def test_a_head_request_is_refused_without_a_body(small_server: Server, request_: bytes, status: int) -> None:
    """It was a fault in the log, by whoever liked: a problem document is no answer to HEAD."""
    head, _, body = answer_to(httpx.URL(small_server.url), request_).partition(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 %d " % status)
    assert not body
    assert not [line for line in small_server.log if '"level": "ERROR"' in line]


def test_a_body_that_nobody_reads_is_refused_while_the_answer_is_made(small_server: Server) -> None:
    head = b"GET /generate?seed=1&tunes=null&length=60000 HTTP/1.1\r\n" + CHUNKED + b"\r\n1\r\na\r\n"
    detail = problem_in(answer_to(httpx.URL(small_server.url), head, in_chunks(b"a" * 5000, 1000)), 413)
    assert detail == "the body is larger than 2,000 bytes"
    assert not [line for line in small_server.log if '"level": "ERROR"' in line]
