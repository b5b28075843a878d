"""Run one program on a stranger's file with hard bounds.

No shell, an empty environment, a private folder, limits on processor time, memory, file size and wall clock, output
capped, the whole process group killed. Where bubblewrap works, the program also sees no file but what it needs and has
no network; elsewhere the limits and the container around the service are what holds.
"""

import asyncio
import contextlib
import os
import shutil
import signal
import subprocess
import tempfile
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

_PRLIMIT = "/usr/bin/prlimit"
_READ_SIZE = 64 * 1024
_READABLE = ("/usr", "/etc/alternatives")
_MERGED_LINKS = ("/bin", "/lib", "/lib64", "/sbin")
_INSIDE = "/job"
_REAP_TIMEOUT_S = 5


@dataclass(frozen=True)
class Limits:
    """Bounds of one run, in seconds and bytes."""

    cpu_s: int
    wall_s: float
    address_space: int
    file_size: int
    output: int = 64 * 1024


@dataclass(frozen=True)
class Completed:
    """How a run ended: `signal` is set if one killed it, `timed_out` if the wall clock did."""

    exit_code: int
    signal: int | None
    timed_out: bool
    output: bytes
    """stdout and stderr together, up to the cap"""


class Confinement(StrEnum):
    BUBBLEWRAP = "bubblewrap"
    LIMITS = "limits"


def probe() -> Confinement:
    """The strongest confinement that holds here, found by trying to read a canary file from inside it."""
    bubblewrap = shutil.which("bwrap")
    if bubblewrap is None or not Path(_PRLIMIT).exists():
        return Confinement.LIMITS
    with tempfile.TemporaryDirectory(prefix="lilt-") as folder, tempfile.NamedTemporaryFile(prefix="lilt-") as canary:
        canary.write(b"canary")
        canary.flush()
        read_canary = [*_bubblewrap(Path(folder)), "/usr/bin/cat", canary.name]
        works = [*_bubblewrap(Path(folder)), "/usr/bin/cat", "/dev/null"]
        escaped, alive = (
            subprocess.run(argv, capture_output=True, timeout=10, check=False, env={})  # noqa: S603
            for argv in (read_canary, works)
        )
    holds = alive.returncode == 0 and escaped.returncode != 0 and b"canary" not in escaped.stdout
    return Confinement.BUBBLEWRAP if holds else Confinement.LIMITS


async def run(
    argv: list[str], folder: Path, limits: Limits, confinement: Confinement, readable: tuple[Path, ...] = ()
) -> Completed:
    """Run a program in a folder and wait for it.

    Args:
        argv: the program's absolute path and its arguments; files are named relative to `folder`.
        folder: its working folder, the only place where it may write.
        limits: when to stop it.
        confinement: what `probe` found.
        readable: further files that it may read, beside /usr.
    """
    wrap = _bubblewrap(folder, readable) if confinement is Confinement.BUBBLEWRAP else []
    process = await asyncio.create_subprocess_exec(
        *_prlimit(limits),
        *wrap,
        *argv,
        cwd=folder,
        env={},
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
        start_new_session=True,
    )
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
    # prlimit and bubblewrap report a child that a signal killed as 128 + the signal
    killed_by = -code if code < 0 else code - 128 if code > 128 else None
    return Completed(code, killed_by, timed_out, bytes(output))


async def _drain(process: asyncio.subprocess.Process, output: bytearray, cap: int) -> None:
    """Keep the first `cap` bytes, and read on so that the program never blocks on a full pipe."""
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


def _prlimit(limits: Limits) -> list[str]:
    return [
        _PRLIMIT,
        f"--cpu={limits.cpu_s}",
        f"--as={limits.address_space}",
        f"--fsize={limits.file_size}",
        "--nofile=64",
        "--core=0",
        "--",
    ]


def _bubblewrap(folder: Path, readable: tuple[Path, ...] = ()) -> list[str]:
    links = [part for link in _MERGED_LINKS if Path(link).is_symlink() for part in ("--symlink", f"usr{link}", link)]
    binds = [part for path in (*_READABLE, *map(str, readable)) for part in ("--ro-bind-try", path, path)]
    return [
        "/usr/bin/bwrap",
        *("--unshare-all", "--die-with-parent", "--new-session", "--clearenv", "--cap-drop", "ALL"),
        *binds,
        *links,
        *("--dev", "/dev", "--bind", str(folder), _INSIDE, "--chdir", _INSIDE),
        "--",
    ]
