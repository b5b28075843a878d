"""Runs one program on untrusted input in a sandbox: bubblewrap, Landlock or resource limits, with a seccomp filter.

No shell, an empty environment, a private folder, limits on processor time, memory, file size, open files and wall
clock, no new processes, output capped, the whole process group killed. Where bubblewrap works, the program sees only
the files that it needs and has no network; elsewhere Landlock restricts files as well. In all of them the seccomp
filter allows the system calls that are needed, none of which reaches another process or the network. Where neither
bubblewrap nor Landlock works, the limits, the filter if it can be installed and the container are what is left.
"""

import asyncio
import contextlib
import errno
import logging
import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from app.errors import SetupError
from app.operations import metrics
from app.rendering import landlock, seccomp

_PRLIMIT = "/usr/bin/prlimit"
_BWRAP = "/usr/bin/bwrap"
_LANDLOCK_PROGRAM = [sys.executable, "-I", "-S", landlock.__file__]
_READ_SIZE = 64 * 1024
_READABLE = ("/usr", "/etc/alternatives")
_MERGED_LINKS = ("/bin", "/lib", "/lib64", "/sbin")
_INSIDE = "/job"
_PROBE_TIMEOUT_S = 10
_REAP_TIMEOUT_S = 5
_UNSTARTED = frozenset({125, 126, 127})  # what prlimit, landlock.py and the loader exit with before a program runs
_WRAPPERS = (b"bwrap: ", b"prlimit: ")
_MEMORY_WORDS = (
    *(b"bad_alloc", b"MemoryError", b"Out of memory", b"malloc error"),
    *(b"failed to map segment", b"Cannot allocate memory"),
)
_FAULT_SIGNALS = frozenset(
    {
        *(signal.SIGSEGV, signal.SIGBUS, signal.SIGFPE, signal.SIGILL, signal.SIGABRT, signal.SIGTRAP, signal.SIGSYS),
        *(signal.SIGXCPU, signal.SIGXFSZ, signal.SIGPIPE),
    }
)
"""signals that a program causes itself: by a fault, by seccomp or at one of its limits; all others are sent to it"""
_SIGNALLED = range(129, 193)  # how prlimit, bubblewrap and shells report a child that a signal killed: 128 + the signal
_OUT_OF_RESOURCES = frozenset({errno.EAGAIN, errno.ENOMEM, errno.EMFILE, errno.ENFILE})

logger = logging.getLogger(__name__)
"""logs how programs ended; their output only where they failed before reading a tune, since it may quote it"""


class SandboxError(SetupError):
    """The requested confinement does not work on this machine."""


@dataclass(frozen=True)
class Limits:
    """Bounds of one run, in seconds and bytes."""

    cpu_s: int
    wall_s: float
    address_space: int
    file_size: int
    output: int = 64 * 1024
    open_files: int = 64


@dataclass(frozen=True)
class Completed:
    """How a run ended: `signal` is set if one killed it, `timed_out` if the wall clock did."""

    exit_code: int
    signal: int | None
    timed_out: bool
    output: bytes
    """stdout and stderr together, up to the cap"""

    @property
    def outcome(self) -> str:
        """How it ended, in a word."""
        if self.timed_out:
            return "timeout"
        if self.signal == signal.SIGXCPU:
            return "cpu_limit"
        if self.signal is not None and self.signal not in _FAULT_SIGNALS:
            return "killed"
        if self.exit_code in _UNSTARTED or (self.exit_code and self.output.startswith(_WRAPPERS)):
            return "unstarted"
        if self.exit_code and any(words in self.output for words in _MEMORY_WORDS):
            return "memory"
        if self.signal is not None:
            return "crashed"
        return "failed" if self.exit_code else "ok"


class ScarceError(Exception):
    """The system has no process, memory or file descriptor left to start a program."""


class Confinement(StrEnum):
    """Ways to confine a program, the strongest first."""

    BUBBLEWRAP = "bubblewrap"
    LANDLOCK = "landlock"
    LIMITS = "limits"


_STRONG = (Confinement.BUBBLEWRAP, Confinement.LANDLOCK)


