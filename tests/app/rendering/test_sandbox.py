"""What a program in the sandbox cannot do, with real programs."""

import asyncio
import contextlib
import os
import resource
import signal
import socket
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from app.rendering import sandbox
from app.rendering.sandbox import Completed, Confinement, Limits

HOSTILE = sorted((Path(__file__).parent / "hostile").glob("*.abc"))
LIMITS = Limits(cpu_s=2, wall_s=10, address_space=512 * 1024 * 1024, file_size=1024 * 1024)
CONFINEMENTS = [Confinement.BUBBLEWRAP, Confinement.LANDLOCK, Confinement.LIMITS]
STRONG = [Confinement.BUBBLEWRAP, Confinement.LANDLOCK]
HOLDING = {
    confinement: confinement is Confinement.LIMITS or sandbox.failure_reason(confinement) is None
    for confinement in CONFINEMENTS
}


def run(folder: Path, argv: list[str], confinement: Confinement, limits: Limits = LIMITS) -> Completed:
    return asyncio.run(sandbox.run(argv, folder, limits, confinement))


def perl(script: str) -> list[str]:
    return ["/usr/bin/perl", "-e", script]


def shell(command: str) -> list[str]:
    return ["/usr/bin/sh", "-c", command]


@pytest.fixture(autouse=True)
def _needs_what_it_tests(request: pytest.FixtureRequest) -> None:
    confinement = request.node.callspec.params.get("confinement") if hasattr(request.node, "callspec") else None
    if confinement is not None and not HOLDING[confinement]:
        pytest.skip(f"{confinement} does not work on this machine")


@pytest.mark.parametrize("confinement", CONFINEMENTS)
def test_a_program_runs_in_its_folder_and_its_words_come_back(tmp_path: Path, confinement: Confinement) -> None:
    script = "$| = 1; print 'out '; print STDERR 'err'; open(my $f, '>', 'file'); print $f 'made'; exit 3"
    assert run(tmp_path, perl(script), confinement) == Completed(3, None, timed_out=False, output=b"out err")
    assert (tmp_path / "file").read_text() == "made"


