"""Hostile requests: each is answered within its bound by a problem document, and the service goes on."""

import json
from dataclasses import dataclass

import httpx
import pytest
from pydantic import ValidationError

from app.api.schemas.notation import CheckRequest
from tests.servers import Server

JSON = "application/json"
ABC = "text/vnd.abc"
GENERATE, RENDER = "/generate", "/render"
HEADER = "X:1\nM:4/4\nL:1/8\nK:C\n"
BOUND_S = 20


@dataclass(frozen=True)
class Refused:
    """A request, the status it must get, and a word of the reason."""

    path: str
    body: bytes
    status: int
    reason: str
    content_type: str = JSON
    method: str = "POST"
    accept: str = "*/*"


def making(status: int = 422, reason: str = "", **fields: object) -> Refused:
    return Refused(GENERATE, json.dumps(fields).encode(), status, reason)


def playing(abc: str, reason: str, status: int = 422) -> Refused:
    return Refused(RENDER, abc.encode(), status, reason, ABC)


REFUSED = {
    # not JSON
    "empty body": Refused(GENERATE, b"", 422, "required"),
    "broken JSON": Refused(GENERATE, b'{"length": ', 422, "not JSON"),
    "JSON with a tail": Refused(GENERATE, b"{} {}", 422, "not JSON"),
    "a list": Refused(GENERATE, b"[]", 422, "dictionary"),
    "a null": Refused(GENERATE, b"null", 422, "dictionary"),
    "bytes that are not UTF-8": Refused(GENERATE, b'{"start_string": "\xff\xfe"}', 400, "parsing"),
    "a deep nest": Refused(GENERATE, b"[" * 100_000, 400, "parsing"),
    "a number of ten thousand digits": Refused(GENERATE, b'{"seed": ' + b"9" * 10_000 + b"}", 400, "parsing"),
    # not the right JSON
    "length as text": making(reason="length: a whole number is allowed", length="100"),
    "a mistyped field": making(reason="tempreature: there is no such field; did you mean temperature?", tempreature=1),
    "length as a fraction": making(reason="length", length=1.5),
    "length true": making(reason="length", length=True),
    "length nought": making(reason="length: 1 or more is allowed", length=0),
    "length below nought": making(reason="length", length=-1),
    "a huge length": making(reason="length", length=10**9),
    "a length past 64 bits": making(reason="length", length=10**30),
    "temperature NaN": Refused(GENERATE, b'{"temperature": NaN}', 422, "temperature"),
    "temperature infinite": Refused(GENERATE, b'{"temperature": Infinity}', 422, "temperature"),
    "temperature overflowing": Refused(GENERATE, b'{"temperature": 1e999}', 422, "temperature"),
    "temperature negative": making(reason="temperature", temperature=-0.5),
    "temperature null": making(reason="temperature", temperature=None),
    "top_k nought": making(reason="top_k", top_k=0),
    "top_p above one": making(reason="top_p", top_p=1.5),
    "seed negative": making(reason="seed", seed=-1),
    "tunes nought": making(reason="tunes", tunes=0),
    "an unknown field": making(reason="no such field", lenght=5),
    "twenty thousand unknown fields": making(reason="no such field", **{f"f{number}": 1 for number in range(20_000)}),
    "many unknown fields to check": Refused(
        "/check", json.dumps({f"f{number}": 1 for number in range(20_000)}).encode(), 422, "no such field"
    ),
    "a number for a boolean": making(reason="constrained", constrained=0),
    "a key of nine sharps": making(reason="key", key="G# Major"),
    "a metre of its own": making(reason="meter", meter="13/16"),
    "a form that is none": making(reason="form", form="ABBA"),
    "a range upside down": making(reason="low", low=80, high=60),
    "a wish without the grammar": making(reason="key", key="D", constrained=False),
    "an unknown model": making(reason="no such model", model="nobody"),
    # characters
    "a character outside the vocabulary": making(reason="position 4", start_string="X:1\n\u2603"),
    "a NUL": making(reason="position 0", start_string="\0"),
    "a lone surrogate": Refused(GENERATE, b'{"start_string": "\\ud800"}', 422, "start_string"),
    "a start string without end": making(reason="start_string", start_string="a" * 30_000),
    # media types and methods
    "a megabyte": Refused(GENERATE, b'{"start_string": "' + b"a" * 1_000_000 + b'"}', 413, "larger"),
    "a form": Refused(GENERATE, b"length=5", 415, JSON, "application/x-www-form-urlencoded"),
    "no content type": Refused(GENERATE, b"{}", 415, JSON, ""),
    "an Accept that is not made": Refused(GENERATE, b"{}", 406, "are offered", accept="image/png"),
    "a PUT": Refused(GENERATE, b"", 405, "Method Not Allowed", method="PUT"),
    "no such page": Refused("/nowhere/../etc/passwd", b"", 404, "Not Found", method="GET"),
    # ABC
    "no ABC": playing("", "no tune"),
    "words": playing("hello", "no tune"),
    "binary in ABC": Refused(RENDER, b"\x00\x01\xff\xfe" * 100, 422, "not UTF-8", ABC),
    "binary among the notes": Refused(RENDER, HEADER.encode() + b"CD\xff\xfeEF|\n", 422, "not UTF-8", ABC),
    "half of UTF-16": Refused(RENDER, (HEADER + "CDEF|\n").encode("utf-16")[:-1], 422, "not UTF-8", ABC),
    "a NUL in a tune": playing(HEADER + "C\0D|\n", "control character"),
    "a header alone": playing("X:1\nK:C\n", "no notes"),
    "only rests": playing(HEADER + "z8|\n", "not a note"),
    "an included file": playing("X:1\n%%abc-include /etc/passwd\nK:C\nCDEF|\n", "directive"),
    "an included device": playing(HEADER + "%%abc-include /dev/zero\nCDEF|\n", "directive"),
    "a crash by drone": playing("X:1\n%%MIDI droneon\n", "no K: field"),
    "a note without end": playing(HEADER + "C99999|\n", "four digits"),
    "a slow bomb": playing("X:1\nM:4/4\nL:1/1\nQ:1/4=1\nK:C\n" + "C64|" * 64 + "\n", "seconds"),
    "parts of parts": playing("X:1\nP:((A99)99)99\nL:1/1\nK:C\nP:A\nC64|\n", ""),
    "a megabyte of tune": playing(HEADER + "C" * 1_000_000, "larger", 413),
    "fifty kilobytes of tune": playing(HEADER + "CDEF|\n" * 10_000, "bytes"),
    "a format that is not made": Refused(RENDER, json.dumps({"abc": HEADER, "format": "docx"}).encode(), 422, "format"),
    "a wild tempo": Refused(RENDER, json.dumps({"abc": HEADER, "tempo": 1e9}).encode(), 422, "tempo"),
}


