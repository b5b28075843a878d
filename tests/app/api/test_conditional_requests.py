"""Entity tags, ranges and what depends on them, as RFC 9110 has them (sections 13 and 14)."""

from collections.abc import Iterator

import httpx
import pytest
from starlette.datastructures import Headers

from app.api.conditional_requests import ByteRange, is_not_modified, wanted_range
from tests.servers import serving

TUNE = "X:1\nT:{title}\nM:4/4\nL:1/8\nK:C\nCDEF GABc|\n"
TAG = '"abc,1"'


@pytest.mark.parametrize(
    ("if_none_match", "is_same"),
    [
        (TAG, True),
        (f"W/{TAG}", True),
        (f'"other", {TAG}', True),
        (f'W/"other",W/{TAG} , "more"', True),
        ("*", True),
        (" * ", True),
        ('"other"', False),
        ('"abc"', False),
        ("abc,1", False),
        (f"w/{TAG}x", True),  # what is no tag is passed over
        ('"*"', False),
        ("", False),
    ],
)
def test_if_none_match_is_compared_weakly(if_none_match: str, is_same: bool) -> None:
    headers = Headers({"If-None-Match": if_none_match})
    assert is_not_modified(headers, TAG) is is_not_modified(headers, f"W/{TAG}") is is_same


def test_if_none_match_may_come_in_several_lines() -> None:
    lines = [(b"if-none-match", b'"other"'), (b"if-none-match", TAG.encode())]
    assert is_not_modified(Headers(raw=lines), TAG)
    assert not is_not_modified(Headers(), TAG)


@pytest.mark.parametrize(
    ("wanted", "found"),
    [
        ("bytes=0-9", (0, 10)),
        ("Bytes=90-", (90, 100)),
        ("bytes=90-500", (90, 100)),
        ("bytes=-7", (93, 100)),
        ("bytes=-500", (0, 100)),
        ("bytes=100-", None),
        ("bytes=-0", None),
    ],
)
def test_a_range_is_cut_to_the_file(wanted: str, found: tuple[int, int] | None) -> None:
    asked = wanted_range(Headers({"Range": wanted}), TAG)
    assert asked is not None
    assert asked.within(100) == found


@pytest.mark.parametrize("wanted", ["", "bytes=-", "bytes=9-5", "bytes=0-1,5-6", "lines=1-2", "bytes=a-b", "bytes 0-1"])
def test_what_is_no_single_range_is_ignored(wanted: str) -> None:
    assert wanted_range(Headers({"Range": wanted}), TAG) is None


@pytest.mark.parametrize(
    ("if_range", "etag", "counts"),
    [
        (TAG, TAG, True),
        ('"other"', TAG, False),
        (f"W/{TAG}", TAG, False),
        (f"W/{TAG}", f"W/{TAG}", False),
        ("Fri, 27 Nov 2026 12:00:00 GMT", TAG, False),
    ],
)
def test_if_range_is_compared_strongly(if_range: str, etag: str, counts: bool) -> None:
    asked = wanted_range(Headers({"Range": "bytes=0-9", "If-Range": if_range}), etag)
    assert asked == (ByteRange(0, 9) if counts else None)


@pytest.fixture(scope="module")
def limited() -> Iterator[httpx.Client]:
    """A client who is told what an answer cost."""
    with serving(quota_per_day="1000") as server, server.client() as client:
        yield client


def test_a_range_beyond_the_end_is_a_problem_document_with_the_length(client: httpx.Client) -> None:
    params = {"abc": TUNE.format(title="Beyond"), "format": "midi"}
    size = len(client.get("/render", params=params).content)
    for wanted in (f"bytes={size}-", "bytes=-0"):
        answer = client.get("/render", params=params, headers={"Range": wanted})
        assert (answer.status_code, answer.headers["Content-Range"]) == (416, f"bytes */{size}")
        assert answer.headers["Content-Type"] == "application/problem+json"
        assert (answer.json()["type"], answer.json()["status"]) == ("urn:lilt:problem:range", 416)
        assert "Content-Disposition" not in answer.headers


def test_an_answer_that_a_client_has_is_304_with_its_tag(client: httpx.Client) -> None:
    params = {"abc": TUNE.format(title="Kept"), "format": "ogg"}
    etag = client.get("/render", params=params).headers["ETag"]
    assert etag.startswith('W/"')
    for listed in (etag, etag.removeprefix("W/"), f'"other", {etag}', "*"):
        for method in ("GET", "HEAD"):
            answer = client.request(method, "/render", params=params, headers={"If-None-Match": listed})
            assert (answer.status_code, answer.content) == (304, b"")
            assert answer.headers["ETag"] == etag
    part = client.get("/render", params=params, headers={"Range": "bytes=0-9", "If-Range": etag})
    assert part.status_code == 200  # another stream number: no part of one fits the rest of the other
    assert client.get("/render", params=params, headers={"Range": "bytes=0-9"}).status_code == 206


