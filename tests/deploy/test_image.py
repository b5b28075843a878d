"""The image as it is run for others: `LILT_IMAGE=lilt:serve python -m pytest tests/deploy/test_image.py`.

It needs Docker on Linux, where a container's own address can be reached: a published port goes through Docker's proxy,
which takes connections even when the service has stopped doing so.
"""

import contextlib
import json
import os
import shutil
import subprocess
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import httpx
import pytest

IMAGE = os.environ.get("LILT_IMAGE", "")
DOCKER = shutil.which("docker") or ""
HARDENED = ["--init", "--read-only", "--tmpfs=/tmp", "--cap-drop=ALL", "--security-opt=no-new-privileges"]
BOUNDED = ["--memory=2g", "--pids-limit=256"]
READY_TIMEOUT_S = 60
LARGEST_BYTES = 450_000_000
CLIENTS = 8

pytestmark = [
    pytest.mark.skipif(not IMAGE, reason="LILT_IMAGE names no image to try"),
    pytest.mark.skipif(not DOCKER, reason="there is no docker here"),
]


def docker(*arguments: str) -> str:
    done = subprocess.run([DOCKER, *arguments], capture_output=True, text=True, check=False, timeout=120)
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


class Container:
    """A hardened container of the image."""

    def __init__(self, *further: str) -> None:
        self.name = docker("run", "--detach", *HARDENED, *BOUNDED, *further, IMAGE)
        self.url = f"http://{docker('inspect', '--format', '{{.NetworkSettings.IPAddress}}', self.name)}:8000"

    def wait_until_healthy(self) -> None:
        deadline = time.monotonic() + READY_TIMEOUT_S
        while self.state("Health.Status") != "healthy":
            assert time.monotonic() < deadline, self.log()
            time.sleep(0.1)

    def log(self) -> str:
        done = subprocess.run(
            [DOCKER, "logs", self.name], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False
        )
        return done.stdout

    def state(self, field: str) -> str:
        return docker("inspect", "--format", f"{{{{.State.{field}}}}}", self.name)

    def execute(self, *command: str) -> "subprocess.CompletedProcess[str]":
        return subprocess.run(
            [DOCKER, "exec", self.name, *command], capture_output=True, text=True, check=False, timeout=60
        )


@contextlib.contextmanager
def healthy(*further: str) -> Iterator[Container]:
    """A container that answers, until it is removed; its log is shown where a test fails."""
    running = Container(*further)
    try:
        running.wait_until_healthy()
        yield running
    finally:
        print(running.log())
        docker("rm", "--force", "--volumes", running.name)


@pytest.fixture
def container() -> Iterator[Container]:
    with healthy() as running:
        yield running


def test_the_image_is_small_and_says_what_it_is() -> None:
    (described,) = json.loads(docker("image", "inspect", IMAGE))
    assert described["Size"] < LARGEST_BYTES
    labels = described["Config"]["Labels"]
    assert {"version", "revision", "created", "licenses"} <= {name.rpartition(".")[2] for name in labels}
    assert described["Config"]["User"] == "10001:10001"
    assert described["Config"]["StopSignal"] == "SIGTERM"


def test_hardened_it_makes_a_tune_and_every_file_of_it_with_renderers_confined(container: Container) -> None:
    with httpx.Client(base_url=container.url, timeout=60, trust_env=False) as client:
        ready = client.get("/readyz").json()
        assert ready["status"] == "ready"
        assert ready["sandbox"] in {"bubblewrap", "landlock"}
        made = client.post("/generate", json={"seed": 1}, headers={"Accept": "text/vnd.abc"})
        assert made.status_code == 200
        for wanted in ("wav", "mp3", "ogg", "flac", "midi", "svg", "pdf", "musicxml"):
            for _ in range(3):  # the second joins the first's end, where it is quick enough; the third is kept
                file = client.post("/render", json={"abc": made.text, "format": wanted})
                assert file.status_code == 200, (wanted, file.text)
            assert wanted in file.headers["Content-Disposition"] or wanted == "midi", wanted
        for path in ("/", "/docs", "/vendor/abcjs.js", "/vendor/swagger-ui.js", "/vendor/swagger-ui.css"):
            assert client.get(path).status_code == 200, path


def test_inside_there_is_nothing_to_write_to_and_nothing_to_build_with(container: Container) -> None:
    assert container.execute("id", "-u").stdout.strip() == "10001"
    for place in ("/srv/lilt/x", "/opt/venv/x", "/x"):
        assert container.execute("touch", place).returncode != 0, place
    assert container.execute("grep", "-x", "CapBnd:\t0000000000000000", "/proc/1/status").returncode == 0
    for program in ("gcc", "cc", "make", "pip", "npm", "node", "git", "curl"):
        assert container.execute("sh", "-c", f"command -v {program}").returncode != 0, program
    assert container.execute("python", "-c", "import tensorflow").returncode != 0


def test_a_stop_under_load_answers_every_request_that_was_taken(container: Container) -> None:
    """A connection that is refused was never taken; one that breaks, or an answer that is no tune, was lost."""
    answered: list[int] = []
    refused: list[int] = []
    lost: list[str] = []
    enough = threading.Event()

    def ask(first_seed: int) -> None:
        with httpx.Client(base_url=container.url, timeout=60, trust_env=False) as client:
            for seed in range(first_seed, first_seed + 10_000):
                try:
                    answer = client.post(
                        "/generate", json={"seed": seed, "tunes": None, "length": 2000}, headers={"Connection": "close"}
                    )
                except httpx.ConnectError:
                    refused.append(seed)
                    return
                except httpx.HTTPError as error:
                    lost.append(repr(error))
                    return
                if answer.status_code == 503:
                    refused.append(seed)
                    return
                if answer.status_code != 200 or answer.json()["generated"] != 2000:
                    lost.append(answer.text)
                    return
                answered.append(seed)
                if len(answered) > 2 * CLIENTS:
                    enough.set()

    with ThreadPoolExecutor(CLIENTS) as pool:
        clients = [pool.submit(ask, 10_000 * number) for number in range(CLIENTS)]
        assert enough.wait(60)
        docker("kill", "--signal", "TERM", container.name)
        for client in clients:
            client.result()
    assert lost == []
    assert len(refused) == CLIENTS
    docker("wait", container.name)
    print(f"{len(answered)} answered, {len(refused)} refused after the signal, {len(lost)} lost")
