"""Metrics that add up and logs that can be followed, neither with any text that a client sent."""

import json
import re
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import pytest
from prometheus_client.parser import text_string_to_metric_families

from app.inference.batch import removed_mass
from model_store.store import Checkpoint
from tests.servers import ROOT, Server, serving

TUNE = "X:1\nM:4/4\nL:1/8\nK:C\nCDEF GABc|\n"
MARK = "Zebrafinch"


def samples(client: httpx.Client) -> dict[tuple[str, frozenset[tuple[str, str]]], float]:
    """Every sample of /metrics by its name and labels, as Prometheus's own parser reads them."""
    families = text_string_to_metric_families(client.get("/metrics").text)
    return {(s.name, frozenset(s.labels.items())): s.value for family in families for s in family.samples}


def grown(client: httpx.Client, before: dict[Any, float], name: str, **labels: str) -> float:
    """How much a sample has grown since `before`."""
    key = (name, frozenset(labels.items()))
    return samples(client).get(key, 0.0) - before.get(key, 0.0)


def log_of(server: Server) -> list[dict[str, Any]]:
    """The records of a server's log; every line that is not the C++ library's own must be one."""
    return [json.loads(line) for line in list(server.log) if not line.startswith("INFO: Created TensorFlow Lite")]


def test_requests_are_counted_by_route_method_and_status(client: httpx.Client) -> None:
    before = samples(client)
    client.post("/generate", json={"seed": 1})
    client.post("/generate", json={"seed": -1})
    client.get("/generate/../etc/passwd")
    client.request("BREW", "/generate")
    for method, route, status in (
        ("POST", "/generate", "200"),
        ("POST", "/generate", "422"),
        ("GET", "unmatched", "404"),
        ("other", "/generate", "405"),
    ):
        assert grown(client, before, "http_requests_total", method=method, route=route, status=status) == 1
    of_generate = {"method": "POST", "route": "/generate"}
    assert grown(client, before, "http_request_duration_seconds_count", **of_generate) == 2
    assert grown(client, before, "http_request_duration_seconds_sum", **of_generate) > 0


def test_characters_and_tunes_are_counted(client: httpx.Client, checkpoint: Checkpoint) -> None:
    before = samples(client)
    answer = client.post("/generate", json={"tunes": 3, "length": 20_000, "seed": 4}).json()
    model = checkpoint.manifest.name
    assert grown(client, before, "lilt_characters_total", model=model) == answer["generated"]
    assert grown(client, before, "lilt_tunes_total", model=model) == 3
    assert grown(client, before, "lilt_generations_total", model=model, outcome="tunes") == 1


@pytest.mark.parametrize("accept", ["application/json", "text/event-stream"])
def test_bars_made_anew_are_counted_whether_they_come_in_time_or_not(checkpoint: Checkpoint, accept: str) -> None:
    body, model = {"abc": f"{TUNE.strip()}CDEF GABc|\n", "bars": [1], "seed": 1}, checkpoint.manifest.name
    for timeout_s, outcome in (("60", "tunes"), ("0.0001", "cancelled")):
        with serving(generate_timeout_s=timeout_s) as server, server.client() as client:
            client.post("/generate", json=body, headers={"Accept": accept})
            assert grown(client, {}, "lilt_generations_total", model=model, outcome=outcome) == 1
            assert grown(client, {}, "lilt_tunes_total", model=model) == (outcome == "tunes")


def test_what_the_grammar_removes_is_sampled(client: httpx.Client) -> None:
    before = samples(client)
    assert client.post("/generate", json={"tunes": None, "length": 5000}).status_code == 200
    assert grown(client, before, "lilt_mask_removed_probability_count") >= 3
    assert grown(client, before, "lilt_engine_batch_size_count") >= 3


def test_renders_and_what_was_kept_are_counted(client: httpx.Client) -> None:
    before = samples(client)
    for _ in range(2):
        client.post("/render", json={"abc": TUNE.replace("CDEF", "DEFG"), "format": "midi"})
    client.post("/render", json={"abc": "X:1\n%%abc-include x\nK:C\nCDEF|\n", "format": "midi"})
    assert grown(client, before, "lilt_renders_total", format="midi", outcome="made") == 1
    assert grown(client, before, "lilt_render_cache_lookups_total", result="miss") == 1
    assert grown(client, before, "lilt_render_cache_lookups_total", result="hit") == 1
    assert grown(client, before, "lilt_sandbox_runs_total", outcome="ok") == 1
    assert grown(client, before, "lilt_filter_refusals_total") == 1
    assert samples(client)["lilt_render_cache_bytes", frozenset()] > 0