def test_ranges_and_conditions_mean_nothing_to_a_post(client: httpx.Client) -> None:
    body = {"abc": TUNE.format(title="Posted"), "format": "midi"}
    whole = client.post("/render", json=body)
    for header in ({"Range": "bytes=0-9"}, {"If-None-Match": whole.headers["ETag"]}, {"If-None-Match": "*"}):
        answer = client.post("/render", json=body, headers=header)
        assert (answer.status_code, answer.content) == (200, whole.content)
    assert "Accept-Ranges" not in whole.headers


@pytest.mark.parametrize("path", ["/", "/style.css", "/fonts/serif.woff2"])
def test_a_page_that_a_client_has_is_304_in_each_encoding(client: httpx.Client, path: str) -> None:
    tags = {}
    for encoding in ("gzip", "identity", "gzip;q=0"):
        accepting = {"Accept-Encoding": encoding}
        answer = client.get(path, headers=accepting)
        tags[answer.headers.get("Content-Encoding")] = answer.headers["ETag"]
        for listed in (answer.headers["ETag"], f"W/{answer.headers['ETag']}", "*"):
            again = client.get(path, headers=accepting | {"If-None-Match": listed})
            assert (again.status_code, again.headers["ETag"]) == (304, answer.headers["ETag"])
        assert client.get(path, headers=accepting | {"If-None-Match": '"other"'}).status_code == 200
    assert len(set(tags.values())) == len(tags) == (1 if path.endswith(".woff2") else 2)


@pytest.mark.parametrize(
    "path", ["/", "/embed", "/style.css", "/docs", "/openapi.json", "/models", "/healthz", "/readyz", "/metrics"]
)
def test_head_answers_wherever_get_does_with_the_same_headers(client: httpx.Client, path: str) -> None:
    got, told = client.get(path), client.head(path)
    assert (told.status_code, told.content) == (200, b"")
    own = {"x-request-id", "date"} | ({"content-length"} if path == "/metrics" else set())
    assert {name: told.headers[name] for name in told.headers if name not in own} == {
        name: got.headers[name] for name in got.headers if name not in own
    }


def test_head_of_a_render_tells_what_get_would_and_makes_nothing(limited: httpx.Client) -> None:
    params = {"abc": TUNE.format(title="Told"), "format": "midi"}

    def cost(answer: httpx.Response, left: int) -> int:
        return left - int(answer.headers["RateLimit"].partition("r=")[2].partition(";")[0])

    told = limited.head("/render", params=params)
    assert (told.status_code, told.content, cost(told, 1000)) == (200, b"", 1)
    assert "Content-Length" not in told.headers
    made = limited.get("/metrics").text
    assert 'lilt_renders_total{format="midi"' not in made
    got = limited.get("/render", params=params)
    kept = limited.head("/render", params=params)
    assert kept.headers["Content-Length"] == got.headers["Content-Length"] == str(len(got.content))
    for name in ("ETag", "Content-Type", "Content-Disposition", "Accept-Ranges", "Cache-Control"):
        assert told.headers[name] == kept.headers[name] == got.headers[name]
    assert limited.head("/render", params={"abc": "no tune"}).status_code == 422
    assert limited.head("/render", params=params, headers={"Range": "bytes=0-9"}).status_code == 200


def test_what_accept_decides_is_said_to_vary_by_it(client: httpx.Client) -> None:
    tune = {"abc": TUNE.format(title="Varied")}

    def varies(answer: httpx.Response, status: int) -> bool:
        assert answer.status_code == status
        return "Accept" in {name.strip() for name in answer.headers.get("Vary", "").split(",")}

    midi = {"Accept": "audio/midi"}
    got = client.get("/render", params=tune, headers=midi)
    assert varies(got, 200)
    assert varies(client.head("/render", params=tune, headers=midi), 200)
    assert varies(client.get("/render", params=tune, headers=midi | {"Range": "bytes=0-9"}), 206)
    assert varies(client.get("/render", params=tune, headers=midi | {"If-None-Match": got.headers["ETag"]}), 304)
    assert varies(client.get("/render", params=tune, headers=midi | {"Range": "bytes=99999-"}), 416)
    assert varies(client.get("/render", params=tune, headers={"Accept": "text/html"}), 406)
    assert varies(client.get("/render", params={"abc": "no tune"}), 422)
    assert varies(client.get("/render", params=tune | {"tempo": "x"}), 422)
    assert varies(client.post("/render", json=tune, headers=midi), 200)
    for accept in ("application/json", "text/vnd.abc", "text/event-stream"):
        assert varies(client.post("/generate", json={"length": 5}, headers={"Accept": accept}), 200)
    assert varies(client.post("/generate", json={}, headers={"Accept": "image/png"}), 406)
    assert varies(client.post("/generate", json={"length": 0}), 422)
    # the format was named, so a picture and a link to it may share what is kept
    assert not varies(client.get("/render", params=tune | {"format": "midi"}), 200)
    assert not varies(client.post("/render", json=tune | {"format": "midi"}), 200)
    assert not varies(client.get("/models"), 200)
