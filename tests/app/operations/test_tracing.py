"""What a collector is sent of requests, as OpenTelemetry's own packages read it, and what it is never sent.

`make telemetry` sets up the environment that the traced services of these tests run in.
"""

import base64
import json
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from model_store.store import Checkpoint
from tests.servers import ROOT, Server, serving

PYTHON = ROOT / ".cache/telemetry/bin/python"
MARK = "Zebrafinch"
TUNE = f"X:1\nT:{MARK}\nM:4/4\nL:1/8\nK:C\nCDEF GABc|\n"
CALLER_TRACE, CALLER_SPAN = "0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331"

needs_packages = pytest.mark.skipif(
    not PYTHON.exists(), reason="what sends traces is not installed here; `make telemetry` has it in .cache/telemetry"
)

READ = """
import json, sys
from google.protobuf.json_format import MessageToDict
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
print(json.dumps(MessageToDict(ExportTraceServiceRequest.FromString(sys.stdin.buffer.read()))))
"""


@dataclass
class Span:
    """One that was received; ids in hexadecimal digits."""

    name: str
    kind: str
    trace: str
    id: str
    parent: str
    attributes: dict[str, Any]
    status: str
    events: list[Any]
    service: str


@dataclass
class Collector:
    """Takes OTLP over HTTP on a port of its own."""

    url: str
    bodies: list[tuple[str, bytes]] = field(default_factory=list)

    def spans(self) -> list[Span]:
        """All that was received, in the order of their ends."""
        return [span for path, body in self.bodies if path == "/v1/traces" for span in read(body)]


@contextmanager
def collecting() -> Iterator[Collector]:
    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            collector.bodies.append((self.path, self.rfile.read(int(self.headers["Content-Length"]))))
            self.send_response(200)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as door:
        collector = Collector(f"http://127.0.0.1:{door.server_port}")
        thread = threading.Thread(target=door.serve_forever)
        thread.start()
        try:
            yield collector
        finally:
            door.shutdown()
            thread.join()


def read(body: bytes) -> Iterator[Span]:
    """The spans of one message."""
    printed = subprocess.run([PYTHON, "-c", READ], input=body, capture_output=True, check=True).stdout
    for resource in json.loads(printed)["resourceSpans"]:
        service = values(resource["resource"]["attributes"])["service.name"]
        for scope in resource["scopeSpans"]:
            for span in scope["spans"]:
                yield Span(
                    span["name"],
                    span["kind"],
                    digits(span["traceId"]),
                    digits(span["spanId"]),
                    digits(span.get("parentSpanId", "")),
                    values(span.get("attributes", [])),
                    span.get("status", {}).get("code", ""),
                    span.get("events", []),
                    service,
                )


def digits(encoded: str) -> str:
    return base64.b64decode(encoded).hex()


def values(attributes: list[dict[str, Any]]) -> dict[str, Any]:
    return {each["key"]: next(iter(each["value"].values())) for each in attributes}


@dataclass
class Traced:
    """What a service sent of the requests below, and its log."""

    collector: Collector
    spans: list[Span]
    log: list[dict[str, Any]]

    def request(self, name: str, status: int) -> Span:
        """The first that ended so."""
        found = (span for span in self.spans if span.name == name)
        return next(span for span in found if span.attributes["http.response.status_code"] == str(status))

    def children(self, parent: Span) -> list[Span]:
        return [span for span in self.spans if span.parent == parent.id]


@pytest.fixture(scope="module")
def traced() -> Traced:
    """One request of each kind; the service is ended before the collector, and sends the last of it then."""
    with pytest.MonkeyPatch.context() as patch, collecting() as collector:
        patch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", collector.url)
        patch.setenv("OTEL_SERVICE_NAME", "lilt-of-the-test")
        with serving(python=str(PYTHON)) as server:
            ask(server)
    log = [json.loads(line) for line in server.log if not line.startswith("INFO: Created TensorFlow Lite")]
    return Traced(collector, collector.spans(), log)


def ask(server: Server) -> None:
    caller = {"traceparent": f"00-{CALLER_TRACE}-{CALLER_SPAN}-01", "X-Request-ID": "continued"}
    key = {"Authorization": f"Bearer {MARK}"}
    with server.client() as client:
        body = {"start_string": f"X:1\nT:{MARK}\n", "seed": 3}
        assert client.post("/generate", json=body, headers=caller).status_code == 200
        stream = client.post("/generate", json=body, headers={"Accept": "text/event-stream"})
        assert "event: done" in stream.text
        assert client.post("/generate", json={"abc": TUNE, "bars": [1], "seed": 3}).status_code == 200
        assert client.post("/generate", json={"start_string": f"X:1\nT:{MARK}\u2603\n"}, headers=key).status_code == 422
        assert client.put("/generate", json={"abc": TUNE}).status_code == 405
        assert client.post("/render", json={"abc": TUNE, "format": "wav", "program": 73}).status_code == 200
        assert client.get("/render", params={"abc": TUNE, "format": "midi"}).status_code == 200
        assert client.get("/render", params={"abc": TUNE, "token": MARK}).status_code == 422
        assert client.post("/render", json={"abc": f"X:1\nT:{MARK}\nK:C\nz4|\n", "format": "midi"}).status_code == 422
        assert client.get(f"/{MARK}", params={"q": MARK}).status_code == 404
        assert client.request(MARK.upper(), "/models").status_code == 405
        assert client.get("/models", headers={"Host": f"{MARK}.example"}).status_code == 421
        assert client.get("/healthz").status_code == 200


