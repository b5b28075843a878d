"""Runs abc2midi and the engraver in the sandbox, and turns the ways in which they fail into errors."""

import errno
import os
import sys
from pathlib import Path

from app.errors import BusyError, DeadlineError, Fault, RenderError
from app.operations import tracing
from app.rendering import sandbox
from app.rendering.sandbox import Completed, Confinement, Limits

ABC2MIDI = "/usr/bin/abc2midi"
MIDI_FILE = "tune.mid"

_MIB = 1024 * 1024
_ABC2MIDI_LIMITS = Limits(cpu_s=2, wall_s=5, address_space=256 * _MIB, file_size=_MIB)
_ENGRAVE_LIMITS = Limits(cpu_s=20, wall_s=30, address_space=1024 * _MIB, file_size=16 * _MIB)
_ENGRAVER = Path(__file__).with_name("engrave.py")
_ENGRAVER_READS = tuple(Path(path) for path in {sys.prefix, sys.base_prefix, "/etc/fonts", "/var/cache/fontconfig"})
_RETRY_AFTER_S = 2
"""`Retry-After` where a program could not be started"""


async def to_midi(abc: str, folder: Path, confinement: Confinement) -> bytes:
    """A tune of our own writing as MIDI by abc2midi.

    Raises:
        RenderError: it made no MIDI file, or needed too much memory.
        DeadlineError: it took too long.
        BusyError: it failed to start, or the system killed it.
        OSError: the disk is full.
    """
    completed = await abc2midi(abc, folder, confinement, _ABC2MIDI_LIMITS)
    _check(completed, "abc2midi", _ABC2MIDI_LIMITS)
    made = folder / MIDI_FILE
    content = made.read_bytes() if made.is_file() else b""
    if not _is_whole_midi(content):
        _check_disk(folder, _ABC2MIDI_LIMITS)
    if not content:
        raise RenderError("abc2midi made no music of this tune")
    return content


async def abc2midi(abc: str, folder: Path, confinement: Confinement, limits: Limits) -> Completed:
    """How abc2midi ended over a text; what it made, if anything, is `MIDI_FILE` in the folder.

    Raises:
        BusyError: it failed to start.
    """
    (folder / "tune.abc").write_text(abc, "utf-8")
    return await _run("abc2midi", [ABC2MIDI, "tune.abc", "-o", MIDI_FILE], folder, limits, confinement)


async def engrave(written: bytes, extension: str, folder: Path, confinement: Confinement) -> bytes:
    """MusicXML drawn as `svg` or `pdf`, in the sandbox.

    Raises:
        RenderError: it drew nothing, or needed too much memory.
        DeadlineError: it took too long.
        BusyError: it failed to start, or the system killed it.
        OSError: the disk is full.
    """
    (folder / "tune.musicxml").write_bytes(written)
    made = folder / f"tune.{extension}"
    completed = await _run(
        "the engraver",
        [sys.executable, "-I", str(_ENGRAVER), "tune.musicxml", made.name],
        folder,
        _ENGRAVE_LIMITS,
        confinement,
        readable=(*_ENGRAVER_READS, _ENGRAVER),
    )
    _check(completed, "the engraver", _ENGRAVE_LIMITS)
    if completed.exit_code or not made.is_file():
        _check_disk(folder, _ENGRAVE_LIMITS)
        raise RenderError("the engraver made no score of this tune")
    return made.read_bytes()


def _is_whole_midi(content: bytes) -> bool:
    """Whether a file's chunks, each with its length, end where it does; abc2midi says nothing of a full disk."""
    at = 0
    while at + 8 <= len(content):
        at += 8 + int.from_bytes(content[at + 4 : at + 8])
    return 0 < at == len(content)


def _check_disk(folder: Path, limits: Limits) -> None:
    """Raises OSError: the disk has less room left than a program may use that did not do its work."""
    disk = os.statvfs(folder)
    if disk.f_bavail * disk.f_frsize < limits.file_size:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


def first_of(faults: tuple[Fault, ...]) -> str:
    """The first fault of a tune, as the end of an error message; empty if there is none."""
    return f"; line {faults[0].line}, column {faults[0].column}: {faults[0].message}" if faults else ""


async def _run(
    program: str,
    argv: list[str],
    folder: Path,
    limits: Limits,
    confinement: Confinement,
    readable: tuple[Path, ...] = (),
) -> Completed:
    with tracing.step(program) as span:
        try:
            completed = await sandbox.run(argv, folder, limits, confinement, readable)
        except sandbox.ScarceError:
            raise _failed_to_start(program) from None
        span.set_attribute("lilt.outcome", completed.outcome)
        return completed


def _failed_to_start(program: str) -> BusyError:
    return BusyError(f"{program} failed to start; try again", retry_after_s=_RETRY_AFTER_S)


def _check(completed: Completed, program: str, limits: Limits) -> None:
    if completed.outcome == "unstarted":
        raise _failed_to_start(program)
    if completed.outcome == "killed":  # not by one of our limits: by the out-of-memory killer or an operator
        raise BusyError(f"{program} was killed by the system; try again", retry_after_s=_RETRY_AFTER_S)
    if completed.outcome == "memory":
        allowed = f"{limits.address_space // _MIB} MiB"
        raise RenderError(f"{program} needs more memory for this tune than the {allowed} that are allowed")
    if completed.outcome in ("timeout", "cpu_limit"):
        raise DeadlineError(f"{program} took too long over this tune")
    if completed.signal is not None:
        raise RenderError(f"{program} crashed on this tune (signal {completed.signal})")