@pytest.mark.parametrize("confinement", CONFINEMENTS)
def test_the_environment_is_empty(tmp_path: Path, confinement: Confinement, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LILT_SECRET", "swordfish")
    assert b"swordfish" not in run(tmp_path, ["/usr/bin/env"], confinement).output


@pytest.mark.parametrize("confinement", CONFINEMENTS)
@pytest.mark.parametrize("command", ["while :; do :; done", "exec sleep 1000"])
def test_an_endless_program_is_stopped(tmp_path: Path, confinement: Confinement, command: str) -> None:
    limits = replace(LIMITS, cpu_s=1, wall_s=3)
    completed = run(tmp_path, shell(command), confinement, limits)
    assert completed.timed_out or completed.signal is not None


@pytest.mark.parametrize("confinement", CONFINEMENTS)
def test_endless_output_is_stopped(tmp_path: Path, confinement: Confinement) -> None:
    limits = replace(LIMITS, cpu_s=60, wall_s=1)
    completed = run(tmp_path, ["/usr/bin/yes"], confinement, limits)
    assert completed.timed_out
    assert len(completed.output) == limits.output


@pytest.mark.parametrize("confinement", CONFINEMENTS)
def test_no_process_is_left_running(tmp_path: Path, confinement: Confinement) -> None:
    marker = "31536000.125"
    assert run(tmp_path, ["/usr/bin/sleep", marker], confinement, replace(LIMITS, wall_s=1)).timed_out
    commands = [path.read_bytes() for path in Path("/proc").glob("[0-9]*/cmdline") if path.exists()]
    assert not [command for command in commands if marker.encode() in command]


@pytest.mark.parametrize("confinement", CONFINEMENTS)
def test_memory_is_bounded(tmp_path: Path, confinement: Confinement) -> None:
    completed = run(tmp_path, ["/usr/bin/head", "-c", "4G", "/dev/zero"], confinement)
    assert len(completed.output) <= LIMITS.output
    greedy = run(tmp_path, perl("$x = 'a' x 4e9; print 'had it all'"), confinement)
    assert b"memory" in greedy.output
    assert b"had it all" not in greedy.output


@pytest.mark.parametrize("confinement", CONFINEMENTS)
def test_file_size_is_bounded(tmp_path: Path, confinement: Confinement) -> None:
    completed = run(tmp_path, perl("open(my $f, '>', 'big'); print $f 'a' x 65536 while 1"), confinement)
    assert completed.signal == signal.SIGXFSZ
    assert 0 < (tmp_path / "big").stat().st_size <= LIMITS.file_size


@pytest.mark.parametrize("confinement", CONFINEMENTS)
def test_open_files_are_bounded(tmp_path: Path, confinement: Confinement) -> None:
    script = "for (1..1000) { open(my $f, '<', '/dev/null') or last; push @f, $f } print scalar @f"
    assert int(run(tmp_path, perl(script), confinement).output) < LIMITS.open_files


@pytest.mark.parametrize("confinement", STRONG)
def test_no_file_outside_the_folder_can_be_read(tmp_path: Path, confinement: Confinement) -> None:
    canary = tmp_path / "canary"
    canary.write_text("swordfish")
    (tmp_path / "job").mkdir()
    (tmp_path / "job" / "link").symlink_to(canary)
    for path in (canary, "link", "../canary", "/etc/passwd", "/etc/shadow", "/proc/1/environ", Path(__file__)):
        completed = run(tmp_path / "job", ["/usr/bin/cat", str(path)], confinement)
        assert completed.exit_code != 0, path
        assert b"swordfish" not in completed.output


@pytest.mark.parametrize("confinement", STRONG)
def test_the_services_environment_cannot_be_read(
    tmp_path: Path, confinement: Confinement, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LILT_SECRET", "swordfish")
    sleeper = subprocess.Popen(["/usr/bin/sleep", "60"])
    try:
        for process in ("self", "1", str(sleeper.pid)):
            completed = run(tmp_path, ["/usr/bin/cat", f"/proc/{process}/environ"], confinement)
            assert b"swordfish" not in completed.output
    finally:
        sleeper.kill()
        sleeper.wait()


@pytest.mark.parametrize("confinement", STRONG)
def test_no_file_outside_the_folder_can_be_written(tmp_path: Path, confinement: Confinement) -> None:
    (tmp_path / "job").mkdir()
    victim = tmp_path / "victim"
    victim.write_text("as it was")
    victim.chmod(0o666)
    write = "open(my $f, '>', '{}') or exit 3; print $f 'x'"
    for target in (tmp_path / "escaped", "/usr/escaped", "/etc/escaped", "/tmp/lilt-escaped"):  # noqa: S108
        run(tmp_path / "job", perl(write.format(target)), confinement)
        assert not Path(target).exists()
    assert run(tmp_path / "job", perl(write.format("mine")), confinement).exit_code == 0
    run(tmp_path / "job", perl(f"truncate('{victim}', 0); unlink('{victim}'); rename('{victim}', 'mine')"), confinement)
    assert victim.read_text() == "as it was"


@pytest.mark.parametrize("confinement", STRONG)
def test_there_is_no_network(tmp_path: Path, confinement: Confinement) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
        script = (
            "use Socket; socket(my $s, PF_INET, SOCK_STREAM, 0) or exit 3;"
            f"connect($s, sockaddr_in({port}, inet_aton('127.0.0.1'))) or exit 4"
        )
        assert subprocess.run(perl(script), check=False).returncode == 0
        assert run(tmp_path, perl(script), confinement).exit_code in (3, 4)
    unix = "use Socket; socket(my $s, PF_UNIX, SOCK_STREAM, 0) or exit 3"
    assert run(tmp_path, perl(unix), confinement).exit_code == 3


@pytest.mark.parametrize("confinement", STRONG)
def test_there_are_no_new_processes(tmp_path: Path, confinement: Confinement) -> None:
    assert run(tmp_path, perl("defined(fork) or exit 3"), confinement).exit_code == 3


@pytest.mark.parametrize("confinement", STRONG)
def test_no_process_of_the_service_can_be_signalled(tmp_path: Path, confinement: Confinement) -> None:
    sleeper = subprocess.Popen(["/usr/bin/sleep", "60"])
    try:
        run(tmp_path, perl(f"kill 9, {sleeper.pid}"), confinement)
        assert sleeper.poll() is None
    finally:
        sleeper.kill()
        sleeper.wait()


@pytest.mark.parametrize("confinement", STRONG)
@pytest.mark.parametrize("file", HOSTILE, ids=lambda file: file.stem)
def test_hostile_tunes_that_the_filter_refuses_are_contained(
    tmp_path: Path, confinement: Confinement, file: Path
) -> None:
    (tmp_path / "tune.abc").write_bytes(file.read_bytes().replace(b"/proc/self/environ", b"/etc/passwd"))
    argv = ["/usr/bin/abc2midi", "tune.abc", "-o", "tune.mid"]
    completed = run(tmp_path, argv, confinement, replace(LIMITS, wall_s=5, address_space=256 * 1024 * 1024))
    assert b"root:" not in completed.output
    assert {path.name for path in tmp_path.iterdir()} <= {"tune.abc", "tune.mid"}


@pytest.mark.parametrize("confinement", CONFINEMENTS)
@pytest.mark.parametrize("mib", [1, 3])
def test_a_program_that_cannot_even_be_loaded_is_told_from_one_that_failed(
    tmp_path: Path, confinement: Confinement, mib: int, caplog: pytest.LogCaptureFixture
) -> None:
    completed = run(tmp_path, ["/usr/bin/abc2midi"], confinement, replace(LIMITS, address_space=mib * 1024 * 1024))
    assert completed.outcome == "unstarted"
    (line,) = [record.getMessage() for record in caplog.records if record.name == "app.rendering.sandbox"]
    assert "abc2midi failed to start (exit status 127)" in line
    assert "shared" in line


@pytest.mark.parametrize("confinement", CONFINEMENTS)
def test_a_missing_program_fails_to_start(tmp_path: Path, confinement: Confinement) -> None:
    assert run(tmp_path, ["/usr/bin/there-is-none"], confinement).outcome == "unstarted"


@pytest.mark.parametrize("confinement", CONFINEMENTS)
def test_a_program_that_asks_for_more_memory_than_it_may_have_ends_for_memory(
    tmp_path: Path, confinement: Confinement, caplog: pytest.LogCaptureFixture
) -> None:
    argv = [sys.executable, "-I", "-S", "-c", "bytearray(1 << 40)"]
    readable = (Path(sys.prefix), Path(sys.base_prefix))
    completed = asyncio.run(sandbox.run(argv, tmp_path, LIMITS, confinement, readable))
    assert completed.outcome == "memory"
    assert "ended by memory" in caplog.text


def test_a_system_without_room_for_a_program_says_so(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """Files are what runs out here; processes and memory come out the same way."""
    most = resource.getrlimit(resource.RLIMIT_NOFILE)
    hoard: list[int] = []
    try:
        resource.setrlimit(resource.RLIMIT_NOFILE, (64, most[1]))
        with asyncio.Runner() as runner:
            runner.get_loop()
            with contextlib.suppress(OSError):
                while True:
                    hoard.append(os.dup(0))
            with pytest.raises(sandbox.ScarceError):
                runner.run(sandbox.run(["/usr/bin/true"], tmp_path, LIMITS, Confinement.LIMITS))
    finally:
        for file in hoard:
            os.close(file)
        resource.setrlimit(resource.RLIMIT_NOFILE, most)
    assert "true failed to start: Too many open files" in caplog.text


OWN_ENDS = {
    "a read at address 1": ('print unpack("p", pack("L!", 1))', {"crashed"}),
    # the signal that comes then is ignored by what is begun from Python, and the program is told instead
    "a file past its limit": ('open(F, ">", "f"); print F "a" x 9_000_000 or exit 1', {"crashed", "failed"}),
    "no end": ("1 while 1", {"cpu_limit"}),
    "an exit status": ("exit 255", {"failed"}),
}


@pytest.mark.parametrize("confinement", CONFINEMENTS)
@pytest.mark.parametrize("end", OWN_ENDS)
def test_a_fault_signal_is_a_crash_and_not_a_kill(tmp_path: Path, confinement: Confinement, end: str) -> None:
    script, outcomes = OWN_ENDS[end]
    assert run(tmp_path, perl(script), confinement, replace(LIMITS, cpu_s=1)).outcome in outcomes


@pytest.mark.parametrize("killed", [signal.SIGKILL, signal.SIGTERM, signal.SIGINT, signal.SIGHUP])
def test_a_signal_from_outside_is_a_kill_whatever_the_output(killed: signal.Signals) -> None:
    for code in (-killed, 128 + killed):
        completed = Completed(code, int(killed), timed_out=False, output=b"Out of memory\n")
        assert completed.outcome == "killed"
    assert Completed(-killed, int(killed), timed_out=True, output=b"").outcome == "timeout"
