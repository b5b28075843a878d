"""Allowed hosts, API keys, rate limits and cross-origin access, over a real port."""

import base64
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from app.api.api_keys import KeyFileError, Keys, make
from app.api.middleware.admission import caller_of, is_allowed_host
from app.settings import Settings
from tests.growing_texts import GROWING
from tests.servers import ROOT, Server, serving

TUNE = "X:1\nM:4/4\nL:1/8\nK:C\nCDEF GABc|\n"
PATIENCE_S = 30
FOREIGN = {"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "no-cors", "Sec-Fetch-Dest": "audio"}


@pytest.fixture(scope="module")
def keyed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Server, Path, str]]:
    """A service behind keys, its file of keys, and Ann's key."""
    file = tmp_path_factory.mktemp("keys") / "keys"
    key, line = make("ann")
    file.write_text(f"# those who may come in\n\n{line}\n")
    with serving(api_keys_file=str(file), refresh_s="3600", rate_per_minute="600") as server:
        yield server, file, key


def bearer(key: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {key}"}


def test_requests_without_a_known_key_are_refused(keyed: tuple[Server, Path, str]) -> None:
    server, _, key = keyed
    basic = base64.b64encode(f"anybody:{key}".encode()).decode()
    wrong = ["", "Bearer", f"Bearer {key[:-1]}", f"Bearer {key}x", f"Bearer {key.upper()}", "Basic ====",
             f"Token {key}", "Basic " + base64.b64encode(b"ann:").decode()]  # fmt: skip
    with server.client() as client:
        for path in ("/", "/models", "/metrics", "/docs", "/openapi.json", "/nowhere"):
            assert client.get(path).status_code == 401, path
        for header in wrong:
            response = client.post("/generate", json={"length": 5}, headers={"Authorization": header})
            assert response.status_code == 401, header
            assert response.headers["Content-Type"] == "application/problem+json"
            assert response.headers["WWW-Authenticate"].startswith("Bearer")
        for header in (f"Bearer {key}", f"bearer {key}", f"Basic {basic}"):
            response = client.post("/generate", json={"length": 5}, headers={"Authorization": header})
            assert response.status_code == 200, header
        assert client.get("/healthz").status_code == client.get("/readyz").status_code == 200


def test_keys_are_reloaded_without_a_restart_and_an_invalid_file_is_ignored(keyed: tuple[Server, Path, str]) -> None:
    server, file, key = keyed
    before = file.read_text()
    second, line = make("ann")

    def read_again(content: str, until: str) -> None:
        lines = len(server.log)
        file.write_text(content)
        server.process.send_signal(signal.SIGHUP)
        deadline = time.monotonic() + PATIENCE_S
        while not any(until in line for line in server.log[lines:]):
            assert time.monotonic() < deadline, "".join(server.log)
            client.get("/healthz")

    with server.client() as client:
        assert client.get("/models", headers=bearer(second)).status_code == 401
        read_again(before + line + "\n", "2 keys of 1 holders")
        assert [client.get("/models", headers=bearer(k)).status_code for k in (key, second)] == [200, 200]
        read_again("nonsense\n", "line 1")
        assert [client.get("/models", headers=bearer(k)).status_code for k in (key, second)] == [200, 200]
        read_again(line + "\n", "1 keys of 1 holders")
        assert [client.get("/models", headers=bearer(k)).status_code for k in (key, second)] == [401, 200]
        read_again(before, "1 keys of 1 holders")
        assert client.get("/models", headers=bearer(key)).status_code == 200
    assert key not in "".join(server.log)
    assert second not in "".join(server.log)


def test_keys_are_random_and_stored_as_hashes() -> None:
    made = [make("ann") for _ in range(100)]
    assert len({key for key, _ in made}) == 100
    assert not any(key in line or key.removeprefix("lilt_") in line for key, line in made)
    assert all(len(key) >= 43 for key, _ in made)


@pytest.mark.parametrize("content", ["", "# none\n", "ann\n", "ann 123\n", "a b c d\n", f"ann {'0' * 64} zero\n", "\0"])
def test_a_key_file_without_a_valid_key_prevents_the_start(tmp_path: Path, content: str) -> None:
    (tmp_path / "keys").write_text(content)
    with pytest.raises(KeyFileError, match="LILT_API_KEYS_FILE"):
        Keys(tmp_path / "keys")
    with pytest.raises(KeyFileError, match="cannot be read"):
        Keys(tmp_path / "nowhere")


def test_a_generated_key_is_accepted(tmp_path: Path) -> None:
    made = subprocess.run(
        [sys.executable, "-m", "app", "key", "ann"], cwd=ROOT, capture_output=True, text=True, check=True
    )
    (key,) = re.findall(r": (.+)$", made.stderr, re.MULTILINE)
    (tmp_path / "keys").write_text(made.stdout.rstrip() + " 30\n")
    holder = Keys(tmp_path / "keys").holder(key)
    assert holder is not None
    assert (holder.label, holder.rate_per_minute) == ("ann", 30)


@pytest.mark.parametrize(
    ("host", "hosts", "ours"),
    [
        ("localhost:8000", (), True),
        ("127.0.0.1:8000", (), True),
        ("192.168.1.5", (), True),
        ("[::1]:8000", (), True),
        ("api:8000", (), True),
        ("lilt.localhost", (), True),
        ("evil.example", (), False),
        ("localhost.evil.example:8000", (), False),
        ("127.0.0.1.evil.example", (), False),
        ("EVIL.example.", (), False),
        ("tunes.example.org", ("tunes.example.org",), True),
        ("Tunes.Example.org.:443", ("tunes.example.org",), True),
        ("localhost", ("tunes.example.org",), False),
        ("a.b.example.org", ("*.example.org",), True),
        ("example.org", ("*.example.org",), False),
        ("evilexample.org", ("*.example.org",), False),
        ("evil.example", ("*",), True),
        ("", ("tunes.example.org",), False),
    ],
)
def test_hosts_are_allowed_by_name_wildcard_or_address(host: str, hosts: tuple[str, ...], *, ours: bool) -> None:
    assert is_allowed_host(host, hosts) is ours


def test_dns_rebinding_is_refused(client: httpx.Client) -> None:
    for path in ("/", "/models", "/metrics"):
        response = client.get(path, headers={"Host": "rebound.example:8000"})
        assert (response.status_code, response.json()["type"]) == (421, "urn:lilt:problem:host")


def test_cross_site_request_forgery_is_refused(client: httpx.Client) -> None:
    response = client.get("/render", params={"abc": TUNE}, headers=FOREIGN)
    assert (response.status_code, response.json()["type"]) == (403, "urn:lilt:problem:cross-site")
    link, frame = ({"Sec-Fetch-Mode": "navigate", "Sec-Fetch-Dest": kind} for kind in ("document", "iframe"))
    assert client.get("/", headers=FOREIGN | link).status_code == 200
    assert client.get("/embed", headers=FOREIGN | frame).status_code == 200
    for kind in ("iframe", "frame", "object", "embed"):
        shown = FOREIGN | frame | {"Sec-Fetch-Dest": kind}
        assert client.get("/render", params={"abc": TUNE}, headers=shown).status_code == 403
    assert client.get("/models", headers=FOREIGN | {"Sec-Fetch-Site": "same-origin"}).status_code == 200
    # what a form can send without asking first is not read
    for kind in ("text/plain", "application/x-www-form-urlencoded", "multipart/form-data"):
        assert client.post("/generate", content=b"{}", headers={"Content-Type": kind}).status_code == 415
        assert client.post("/render", content=TUNE, headers={"Content-Type": kind}).status_code == 415


def test_cors_headers_are_sent_to_allowed_origins_alone(client: httpx.Client) -> None:
    preflight = {"Origin": "https://songs.example", "Access-Control-Request-Method": "POST"}
    assert "Access-Control-Allow-Origin" not in client.options("/generate", headers=preflight).headers
    assert "Access-Control-Allow-Origin" not in client.get("/models", headers=preflight).headers
    with serving(cors_origins="https://songs.example") as server, server.client() as named:
        allowed = named.options("/generate", headers=preflight | {"Access-Control-Request-Headers": "authorization"})
        assert allowed.status_code == 200
        assert allowed.headers["Access-Control-Allow-Origin"] == "https://songs.example"
        assert "Access-Control-Allow-Credentials" not in allowed.headers
        answer = named.get("/models", headers={"Origin": "https://songs.example", **FOREIGN})
        assert answer.status_code == 200
        assert "X-Request-ID" in answer.headers["Access-Control-Expose-Headers"]
        other = named.options("/generate", headers=preflight | {"Origin": "https://evil.example"})
        assert "Access-Control-Allow-Origin" not in other.headers


def test_every_answer_has_security_headers(client: httpx.Client) -> None:
    answers = [
        client.get("/"),
        client.get("/models"),
        client.get("/nowhere"),
        client.get("/metrics"),
        client.post("/generate", json={"length": 5}),
        client.post("/generate", json={"length": 5}, headers={"Accept": "text/event-stream"}),
        client.post("/generate", json={"length": 0}),
        client.get("/models", headers={"Host": "rebound.example"}),
        client.get("/render", params={"abc": TUNE, "format": "svg"}),
    ]
    for answer in answers:
        assert answer.headers["X-Content-Type-Options"] == "nosniff"
        assert answer.headers["Referrer-Policy"] == "no-referrer"
        assert answer.headers["Cross-Origin-Opener-Policy"] == "same-origin"
        assert answer.headers["Cross-Origin-Resource-Policy"] == "same-origin"
        assert len(answer.headers.get_list("Content-Security-Policy")) == 1
        assert "server" not in answer.headers
    assert answers[0].headers["Content-Security-Policy"].startswith("default-src 'self'")
    assert answers[1].headers["Content-Security-Policy"] == "default-src 'none'; frame-ancestors 'none'"
    assert "sandbox" in answers[-1].headers["Content-Security-Policy"]


def test_addresses_are_rate_limited_and_a_long_request_costs_more() -> None:
    with serving(rate_per_minute="6") as server, server.client() as client:
        first = client.post("/generate", json={"length": 300, "seed": 1})
        assert first.headers["RateLimit-Policy"] == '"minute";q=6;w=60'
        assert first.headers["RateLimit"].startswith('"minute";r=5')
        assert (
            client.post("/generate", json={"length": 3000, "tunes": None})
            .headers["RateLimit"]
            .startswith('"minute";r=2')
        )
        refused = client.post("/generate", json={"length": 100_000})
        assert (refused.status_code, refused.json()["type"]) == (429, "urn:lilt:problem:rate")
        assert int(refused.headers["Retry-After"]) > 0
        body = {"abc": TUNE, "format": "midi"}
        assert client.post("/render", json=body).status_code == 429  # one is left, and a file costs three
        assert client.get("/").status_code == client.get("/models").status_code == 200
        assert client.get("/models").headers.get("RateLimit") is None


@pytest.mark.parametrize(
    ("path", "fields", "units"),
    [
        ("/check", {}, 10),
        ("/originality", {}, 5),
        ("/render", {"format": "midi"}, 5),
        ("/generate", {"bars": [1]}, 5),
    ],
)
def test_a_long_text_costs_units_even_if_it_is_refused(path: str, fields: dict[str, object], units: int) -> None:
    """Nearly ten thousand characters, of more bars than are allowed."""
    text = GROWING["rests of 999 bars"](9_900)
    with serving(rate_per_minute="100") as server, server.client() as client:
        answer = client.post(path, json={"abc": text, **fields})
        assert "more than the 2,000 bars that are allowed" in answer.text
        assert int(answer.headers["RateLimit"].partition("r=")[2].partition(";")[0]) == 100 - units


def test_unused_units_are_refunded() -> None:
    with serving(rate_per_minute="20") as server, server.client() as client:
        answer = client.post("/generate", json={"length": 15_000, "tunes": 1, "seed": 1})
        assert answer.json()["generated"] < 2000
        assert int(answer.headers["RateLimit"].partition("r=")[2].partition(";")[0]) >= 17


def test_units_of_a_stream_that_was_left_are_refunded() -> None:
    """64 tunes of 15,000 characters are 960 units, besides those for reading; what was drawn is not refunded."""

    def left(answer: httpx.Response) -> int:
        return int(answer.headers["RateLimit"].partition("r=")[2].partition(";")[0])

    body = {"length": 15_000, "best_of": 64, "seed": 1}
    with serving(quota_per_day="2000") as server, server.client() as client:
        with client.stream("POST", "/generate", json=body, headers={"Accept": "text/event-stream"}) as response:
            assert left(response) < 1000
        while left(client.post("/generate", json={"length": 1, "seed": 1})) < 1800:
            pass


def test_x_forwarded_for_is_trusted_from_trusted_proxies_alone() -> None:
    def left(client: httpx.Client, forwarded: str) -> str:
        answer = client.post("/check", json={"abc": TUNE}, headers={"X-Forwarded-For": forwarded})
        return answer.headers["RateLimit"].split(";")[1]

    # of a day's quota nothing comes back while the test runs, however slowly
    with serving(quota_per_day="100") as server, server.client() as client:
        assert [left(client, f"203.0.113.{n}") for n in range(2)] == ["r=99", "r=98"]
    with serving(quota_per_day="100", trusted_proxies="127.0.0.0/8, 10.0.0.9") as server, server.client() as client:
        assert left(client, "203.0.113.1") == "r=99"
        assert left(client, "203.0.113.2") == "r=99"
        # the proxy's own entry is the last; what a client wrote before it is only the client's word
        assert left(client, "198.51.100.7, 203.0.113.1") == "r=98"
        assert left(client, "203.0.113.2, 203.0.113.1, 10.0.0.9") == "r=97"
        # one customer's IPv6 addresses are one caller
        assert left(client, "2001:db8:1:2::1") == "r=99"
        assert left(client, "2001:db8:1:2:ffff::9") == "r=98"


def test_callers_are_identified_by_address_or_ipv6_network() -> None:
    assert caller_of("203.0.113.9") == "203.0.113.9"
    assert caller_of("::ffff:203.0.113.9") == "203.0.113.9"
    assert caller_of("2001:db8:1:2:3:4:5:6") == "2001:db8:1:2::/64"
    assert caller_of("unix") == "unix"


@pytest.mark.parametrize(
    ("name", "value"),
    [("trusted_proxies", "*"), ("trusted_proxies", "proxy"), ("trusted_proxies", "10.0.0.1/8"),
     ("cors_origins", "songs.example"), ("cors_origins", "https://songs.example/"), ("rate_per_minute", "-1")],
)  # fmt: skip
def test_an_invalid_access_setting_is_refused(monkeypatch: pytest.MonkeyPatch, name: str, value: str) -> None:
    monkeypatch.setitem(os.environ, f"LILT_{name.upper()}", value)
    with pytest.raises(ValueError, match=name):
        Settings()


def test_it_listens_on_loopback_by_default() -> None:
    assert Settings.model_fields["host"].default == "127.0.0.1"
