"""`lilt check`: says what is wrong in files of ABC, a line for each thing, as compilers do."""

import asyncio
from typing import BinaryIO

import click

from app.cli import files, process, tune_files
from app.errors import NotationError
from app.rendering import external_tools, lint
from app.rendering.renderer import Renderer
from app.settings import Settings

FAULTY = 1
"""exit status where a tune cannot be played, or with `--strict` does not add up"""


@click.command("check")
@click.argument("file", nargs=-1, required=True, type=click.File("rb"))
@click.option("--fix", is_flag=True, help="Print the texts instead, with what can be mended mechanically mended.")
@click.option(
    "--strict", is_flag=True, help="Exit with 1 where there are warnings too, such as bars that do not add up."
)
def command(file: tuple[BinaryIO, ...], *, fix: bool, strict: bool) -> int:
    """Say what is wrong in each FILE (- for standard input): FILE:LINE:COLUMN: what.

    FILE is ABC, MusicXML or MIDI; of the latter two the lines are those that `lilt import` makes. Every tune of a
    tunebook, which may have 64 MiB, is checked. The exit status is 1 where one cannot be played.

    \b
    Examples:
      lilt check my-tunes.abc
      lilt check --strict tunes/*.abc
      lilt check --fix old.abc >mended.abc
    """
    settings = process.settings()
    if fix:
        for each in file:
            click.echo(_mended(tune_files.abc_of(each)), nl=False)
        return 0
    texts, unread = [], 0
    for each in file:
        try:
            texts.append((each.name, tune_files.abc_of(each)))
        except NotationError as error:  # the other files can be
            click.echo(_unreadable(each.name, error))
            unread += 1
    with files.renderer(settings) as renderer:
        is_well = asyncio.run(_check(texts, renderer, settings, strict=strict))
    return 0 if is_well and not unread else FAULTY


def _unreadable(name: str, error: NotationError) -> str:
    detail = error.detail.removeprefix(f"{name}: ")
    line = next((fault.line for fault in error.faults if fault.line), None)
    return f"{name}:{line}: error: {detail.removeprefix(f'line {line}: ')}" if line else f"{name}: error: {detail}"


async def _check(texts: list[tuple[str, str]], renderer: Renderer, settings: Settings, *, strict: bool) -> bool:
    is_well = True
    if external_tools.ABC2MIDI in renderer.missing():
        click.echo(f"note: {external_tools.ABC2MIDI} is not installed, and is not asked", err=True)
    for name, text in texts:
        header, header_line = tune_files.file_header(text)
        is_header_told = False
        for tune, first_line in tune_files.tunes_of(text):
            try:
                found = await lint.check(header + tune, renderer, 60 * settings.max_render_minutes)
            except NotationError as error:  # too large to be looked at; the others are
                click.echo(f"{name}:{first_line}: error: {error.detail}")
                is_well = False
                continue
            is_well &= found.playable and not (strict and any(each.severity == "warning" for each in found.remarks))
            for remark in found.remarks:
                fault = remark.fault
                line = (fault.line or 1) - header.count("\n")
                if line < 1 and is_header_told:
                    continue
                number = first_line + line - 1 if line > 0 else header_line + (fault.line or 1) - 1
                places = [number, *([fault.column] if fault.column else [])]
                click.echo(f"{name}:{':'.join(map(str, places))}: {remark.severity}: {fault.message}")
            is_header_told = True
    return is_well


def _mended(text: str) -> str:
    return "\n".join(lint.fix(tune).rstrip("\n") + "\n" for tune, _ in tune_files.tunes_of(text))
