"""Firefox for a test of the page, driven by its own Marionette protocol: JSON over a socket, its length before it."""

import json
import os
import shutil
import socket
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

PROGRAM = shutil.which("firefox-esr") or shutil.which("firefox")
_PREFERENCES = {
    "datareporting.policy.dataSubmissionEnabled": False,
    "app.update.enabled": False,
    "network.captive-portal-service.enabled": False,
    "network.connectivity-service.enabled": False,
    "browser.shell.checkDefaultBrowser": False,
}
_ANSWER_TIMEOUT_S = 60


class Firefox:
    """One window of a headless Firefox."""

    def __init__(self, connection: socket.socket) -> None:
        self._connection = connection
        self._reader = connection.makefile("rb")
        self._count = 0
        self._read()  # who it is
        self.ask("WebDriver:NewSession", {})

    def ask(self, command: str, parameters: dict[str, Any]) -> Any:  # noqa: ANN401
        """What a command answers; raises RuntimeError with Firefox's words where it fails."""
        self._count += 1
        message = json.dumps([0, self._count, command, parameters]).encode()
        self._connection.sendall(b"%d:%s" % (len(message), message))
        _, _, error, answer = self._read()
        if error:
            raise RuntimeError(f"{command}: {error['message']}")
        return answer

    def _read(self) -> Any:  # noqa: ANN401
        length = b""
        while (digit := self._reader.read(1)) != b":":
            length += digit
        return json.loads(self._reader.read(int(length)))

    def go(self, url: str) -> None:
        self.ask("WebDriver:Navigate", {"url": url})

    def script(self, body: str, *arguments: object) -> Any:  # noqa: ANN401
        """The value that a function's body returns in the page, awaited."""
        return self.ask(
            "WebDriver:ExecuteScript",
            {"script": f"return (async () => {{ {body} }})()", "args": arguments, "sandbox": None},
        )["value"]

    def wait_for(self, condition: str) -> None:
        """Looks in each frame until an expression is true; Firefox itself gives up after half a minute."""
        self.script(f"while (!({condition})) await new Promise(requestAnimationFrame);")

    def press(self, selector: str) -> None:
        found = self.ask("WebDriver:FindElement", {"using": "css selector", "value": selector})
        self.ask("WebDriver:ElementClick", {"id": next(iter(found["value"].values()))})

    def type(self, text: str) -> None:
        """Keys, for whatever has the focus."""
        keys = [{"type": kind, "value": key} for key in text for kind in ("keyDown", "keyUp")]
        self.ask("WebDriver:PerformActions", {"actions": [{"type": "key", "id": "keys", "actions": keys}]})


@contextmanager
def firefox(profile: Path) -> Iterator[Firefox]:
    """A headless Firefox with a fresh profile in a folder."""
    assert PROGRAM
    port = _free_port()
    preferences = _PREFERENCES | {"marionette.port": port}
    lines = [f"user_pref({json.dumps(name)}, {json.dumps(value)});" for name, value in preferences.items()]
    (profile / "user.js").write_text("\n".join(lines))
    environment = {**os.environ, "HOME": str(profile), "MOZ_HEADLESS": "1"}
    with subprocess.Popen(
        [PROGRAM, "--marionette", "--headless", "--no-remote", "--profile", str(profile)],
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    ) as process:
        try:
            assert process.stdout
            next(line for line in process.stdout if "Listening on port" in line)
            with socket.create_connection(("127.0.0.1", port), timeout=_ANSWER_TIMEOUT_S) as connection:
                yield Firefox(connection)
        finally:
            process.terminate()


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return int(listener.getsockname()[1])
