"""Cross-origin requests and CORS, over a real port."""

import base64
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from app.api.api_keys import make
from tests.servers import Server, serving

TUNE = "X:1\nM:4/4\nL:1/8\nK:C\nCDEF GABc|\n"
RENDER = {"abc": TUNE, "format": "midi"}
NAMED, OTHER = "https://songs.example", "https://evil.example"
CROSS_SITE = {"Sec-Fetch-Site": "cross-site"}
SUBRESOURCE = CROSS_SITE | {"Sec-Fetch-Mode": "no-cors", "Sec-Fetch-Dest": "audio"}
LINK = CROSS_SITE | {"Sec-Fetch-Mode": "navigate", "Sec-Fetch-Dest": "document"}


@pytest.fixture(scope="module")
def naming() -> Iterator[httpx.Client]:
    """A client of a service that names one origin."""
    with serving(cors_origins=NAMED.upper().replace("HTTPS", "https")) as server, server.client() as client:
        yield client


def ask(client: httpx.Client, **headers: str) -> httpx.Response:
    return client.get("/render", params=RENDER, headers={name.replace("_", "-"): headers[name] for name in headers})


def is_refused(answer: httpx.Response) -> bool:
    return answer.status_code == 403 and answer.json()["type"] == "urn:lilt:problem:cross-site"


def test_a_named_origin_may_ask_and_read(naming: httpx.Client) -> None:
    answer = ask(naming, Origin=NAMED, **CROSS_SITE)
    assert answer.status_code == 200
    assert answer.headers["Access-Control-Allow-Origin"] == NAMED
    assert answer.headers["Cross-Origin-Resource-Policy"] == "cross-origin"
    assert "Access-Control-Allow-Credentials" not in answer.headers
    exposed = {name.strip() for name in answer.headers["Access-Control-Expose-Headers"].split(",")}
    assert exposed >= {"ETag", "Content-Disposition", "Content-Range", "Accept-Ranges", "Content-Length", "Lilt-Seed"}


@pytest.mark.parametrize("site", ["cross-site", "same-site"])
@pytest.mark.parametrize("origin", [OTHER, "null", None])
def test_naming_an_origin_opens_nothing_to_others(naming: httpx.Client, site: str, origin: str | None) -> None:
    headers = SUBRESOURCE | {"Sec-Fetch-Site": site} | ({"Origin": origin} if origin else {})
    answer = ask(naming, **headers)
    assert is_refused(answer)
    assert answer.headers["Cross-Origin-Resource-Policy"] == "same-origin"
    assert "Access-Control-Allow-Origin" not in answer.headers
    assert answer.headers["Vary"] == "Origin"


def test_referer_is_not_believed(naming: httpx.Client) -> None:
    assert is_refused(ask(naming, Referer=f"{NAMED}/tunes", **SUBRESOURCE))


def test_an_origin_is_compared_whole(naming: httpx.Client) -> None:
    for origin in ("http://songs.example", f"{NAMED}.evil.example", f"{NAMED}:8443", "https://a.songs.example", "x"):
        assert is_refused(ask(naming, Origin=origin, **CROSS_SITE)), origin


@pytest.mark.parametrize("method", ["GET", "HEAD", "POST"])
def test_a_preflight_of_a_named_origin_is_granted(naming: httpx.Client, method: str) -> None:
    asked = {
        "Origin": NAMED,
        "Access-Control-Request-Method": method,
        "Access-Control-Request-Headers": "authorization, content-type, if-none-match, if-range, range, x-request-id",
        **CROSS_SITE,
    }
    answer = naming.options("/render", headers=asked)
    assert (answer.status_code, answer.headers["Access-Control-Allow-Origin"]) == (200, NAMED)
    assert method in answer.headers["Access-Control-Allow-Methods"]
    assert "Origin" in answer.headers["Vary"]
    assert is_refused(naming.options("/render", headers=asked | {"Origin": OTHER}))


def test_every_answer_of_a_service_that_names_origins_varies_by_origin(naming: httpx.Client) -> None:
    """Or a cache would hand what was answered without an origin, and without permission, to a page that has one."""
    for answer in (naming.get("/"), naming.get("/models"), ask(naming), ask(naming, Origin=NAMED), naming.get("/no")):
        assert "Origin" in {name.strip() for name in answer.headers["Vary"].split(",")}


def test_this_services_own_pages_and_programs_without_a_browser_may_ask(naming: httpx.Client) -> None:
    own = f"http://{naming.base_url.host}:{naming.base_url.port}"
    for headers in (
        {},
        {"Sec-Fetch-Site": "none", "Sec-Fetch-Mode": "navigate"},
        {"Sec-Fetch-Site": "same-origin", "Origin": own},
        {"Origin": own},  # over plain HTTP, elsewhere than on loopback, browsers send no Sec-Fetch-Site
        {"Origin": f"https://{naming.base_url.host}"},  # behind a proxy that ends TLS
    ):
        answer = ask(naming, **headers)
        assert answer.status_code == 200, headers
        assert answer.headers["Cross-Origin-Resource-Policy"] == "same-origin"
    assert is_refused(ask(naming, Origin=OTHER))


def test_a_link_may_be_followed_and_a_form_may_not_be_posted(naming: httpx.Client) -> None:
    assert ask(naming, **LINK).status_code == 200
    form = {"Content-Type": "application/x-www-form-urlencoded", "Origin": OTHER}
    assert is_refused(naming.post("/render", content=b"abc=X", headers=LINK | form))
    assert naming.get("/embed", headers=LINK | {"Sec-Fetch-Dest": "iframe"}).status_code == 200
    assert is_refused(ask(naming, **LINK | {"Sec-Fetch-Dest": "iframe"}))


def test_a_wildcard_admits_every_origin_and_requests_without_one() -> None:
    with serving(cors_origins="*") as server, server.client() as client:
        for headers in (SUBRESOURCE, SUBRESOURCE | {"Origin": OTHER}, CROSS_SITE | {"Origin": "null"}):
            answer = ask(client, **headers)
            assert (answer.status_code, answer.headers["Cross-Origin-Resource-Policy"]) == (200, "cross-origin")
        assert answer.headers["Access-Control-Allow-Origin"] == "*"


@pytest.fixture(scope="module")
def keyed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Server, str]]:
    """A service that anybody's page may ask, with a key."""
    file: Path = tmp_path_factory.mktemp("keys") / "keys"
    key, line = make("ann")
    file.write_text(line + "\n")
    with serving(cors_origins="*", api_keys_file=str(file)) as server:
        yield server, key


def test_basic_credentials_do_not_count_for_cross_origin_requests(keyed: tuple[Server, str]) -> None:
    server, key = keyed
    kept = {"Authorization": "Basic " + base64.b64encode(f"ann:{key}".encode()).decode()}
    known = {"Authorization": f"Bearer {key}"}
    with server.client() as client:
        assert ask(client, **kept).status_code == 200
        assert ask(client, **kept, **LINK).status_code == 200
        assert ask(client, **kept, **SUBRESOURCE).status_code == 401
        assert ask(client, **kept, Origin=OTHER, **CROSS_SITE).status_code == 401
        assert ask(client, **known, Origin=OTHER, **CROSS_SITE).status_code == 200