@needs_packages
def test_a_request_is_a_span_by_its_route_in_the_callers_trace(traced: Traced, checkpoint: Checkpoint) -> None:
    span = traced.request("POST /generate", 200)
    assert (span.kind, span.trace, span.parent) == ("SPAN_KIND_SERVER", CALLER_TRACE, CALLER_SPAN)
    assert span.service == "lilt-of-the-test"
    assert span.attributes["http.route"] == "/generate"
    (made,) = traced.children(span)
    assert (made.name, made.trace) == ("generate", CALLER_TRACE)
    assert made.attributes["lilt.model.name"] == checkpoint.manifest.name
    assert made.attributes["lilt.model.version"] == str(checkpoint.manifest.version)
    assert int(made.attributes["lilt.characters"]) > 20
    assert made.attributes["lilt.outcome"] == "tunes"
    assert made.attributes["lilt.first_character_s"] > 0


@needs_packages
def test_streams_and_bars_made_anew_have_spans_of_what_they_took(traced: Traced) -> None:
    asked = {span.id for span in traced.spans if span.name == "POST /generate"}
    made = [(span.name, span.attributes["lilt.characters"] > "0") for span in traced.spans if span.parent in asked]
    assert made == [("generate", True), ("generate", True), ("regenerate", True)]


@needs_packages
def test_a_renders_span_has_its_programs_within(traced: Traced) -> None:
    (render,) = traced.children(traced.request("POST /render", 200))
    assert (render.name, render.attributes) == ("render", {"lilt.format": "wav", "lilt.program": "73"})
    assert [span.name for span in traced.children(render)] == ["abc2midi", "synthesis"]
    (failed,) = traced.children(traced.request("POST /render", 422))
    assert (failed.attributes["error.type"], failed.status) == ("RenderError", "STATUS_CODE_ERROR")


@needs_packages
def test_the_log_names_the_trace(traced: Traced) -> None:
    (line,) = [line for line in traced.log if line.get("request_id") == "continued"]
    assert line["trace_id"] == CALLER_TRACE


@needs_packages
def test_nothing_that_was_sent_is_in_a_trace(traced: Traced) -> None:
    assert len([span for span in traced.spans if span.kind == "SPAN_KIND_SERVER"]) == 12  # of thirteen, one a probe
    assert {path for path, _ in traced.collector.bodies} == {"/v1/traces"}
    assert not [body for _, body in traced.collector.bodies if MARK.lower().encode() in body.lower()]
    assert not [span for span in traced.spans if span.events]  # where exceptions would be told
    assert traced.request("GET /render", 200).attributes["url.query"] == "REDACTED"


@needs_packages
def test_an_unreachable_collector_delays_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    with collecting() as gone:
        pass
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", gone.url)
    with serving(python=str(PYTHON)) as server, server.client() as client:
        assert client.post("/generate", json={"start_string": f"X:1\nT:{MARK}\n"}).status_code == 200
    assert any("opentelemetry" in line for line in server.log)
    assert not any("Failed to export" in line for line in server.log)  # the exporter's last word, after some 7 s
    assert MARK not in "".join(server.log)


@needs_packages
def test_no_callers_trace_is_continued_where_that_is_not_wanted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OTEL_PROPAGATORS", "none")
    with collecting() as collector:
        monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", collector.url)
        with serving(python=str(PYTHON)) as server, server.client() as client:
            caller = {"traceparent": f"00-{CALLER_TRACE}-{CALLER_SPAN}-01", "tracestate": f"z={MARK}"}
            assert client.get("/models", headers=caller).status_code == 200
    (span,) = collector.spans()
    assert (span.name, span.parent) == ("GET /models", "")
    assert span.trace != CALLER_TRACE
    assert MARK.encode() not in b"".join(body for _, body in collector.bodies)


WITHOUT_PACKAGES = """
import runpy, sys
sys.path.insert(0, {root!r})
sys.modules["opentelemetry.sdk"] = sys.modules["opentelemetry.exporter"] = None
sys.argv = ["app"]
runpy.run_module("app", run_name="__main__")
"""


def test_without_the_packages_the_service_says_so_once_and_serves(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    script = tmp_path / "without_packages.py"
    script.write_text(WITHOUT_PACKAGES.format(root=str(ROOT)))
    with serving(program=(str(script),)) as server, server.client() as client:
        assert client.post("/generate", json={"length": 20}).status_code == 200
    assert not [line for line in server.log if "OTEL" in line or "trace" in line]
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", "http://127.0.0.1:4318")
    with serving(program=(str(script),)) as server, server.client() as client:
        assert client.post("/generate", json={"length": 20}).status_code == 200
    (said,) = [json.loads(line) for line in server.log if "OTEL" in line or "trace" in line]
    assert said["level"] == "WARNING"
    assert "OTEL_EXPORTER_OTLP_ENDPOINT is set" in said["message"]
    assert "requirements/telemetry.txt" in said["message"]
