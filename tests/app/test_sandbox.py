"""What a confined program cannot do, held with real programs."""

import asyncio
import socket
import sys
from pathlib import Path

import pytest

from app import sandbox
from app.sandbox import Completed, Confinement, Limits

LIMITS = Limits(cpu_s=2, wall_s=10, address_space=512 * 1024 * 1024, file_size=1024 * 1024)
CONFINEMENTS = list(dict.fromkeys([Confinement.LIMITS, sandbox.probe()]))


def run(folder: Path, argv: list[str], confinement: Confinement, limits: Limits = LIMITS) -> Completed:
    return asyncio.run(sandbox.run(argv, folder, limits, confinement))


def shell(command: str) -> list[str]:
    return ["/usr/bin/sh", "-c", command]


def needs_bubblewrap() -> None:
    if Confinement.BUBBLEWRAP not in CONFINEMENTS:
        pytest.skip("bubblewrap cannot make its namespaces on this machine")


@pytest.mark.parametrize("confinement", CONFINEMENTS)
def test_a_program_runs_in_its_folder_and_its_words_come_back(tmp_path: Path, confinement: Confinement) -> None:
    completed = run(tmp_path, shell("echo out; echo err >&2; echo made > file; exit 3"), confinement)
    assert completed == Completed(3, None, timed_out=False, output=b"out\nerr\n")
    assert (tmp_path / "file").read_text() == "made\n"


@pytest.mark.parametrize("confinement", CONFINEMENTS)
def test_the_environment_is_empty(tmp_path: Path, confinement: Confinement, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LILT_SECRET", "swordfish")
    assert b"swordfish" not in run(tmp_path, ["/usr/bin/env"], confinement).output


@pytest.mark.parametrize("confinement", CONFINEMENTS)
@pytest.mark.parametrize("command", ["while :; do :; done", "exec sleep 1000"])
def test_a_program_that_runs_for_ever_is_stopped(tmp_path: Path, confinement: Confinement, command: str) -> None:
    limits = Limits(cpu_s=1, wall_s=3, address_space=LIMITS.address_space, file_size=LIMITS.file_size)
    completed = run(tmp_path, shell(command), confinement, limits)
    assert completed.timed_out or completed.signal is not None


@pytest.mark.parametrize("confinement", CONFINEMENTS)
def test_a_program_that_talks_for_ever_is_stopped_and_cut_short(tmp_path: Path, confinement: Confinement) -> None:
    limits = Limits(cpu_s=60, wall_s=1, address_space=LIMITS.address_space, file_size=LIMITS.file_size)
    completed = run(tmp_path, ["/usr/bin/yes"], confinement, limits)
    assert completed.timed_out
    assert len(completed.output) == limits.output


@pytest.mark.parametrize("confinement", CONFINEMENTS)
def test_no_process_is_left_running(tmp_path: Path, confinement: Confinement) -> None:
    limits = Limits(cpu_s=1, wall_s=1, address_space=LIMITS.address_space, file_size=LIMITS.file_size)
    marker = "31536000.125"
    assert run(tmp_path, shell(f"sleep {marker} & sleep {marker} & wait"), confinement, limits).timed_out
    commands = [path.read_bytes() for path in Path("/proc").glob("[0-9]*/cmdline") if path.exists()]
    assert not [command for command in commands if marker.encode() in command]


@pytest.mark.parametrize("confinement", CONFINEMENTS)
def test_memory_is_bounded(tmp_path: Path, confinement: Confinement) -> None:
    completed = run(tmp_path, ["/usr/bin/head", "-c", "4G", "/dev/zero"], confinement)
    assert len(completed.output) <= LIMITS.output
    hungry = run(tmp_path, shell("dd if=/dev/zero of=/dev/null bs=1G count=1"), confinement)
    assert b"memory" in hungry.output


@pytest.mark.parametrize("confinement", CONFINEMENTS)
def test_file_size_is_bounded(tmp_path: Path, confinement: Confinement) -> None:
    completed = run(tmp_path, shell("exec head -c 4G /dev/zero > big"), confinement)
    assert completed.exit_code != 0
    assert (tmp_path / "big").stat().st_size <= LIMITS.file_size


def test_no_file_outside_the_folder_can_be_read(tmp_path: Path) -> None:
    needs_bubblewrap()
    canary = tmp_path / "canary"
    canary.write_text("swordfish")
    (tmp_path / "job").mkdir()
    for path in (canary, "/etc/passwd", "/proc/self/environ", Path(__file__)):
        completed = run(tmp_path / "job", ["/usr/bin/cat", str(path)], Confinement.BUBBLEWRAP)
        assert completed.exit_code != 0, path
        assert b"swordfish" not in completed.output


def test_no_file_outside_the_folder_can_be_written(tmp_path: Path) -> None:
    needs_bubblewrap()
    (tmp_path / "job").mkdir()
    for target in (tmp_path / "escaped", "/usr/escaped", "/etc/escaped"):
        run(tmp_path / "job", shell(f"echo x > {target}"), Confinement.BUBBLEWRAP)
        assert not Path(target).exists()


def test_there_is_no_network(tmp_path: Path) -> None:
    needs_bubblewrap()
    if not sys.executable.startswith("/usr/") and not Path("/usr/bin/python3").exists():
        pytest.skip("there is no Python under /usr to open a socket with")
    with socket.create_server(("127.0.0.1", 0)) as listener:
        script = f"import socket; socket.create_connection(('127.0.0.1', {listener.getsockname()[1]}), 2)"
        assert run(tmp_path, ["/usr/bin/python3", "-c", script], Confinement.LIMITS).exit_code == 0
        assert run(tmp_path, ["/usr/bin/python3", "-c", script], Confinement.BUBBLEWRAP).exit_code != 0
