"""A client generated from the OpenAPI document works with a real service: a tune, a stream, a sound, a refusal."""

import json
import os
import subprocess
import sys
from pathlib import Path

import httpx
import pytest

from tests.servers import Server

TIMEOUT_S = 120
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
head = sound.payload.read(2)
assert head[0] == 0xFF and head[1] >= 0xE0  # an MPEG frame
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
def generated(server: Server, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the package `lilt_client`."""
    folder = tmp_path_factory.mktemp("clients")
    document, config = folder / "openapi.json", folder / "config.yml"
    document.write_bytes(httpx.get(f"{server.url}/openapi.json", timeout=60).content)
    config.write_text(json.dumps(CONFIG))
    options = ["--path", str(document), "--config", str(config), "--meta", "none"]
    command = [sys.executable, "-m", "openapi_python_client", "generate", *options]
    command += ["--output-path", str(folder / "lilt_client")]
    done = subprocess.run(command, capture_output=True, text=True, timeout=TIMEOUT_S)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "omitted" not in done.stdout + done.stderr
    return folder


def test_a_generated_python_client_makes_a_tune_a_stream_and_a_sound_and_reads_a_refusal(
    server: Server, generated: Path, client: httpx.Client
) -> None:
    path = os.pathsep.join(filter(None, (str(generated), os.environ.get("PYTHONPATH"))))
    command = [sys.executable, "-c", USE, server.url]
    done = subprocess.run(
        command, capture_output=True, text=True, timeout=TIMEOUT_S, env=os.environ | {"PYTHONPATH": path}
    )
    assert done.returncode == 0, done.stderr
    body = {"rhythm": "jig", "key": "D", "seed": 7, "length": 2000}
    assert done.stdout.strip() == client.post("/generate", json=body).json()["tunes"][0]["abc"].strip()
