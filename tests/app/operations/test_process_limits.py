"""The start under a limit on threads and processes, and its error where the limit is too low."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from app.rendering.synthesizer import Synthesizer
from tests.servers import ROOT, environment, serving

A_USER = 61_803  # nobody's number: the limit counts all that a user runs
FAR_TOO_FEW = 1  # NumPy could not even be imported
AT_ONCE_S = 30


def allowing(processes: int) -> tuple[str, ...]:
    """A command for another to run behind, as a user who may have so many processes, none of which runs yet."""
    limit = ("prlimit", f"--nproc={processes}:{processes}", "--")
    if os.geteuid():
        return ("unshare", "--user", "--map-current-user", *limit)
    kept = "-all,+dac_read_search"  # what root may read: the interpreter can be in root's own folder
    capabilities = (f"--inh-caps={kept}", f"--ambient-caps={kept}", f"--bounding-set={kept}")
    return ("setpriv", f"--reuid={A_USER}", f"--regid={A_USER}", "--clear-groups", *capabilities, *limit)


@pytest.fixture(autouse=True)
def _limits_hold() -> None:
    """They need a right that containers may lack."""
    tried = subprocess.run([*allowing(1), "sh", "-c", ":; /bin/true && :"], capture_output=True, check=False)
    if b"fork" not in tried.stderr.lower():
        pytest.skip("no limit on processes holds here")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """One that such a user can write to."""
    tmp_path.chmod(0o777)
    return tmp_path


def start(
    arguments: tuple[str, ...], processes: int, folder: Path, **settings: str
) -> "subprocess.CompletedProcess[str]":
    """Run `python -m app`, expecting it to end by itself."""
    return subprocess.run(
        [*allowing(processes), sys.executable, "-m", "app", *arguments],
        cwd=ROOT,
        env=environment(port="0", cache=str(folder / "cache"), **settings) | {"TMPDIR": str(folder)},
        capture_output=True,
        text=True,
        timeout=AT_ONCE_S,
        check=False,
    )


def needed(told: str) -> int:
    """How many processes there must be room for, as an error tells it."""
    found = re.search(r"(\d+) more threads and processes are needed", told)
    assert found, told
    return 1 + int(found[1])


@pytest.mark.parametrize("command", ["serve", "bulk"])
@pytest.mark.parametrize("short", ["far", "by one"])
def test_a_limit_on_processes_is_reported_in_one_line(command: str, short: str, folder: Path) -> None:
    arguments = ("bulk", "--count", "1", "--out", str(folder / "tunes.abc")) if command == "bulk" else ("serve",)
    ended = start(arguments, FAR_TOO_FEW, folder)
    most = needed(ended.stderr)
    if short == "by one":
        ended = start(arguments, most - 1, folder)
    allowed = FAR_TOO_FEW if short == "far" else most - 1
    assert (ended.returncode, ended.stdout) == (2, "")
    assert ended.stderr == (
        f"error: {most - 1} more threads and processes are needed, and {allowed - 1} can be started: "
        f"all that this user runs may be {allowed} (ulimit -u)\n"
    )
    assert not list(folder.iterdir())


@pytest.mark.parametrize("synthesizer", Synthesizer)
def test_as_many_as_it_says_are_enough_for_one_request_at_a_time(folder: Path, synthesizer: Synthesizer) -> None:
    enough = needed(start(("serve",), FAR_TOO_FEW, folder, synthesizer=synthesizer).stderr)
    through, cache = allowing(enough), str(folder / "cache")
    with (
        serving(through=through, cache=cache, tmpdir=str(folder), synthesizer=synthesizer) as server,
        server.client() as client,
    ):
        made = client.post("/generate", json={"seed": 1})
        assert made.status_code == 200
        abc = made.json()["tunes"][0]["abc"]
        for form in ("midi", "wav", "svg", "pdf", "musicxml"):
            assert client.post("/render", json={"abc": abc, "format": form}).status_code == 200, form
    assert any("WARNING" in line and "under load" in line for line in server.log)
