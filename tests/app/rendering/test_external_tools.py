"""A renderer that is killed from outside is 503 and not the tune's fault, over a real port."""

import os
import signal
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx
import pytest

from app.rendering import sandbox
from app.rendering.sandbox import Confinement
from tests.servers import serving

TUNE = "X:1\nT:{title}\nM:4/4\nL:1/8\nK:C\nCDEF GABc|\n"
PATIENCE_S = 30
STRONG = [found for found in (Confinement.BUBBLEWRAP, Confinement.LANDLOCK) if sandbox.failure_reason(found) is None]
CONFINEMENTS = [*STRONG, Confinement.LIMITS]


def chain(process: int) -> list[tuple[int, bytes]]:
    """The processes that one has started, each by the one before it, and their commands."""
    found: list[tuple[int, bytes]] = []
    while children := Path(f"/proc/{process}/task/{process}/children").read_text().split():
        process = int(children[0])
        found.append((process, Path(f"/proc/{process}/cmdline").read_bytes()))
    return found


def engraver_of(service: int) -> list[int]:
    """The processes of the engraver that runs, from the outermost to the program itself."""
    deadline = time.monotonic() + PATIENCE_S
    while True:
        assert time.monotonic() < deadline
        try:
            found = chain(service)
        except OSError:
            continue
        if found and found[-1][1].endswith(b"tune.pdf\0"):
            program = Path(found[-1][1].partition(b"\0")[0].decode()).name
            if program not in ("prlimit", "bwrap"):  # which become it, or begin it, in a moment
                return [pid for pid, _ in found]


@pytest.mark.parametrize("killed", [signal.SIGKILL, signal.SIGTERM])
@pytest.mark.parametrize("confinement", CONFINEMENTS)
def test_a_renderer_that_is_killed_from_outside_is_503(confinement: Confinement, killed: signal.Signals) -> None:
    with serving(sandbox=confinement) as server, server.client() as client, ThreadPoolExecutor(1) as pool:

        def render(title: str) -> httpx.Response:
            return client.post("/render", json={"abc": TUNE.format(title=title), "format": "pdf"})

        for place in (0, -1):  # bubblewrap, if there is one, and the program itself
            waiting = pool.submit(render, f"Killed {place}")
            os.kill(engraver_of(server.process.pid)[place], killed)
            answer = waiting.result()
            assert (answer.status_code, answer.json()["type"]) == (503, "urn:lilt:problem:busy"), answer.text
            assert int(answer.headers["Retry-After"]) > 0
            assert render(f"Killed {place}").status_code == 200
        assert 'lilt_sandbox_runs_total{outcome="killed"} 2.0' in client.get("/metrics").text


@pytest.mark.skipif(Confinement.BUBBLEWRAP not in STRONG, reason="bubblewrap does not work on this machine")
def test_the_first_process_of_a_namespace_that_is_killed_is_503() -> None:
    with serving(sandbox="bubblewrap") as server, server.client() as client, ThreadPoolExecutor(1) as pool:
        body = {"abc": TUNE.format(title="First"), "format": "pdf"}
        waiting = pool.submit(client.post, "/render", json=body)
        os.kill(engraver_of(server.process.pid)[1], signal.SIGKILL)
        assert waiting.result().status_code == 503
