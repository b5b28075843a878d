"""Writes what commands make: the format by a file's ending or by name, by the service's renderer in its sandbox."""

import ctypes
import os
import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeVar

import click

from app.api.schemas.rendering import RenderRequest
from app.errors import SetupError
from app.rendering import external_tools
from app.rendering.formats import Format, Kind
from app.rendering.renderer import Renderer
from app.settings import Settings

STDOUT = Path("-")
_Command = TypeVar("_Command", bound=Callable[..., Any])
_BY_ENDING: dict[str, Format] = {format_.extension: format_ for format_ in (Format.ABC, *Format)} | {
    format_.value: format_ for format_ in Format
}
NAMES = tuple(_BY_ENDING)
"""what `--format` takes"""
ENDINGS = ", ".join(f".{format_.extension}" for format_ in dict.fromkeys(_BY_ENDING.values()))
_PACKAGES = "abcmidi bubblewrap fluidr3mono-gm-soundfont fonts-dejavu-core libcairo2 libfluidsynth3"


class FileOrFolder(click.Path):
    """Where to write, as a `Path`; what ends in a slash has to be a folder."""

    def __init__(self) -> None:
        super().__init__(path_type=Path, allow_dash=True)

    def convert(
        self, value: str | os.PathLike[str], param: click.Parameter | None, ctx: click.Context | None
    ) -> str | bytes | os.PathLike[str]:
        if isinstance(value, str) and value.endswith(os.sep) and not os.path.isdir(value):  # noqa: PTH112
            self.fail(f"there is no folder {value}", param, ctx)
        return super().convert(value, param, ctx)


def out_option(description: str, *, several: bool = False) -> Callable[[_Command], _Command]:
    """`-o`, as `out` (`outs`, if there may be several): a file, the standard output if there is none."""
    return click.option(
        "-o",
        "--out",
        "outs" if several else "out",
        multiple=several,
        type=click.Path(path_type=Path, dir_okay=False, allow_dash=True),
        default=(STDOUT,) if several else STDOUT,
        metavar="FILE",
        help=description,
    )


def format_of(out: Path, named: str | None) -> Format:
    """What `--format` names, else what the file's ending says; ABC on the standard output.

    Raises:
        click.UsageError: the ending says nothing that can be made.
    """
    if named is not None:
        return _BY_ENDING[named]
    if out == STDOUT:
        return Format.ABC
    if out.is_dir():
        raise click.UsageError(f"{out} is a folder; --format says what is to be made in it")
    ending = out.suffix.lower().removeprefix(".")
    if ending not in _BY_ENDING:
        raise click.UsageError(f"{out}: its name has to end in one of {ENDINGS}, or --format says what it is to be")
    return _BY_ENDING[ending]


def check_text(out: Path, *allowed: str) -> None:
    """Check that a file's ending, where it has one, promises no more than text.

    Raises:
        click.UsageError: its ending is none of `allowed`.
    """
    if out.suffix and out.suffix.lower() not in allowed:
        raise click.UsageError(f"{out}: this writes text; a name that ends in {' or '.join(allowed)} is allowed")


def check(out: Path, wanted: Format, settings: Settings) -> None:
    """Check before anything is made that it can be made and written.

    Raises:
        SetupError: something that rendering needs is not installed, or there is no such folder.
    """
    if not out.absolute().parent.is_dir():
        raise SetupError(f"{out}: there is no folder {out.parent}")
    lacking = _lacking(wanted, settings)
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


async def render(made: Renderer, abc: str, wanted: Format, request: RenderRequest, out: Path) -> None:
    """Write a tune, or a set, rendered; say what was left out of it.

    Raises:
        LiltError: it cannot be rendered.
        SetupError: it cannot be written.
    """
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
    """Write a file, whole or not at all, or to the standard output; a link and a file's mode stay as they are.

    Raises:
        SetupError: it cannot be written.
        BrokenPipeError: nobody reads on.
    """
    if out == STDOUT:
        click.echo(content, nl=False)
        return
    try:
        if out.exists() and not out.is_file():  # such as /dev/stdout
            out.write_bytes(content)
        else:
            _replace(out.resolve(), content)
    except BrokenPipeError:
        raise
    except OSError as error:
        raise SetupError(f"{out} cannot be written: {error.strerror}") from None


def _replace(out: Path, content: bytes) -> None:
    beside = out.with_name(f".lilt-{os.getpid()}")
    try:
        beside.write_bytes(content)
        if out.exists():
            shutil.copymode(out, beside)
        beside.replace(out)
    finally:
        beside.unlink(missing_ok=True)
