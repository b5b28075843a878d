"""Writes what commands make: the format by a file's ending, rendered by the service's own renderer in its sandbox."""

import ctypes
import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import click

from app.api.schemas.rendering import RenderRequest
from app.errors import SetupError
from app.rendering import external_tools
from app.rendering.formats import Format, Kind
from app.rendering.renderer import Renderer
from app.settings import Settings

ABC = "abc"
_BY_ENDING = {format_.extension: format_ for format_ in Format} | {format_.value: format_ for format_ in Format}
ENDINGS = ", ".join(f".{ending}" for ending in dict.fromkeys((ABC, *(format_.extension for format_ in Format))))
_PACKAGES = "abcmidi bubblewrap fluidr3mono-gm-soundfont fonts-dejavu-core libcairo2 libfluidsynth3"


def format_of(out: Path) -> Format | None:
    """What a file's ending says; None for ABC, which a tune is before anything is made of it.

    Raises:
        click.UsageError: it says nothing that can be made.
    """
    ending = out.suffix.lower().removeprefix(".")
    if ending not in _BY_ENDING:
        raise click.UsageError(f"{out}: its name has to end in one of {ENDINGS}")
    return None if ending == ABC else _BY_ENDING[ending]


def check(out: Path, wanted: Format | None, settings: Settings) -> None:
    """Check before anything is made that it can be made and written.

    Raises:
        SetupError: something that rendering needs is not installed, or there is no such folder.
    """
    if not out.absolute().parent.is_dir():
        raise SetupError(f"{out}: there is no folder {out.parent}")
    lacking = _lacking(wanted, settings) if wanted else []
    if lacking:
        raise SetupError(
            f"{out}: this is not installed: {', '.join(lacking)}; on Debian and Ubuntu, as root: apt-get install "
            f"--no-install-recommends {_PACKAGES}"
        )


def _lacking(wanted: Format, settings: Settings) -> list[str]:
    if wanted.kind is Kind.SCORE:
        return ["libcairo2"] if wanted in (Format.PDF, Format.PNG) and not _is_installed("libcairo.so.2") else []
    with renderer(settings) as made:
        missing = made.missing()
    return [each for each in missing if wanted.kind is Kind.SOUND or each == external_tools.ABC2MIDI]


def _is_installed(library: str) -> bool:
    try:
        ctypes.CDLL(library)
    except OSError:
        return False
    return True


async def render(abc: str, wanted: Format, request: RenderRequest, settings: Settings, out: Path) -> None:
    """Write a tune, or a set, rendered; say what was left out of it.

    Raises:
        LiltError: it cannot be rendered.
        SandboxError: the sandbox that LILT_SANDBOX asks for does not work here.
    """
    with renderer(settings) as made:
        job = await made.job(abc, wanted, request.options())
        for named in job.left_out:
            click.echo(f"note: left out: {named}", err=True)
        rendering = await made.render(job, whole=True)
        try:
            write(out, b"".join([chunk async for chunk in rendering.read(0, None)]))
        finally:
            rendering.leave()


@contextmanager
def renderer(settings: Settings) -> Iterator[Renderer]:
    """The service's renderer, with a folder that goes when it does.

    Raises:
        SandboxError: the sandbox that LILT_SANDBOX asks for does not work here.
    """
    with tempfile.TemporaryDirectory(prefix="lilt-") as folder:
        made = Renderer.of(settings, Path(folder))
        try:
            yield made
        finally:
            made.settle()


def write(out: Path, content: bytes) -> None:
    """Write a file, whole or not at all."""
    if out.exists() and not out.is_file():  # such as /dev/stdout
        out.write_bytes(content)
        return
    beside = out.with_name(f".{out.name}.{os.getpid()}")
    try:
        beside.write_bytes(content)
        beside.replace(out)
    finally:
        beside.unlink(missing_ok=True)
