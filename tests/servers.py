"""Real servers for the tests: `python -m app` in a process of its own, on a port that the system picks."""

import os
import re
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import httpx

ROOT = Path(__file__).resolve().parent.parent
START_TIMEOUT_S = 60
STOP_TIMEOUT_S = 40


def environment(**settings: str) -> dict[str, str]:
    """This process's environment, with no LILT_* variable but those given; the code is found from any folder."""
    kept = {key: value for key, value in os.environ.items() if not key.startswith("LILT_")}
    return kept | {"PYTHONPATH": str(ROOT)} | {f"LILT_{key.upper()}": value for key, value in settings.items()}


@dataclass
class Server:
    """A running service; `log` grows as it writes."""

    process: "subprocess.Popen[str]"
    url: str = ""
    log: list[str] = field(default_factory=list)

    def client(self) -> httpx.Client:
        return httpx.Client(base_url=self.url, timeout=60)


@contextmanager
def serving(
    *,
    program: tuple[str, ...] = ("-m", "app"),
    python: str = sys.executable,
    through: tuple[str, ...] = (),
    **settings: str,
) -> Iterator[Server]:
    """Start the service with these settings (`model_store=...` is LILT_MODEL_STORE), and stop it afterwards.

    `tmpdir` is where it makes its private folders; `through` is a command that becomes the one behind it.
    """
    temporary = {"TMPDIR": settings.pop("tmpdir")} if "tmpdir" in settings else {}
    cache = tempfile.TemporaryDirectory(prefix="lilt-cache-")
    working = tempfile.TemporaryDirectory(prefix="lilt-working-")  # the repository's own may hold somebody's .env
    process = subprocess.Popen(
        [*through, python, *program],
        cwd=working.name,
        env=environment(**{"port": "0", "cache": cache.name} | settings) | temporary,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    server = Server(process)
    listening = threading.Event()
    reader = threading.Thread(target=_follow, args=(server, listening))
    reader.start()
    try:
        assert listening.wait(START_TIMEOUT_S), "".join(server.log)
        assert server.url, "".join(server.log)
        yield server
    finally:
        process.terminate()
        process.wait(STOP_TIMEOUT_S)
        reader.join()
        cache.cleanup()
        working.cleanup()


def _follow(server: Server, listening: threading.Event) -> None:
    """Keep the log, and find in it where the server listens; `listening` is set too when the process ends."""
    assert server.process.stdout
    with server.process.stdout as lines:
        for line in lines:
            server.log.append(line)
            if found := re.search(r"running on (http://\S+)", line):
                server.url = found[1]
                listening.set()
    listening.set()