def choose(wanted: str) -> Confinement:
    """The confinement to run programs in.

    Args:
        wanted: `auto` for the strongest that works here, `required` for the same but never limits alone, or the name
            of one that must work.

    Raises:
        SandboxError: what is wanted does not work on this machine.
    """
    if wanted in ("auto", "required"):
        reasons = {}
        for confinement in _STRONG:
            if (reason := failure_reason(confinement)) is None:
                return confinement
            reasons[confinement] = reason
        why = "; ".join(f"{confinement}: {reason}" for confinement, reason in reasons.items())
        if wanted == "required":
            raise SandboxError(f"LILT_SANDBOX=required, and neither bubblewrap nor Landlock works here ({why})")
        logger.warning("neither bubblewrap nor Landlock works here (%s)", why)
        return Confinement.LIMITS
    found = Confinement(wanted)
    if (reason := failure_reason(found)) is not None:
        raise SandboxError(f"LILT_SANDBOX={wanted}, and that does not work here ({reason})")
    return found


def probe() -> Confinement:
    """The strongest confinement that works here."""
    return next((found for found in _STRONG if failure_reason(found) is None), Confinement.LIMITS)


def failure_reason(confinement: Confinement) -> str | None:
    """Why it does not work here: a program fails inside, or can read a canary file outside; None if it works."""
    if confinement is Confinement.LIMITS:
        return None
    if (missing := seccomp.missing()) is not None:
        return f"seccomp: {missing}"
    if confinement is Confinement.BUBBLEWRAP:
        for file in (_PRLIMIT, _BWRAP):
            if not Path(file).exists():
                return f"{file} is not installed"
    limits = Limits(cpu_s=5, wall_s=_PROBE_TIMEOUT_S, address_space=512 * 1024 * 1024, file_size=1024)
    with tempfile.TemporaryDirectory(prefix="lilt-") as name, tempfile.NamedTemporaryFile(prefix="lilt-") as canary:
        canary.write(b"canary")
        canary.flush()
        escaped = _probe(["/usr/bin/cat", canary.name], Path(name), limits, confinement)
        alive = _probe(["/usr/bin/cat", "/dev/null"], Path(name), limits, confinement)
    if alive.returncode != 0:
        words = alive.stderr.decode("utf-8", "replace").strip().splitlines()
        return words[-1] if words else f"a program inside it ends with exit status {alive.returncode}"
    if escaped.returncode == 0 or b"canary" in escaped.stdout:
        return "a program inside it can read files outside"
    return None


def _probe(
    argv: list[str], folder: Path, limits: Limits, confinement: Confinement
) -> "subprocess.CompletedProcess[bytes]":
    with _confined_command(argv, folder, limits, confinement, ()) as (command, files):
        return subprocess.run(  # noqa: S603
            command, capture_output=True, timeout=_PROBE_TIMEOUT_S, check=False, env={}, cwd=folder, pass_fds=files
        )


async def run(
    argv: list[str], folder: Path, limits: Limits, confinement: Confinement, readable: tuple[Path, ...] = ()
) -> Completed:
    """Run a program in a folder and wait for it.

    Args:
        argv: the program's absolute path and its arguments; files are named relative to `folder`.
        folder: its working folder, the only place where it may write.
        limits: when to stop it.
        confinement: what `probe` found.
        readable: further files and folders that it may read, beside /usr.

    Raises:
        ScarceError: it failed to start for lack of processes, memory or file descriptors.
    """
    name = Path(argv[0]).name
    try:
        with _confined_command(argv, folder, limits, confinement, readable) as (command, files):
            process = await asyncio.create_subprocess_exec(
                *command,
                cwd=folder,
                env={},
                stdin=asyncio.subprocess.DEVNULL,
                stdout=asyncio.subprocess.PIPE,
                stderr=asyncio.subprocess.STDOUT,
                start_new_session=True,
                pass_fds=files,
            )
    except OSError as error:
        if error.errno not in _OUT_OF_RESOURCES:
            raise
        metrics.SANDBOX_RUNS.labels("unstarted").inc()
        logger.error("%s failed to start: %s", name, error.strerror)  # noqa: TRY400 - a traceback would add nothing
        raise ScarceError(name) from None
    timed_out = False
    output = bytearray()
    try:
        async with asyncio.timeout(limits.wall_s):
            await _drain(process, output, limits.output)
            await process.wait()
    except TimeoutError:
        timed_out = True
    finally:
        _kill_group(process.pid)
        await _reap(process)
    code = process.returncode or 0
    killed_by = -code if code < 0 else code - 128 if code in _SIGNALLED else None
    completed = Completed(code, killed_by, timed_out, bytes(output))
    metrics.SANDBOX_RUNS.labels(completed.outcome).inc()
    _log_outcome(name, completed)
    return completed