def test_the_model_that_is_served_is_named(client: httpx.Client, checkpoint: Checkpoint) -> None:
    manifest = checkpoint.manifest
    labels = {"name": manifest.name, "version": str(manifest.version), "digest": manifest.digest}
    assert samples(client)["lilt_model_info", frozenset(labels.items())] == 1
    assert samples(client)["lilt_engine_waiting", frozenset({("model", manifest.name)})] == 0


def test_what_a_mask_removes_is_the_probability_of_what_it_forbids() -> None:
    logits = np.log(np.array([[0.1, 0.2, 0.3, 0.4], [0.25, 0.25, 0.25, 0.25]], np.float32))
    allowed = np.array([[True, True, False, True], [True, False, False, False]])
    assert removed_mass(logits, allowed) == pytest.approx([0.3, 0.75])


def test_an_error_carries_the_id_that_the_log_has(client: httpx.Client, server: Server) -> None:
    response = client.post("/generate", json={"seed": -1})
    id_ = response.headers["X-Request-ID"]
    assert response.json()["request_id"] == id_
    client.get("/healthz")
    (record,) = [record for record in log_of(server) if record.get("request_id") == id_]
    assert (record["method"], record["route"], record["status"]) == ("POST", "/generate", 422)


def test_a_streams_error_event_carries_the_id_too() -> None:
    with serving(generate_timeout_s="0.01") as server, server.client() as client:
        accept = {"Accept": "text/event-stream", "X-Request-ID": "mine-1"}
        body = {"length": 50_000, "tunes": None}
        text = client.post("/generate", json=body, headers=accept).text
        assert '"request_id": "mine-1"' in text.split("event: error")[1]


@pytest.mark.parametrize("proposed", ["a" * 65, "two words", "line\\nbreak", "<script>", ""])
def test_only_a_valid_request_id_is_accepted(client: httpx.Client, proposed: str) -> None:
    assert client.get("/healthz", headers={"X-Request-ID": "trace-1.A_b"}).headers["X-Request-ID"] == "trace-1.A_b"
    given = client.get("/healthz", headers={"X-Request-ID": proposed}).headers["X-Request-ID"]
    assert re.fullmatch(r"[0-9a-f]{16}", given)


def test_no_tune_no_query_and_no_key_is_in_the_log(client: httpx.Client, server: Server) -> None:
    lines_before = len(server.log)
    tune = TUNE.replace("M:4/4", f"T:{MARK}\nM:4/4")
    client.post("/generate", json={"start_string": f"X:1\nT:{MARK}\n", "length": 50})
    client.post("/generate", json={"start_string": f"X:1\nT:{MARK}\u2603\n"})
    client.post("/generate", json={MARK: 1})
    client.post("/render", json={"abc": tune})
    client.post("/render", json={"abc": tune.replace("CDEF", f"]{MARK}")})
    client.post("/check", json={"abc": tune})
    client.get("/render", params={"abc": tune, "format": "midi", "token": MARK})
    client.get(f"/{MARK}", params={"q": MARK})
    client.get("/models", headers={"Authorization": f"Bearer {MARK}", "X-Request-ID": "last"})
    while not any('"last"' in line for line in server.log):
        client.get("/healthz")
    assert len(server.log) >= lines_before + 9
    assert MARK not in "".join(server.log)


BROKEN = """
import runpy, sys
sys.path.insert(0, {root!r})
from app.api import generate_routes
def broken(*_):
    raise ValueError("{secret}"[::-1] + " is what was sent")
generate_routes.choose_media_type = broken
sys.argv = ["app"]
runpy.run_module("app", run_name="__main__")
"""


def test_an_unhandled_exception_is_a_problem_with_an_id_and_its_traceback_is_logged(tmp_path: Path) -> None:
    script = tmp_path / "broken.py"
    script.write_text(BROKEN.format(root=str(ROOT), secret=MARK[::-1]))
    with serving(program=(str(script),)) as server, server.client() as client:
        response = client.post("/generate", json={})
        assert response.status_code == 500
        assert response.headers["Content-Type"] == "application/problem+json"
        assert response.headers["X-Request-ID"] == response.json()["request_id"]
        assert client.get("/healthz").status_code == 200
    (record,) = [record for record in log_of(server) if record["level"] == "ERROR"]
    assert record["request_id"] == response.json()["request_id"]
    assert "builtins.ValueError" in record["exception"]
    assert "in broken" in record["exception"]
    assert MARK not in "".join(server.log)


def test_the_log_can_be_text() -> None:
    with serving(log_format="text") as server, server.client() as client:
        client.get("/models", headers={"X-Request-ID": "abc"})
    time = r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d[+-]\d{4}"
    assert any(re.fullmatch(time + r" INFO:     200 GET /models in \d+ ms \[abc\]\n", line) for line in server.log)