def test_of_very_many_unknown_fields_few_are_named() -> None:
    """Each that pydantic finds takes the time of an error."""
    fields = {f"f{number}": 1 for number in range(20_000)} | {"abc": 5}
    with pytest.raises(ValidationError) as read:
        CheckRequest.model_validate(fields)
    with pytest.raises(ValidationError) as parsed:
        CheckRequest.model_validate_json(json.dumps(fields))
    for refused in (read.value, parsed.value):
        assert [error["loc"] for error in refused.errors()] == [("abc",), *((f"f{n}",) for n in range(20))]


@pytest.mark.parametrize("refused", REFUSED.values(), ids=REFUSED.keys())
def test_a_hostile_request_gets_a_problem_document(client: httpx.Client, refused: Refused) -> None:
    response = client.request(
        refused.method,
        refused.path,
        content=refused.body,
        headers={"Content-Type": refused.content_type, "Accept": refused.accept},
        timeout=BOUND_S,
    )
    assert response.status_code == refused.status, response.text
    assert response.headers["Content-Type"] == "application/problem+json"
    problem = response.json()
    assert problem["status"] == refused.status
    assert {"type", "title", "detail"} <= problem.keys()
    assert refused.reason in response.text
    assert "Traceback" not in response.text
    assert len(response.content) < 8192
    assert client.get("/healthz").status_code == 200


@pytest.mark.parametrize(
    ("path", "allowed"),
    [("/render", "GET, HEAD, POST"), ("/generate", "GET, HEAD, POST"), ("/models", "GET, HEAD"), ("/", "GET, HEAD")],
)
def test_a_method_that_is_not_allowed_is_told_which_are(client: httpx.Client, path: str, allowed: str) -> None:
    response = client.request("PUT", path)
    assert (response.status_code, response.headers["Allow"]) == (405, allowed)


def test_a_refusal_of_characters_says_which_and_where(client: httpx.Client) -> None:
    problem = client.post("/generate", json={"start_string": "X:1\nT:\u2603"}).json()
    (fault,) = problem["errors"]
    assert (fault["field"], fault["position"]) == ("start_string", 6)


def test_the_line_that_the_reader_skipped_is_told(client: httpx.Client) -> None:
    response = client.post("/render", json={"abc": HEADER + "z2 ] z5|\n"})
    assert response.status_code == 422
    fault = response.json()["errors"][0]
    assert (fault["line"], fault["column"]) == (5, 4)
    assert "the chord has ended already" in fault["message"]


def test_who_asks_for_another_protocol_is_answered_in_http_and_no_warning_is_logged(
    server: Server, client: httpx.Client
) -> None:
    headers = {
        "Connection": "Upgrade",
        "Upgrade": "websocket",
        "Sec-WebSocket-Version": "13",
        "Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ==",
    }
    for path, status in (("/version", 200), ("/socket", 404)):
        assert client.get(path, headers=headers).status_code == status
    assert client.get("/version").status_code == 200
    assert not any("pgrade" in line for line in server.log)


def test_the_service_still_works_after_all_that(client: httpx.Client) -> None:
    assert client.post("/generate", json={"length": 50}).status_code == 200
    assert client.post("/render", json={"abc": HEADER + "CDEF GABc|\n"}).status_code == 200