def _log_outcome(name: str, completed: Completed) -> None:
    """Log a program that failed to start, was killed, crashed or exceeded a limit."""
    if completed.outcome == "unstarted":
        words = completed.output.decode("utf-8", "replace").strip()[-200:]
        logger.error("%s failed to start (exit status %d): %s", name, completed.exit_code, words)
    elif completed.outcome not in ("ok", "failed"):
        logger.warning("%s ended by %s (exit status %d)", name, completed.outcome, completed.exit_code)


async def _drain(process: asyncio.subprocess.Process, output: bytearray, cap: int) -> None:
    """Keep the first `cap` bytes, and read the rest so that the program never blocks on a full pipe."""
    assert process.stdout is not None  # noqa: S101
    while chunk := await process.stdout.read(_READ_SIZE):
        output += chunk[: max(0, cap - len(output))]


async def _reap(process: asyncio.subprocess.Process) -> None:
    """Wait for a killed program. asyncio calls it ended once its pipe is empty too, so what is left there is read."""
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(_REAP_TIMEOUT_S):
            await _drain(process, bytearray(), 0)
            await process.wait()


def _kill_group(leader: int) -> None:
    with contextlib.suppress(ProcessLookupError):
        os.killpg(leader, signal.SIGKILL)


@contextmanager
def _confined_command(
    argv: list[str], folder: Path, limits: Limits, confinement: Confinement, readable: tuple[Path, ...]
) -> Iterator[tuple[list[str], tuple[int, ...]]]:
    """The command that runs a program confined, and the files that it must inherit."""
    if confinement is Confinement.LANDLOCK:
        files = [f"readable={path}" for path in (*_READABLE, *readable)]
        yield [*_landlock_command(limits, *files, f"writable={folder}"), *argv], ()
    elif confinement is Confinement.BUBBLEWRAP:
        with os.fdopen(os.memfd_create("seccomp", 0), "w+b") as file:
            file.write(seccomp.program())
            file.seek(0)
            yield [*_prlimit(limits), *_bubblewrap(folder, readable, file.fileno()), *argv], (file.fileno(),)
    elif seccomp.missing() is None:
        yield [*_landlock_command(limits), *argv], ()
    else:
        yield [*_prlimit(limits), *argv], ()


def _prlimit(limits: Limits) -> list[str]:
    return [
        _PRLIMIT,
        f"--cpu={limits.cpu_s}:{limits.cpu_s + 1}",  # SIGXCPU, which says what it was for; then SIGKILL
        f"--as={limits.address_space}",
        f"--fsize={limits.file_size}",
        f"--nofile={limits.open_files}",
        "--core=0",
        "--",
    ]


def _bubblewrap(folder: Path, readable: tuple[Path, ...], filter_file: int) -> list[str]:
    links = [part for link in _MERGED_LINKS if Path(link).is_symlink() for part in ("--symlink", f"usr{link}", link)]
    binds = [part for path in (*_READABLE, *map(str, readable)) for part in ("--ro-bind-try", path, path)]
    return [
        _BWRAP,
        *("--unshare-all", "--die-with-parent", "--new-session", "--clearenv", "--cap-drop", "ALL"),
        *binds,
        *links,
        *("--dev", "/dev", "--bind", str(folder), _INSIDE, "--chdir", _INSIDE, "--seccomp", str(filter_file)),
        "--",
    ]


def _landlock_command(limits: Limits, *files: str) -> list[str]:
    """Limits, Landlock where `files` are named, and the filter."""
    return [
        *_LANDLOCK_PROGRAM,
        f"RLIMIT_CPU={limits.cpu_s}:{limits.cpu_s + 1}",  # SIGXCPU, which says what it was for; then SIGKILL
        f"RLIMIT_AS={limits.address_space}:{limits.address_space}",
        f"RLIMIT_FSIZE={limits.file_size}:{limits.file_size}",
        f"RLIMIT_NOFILE={limits.open_files}:{limits.open_files}",
        "RLIMIT_CORE=0:0",
        *files,
        f"seccomp={seccomp.program().hex()}",
        "--",
    ]
