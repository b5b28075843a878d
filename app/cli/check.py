"""`lilt check`: says what is wrong in files of ABC, a line for each thing, as compilers do."""

import asyncio
from typing import BinaryIO

import click

from app.abc.tunebook import header_fields, split_blocks
from app.cli import files, process
from app.errors import NotationError
from app.rendering import external_tools, lint
from app.rendering.input_filter import decode
from app.rendering.renderer import Renderer
from app.settings import Settings

MAX_MIB = 64
"""of a file; all of The Session's tunes take a third of it"""

FAULTY = 1
"""exit status where a tune cannot be played"""


@click.command("check")
@click.argument("file", nargs=-1, required=True, type=click.File("rb"))
@click.option("--fix", is_flag=True, help="Print the texts instead, with what can be mended mechanically mended.")
def command(file: tuple[BinaryIO, ...], *, fix: bool) -> int:
    """Say what is wrong in each FILE (- for standard input): FILE:LINE:COLUMN: what.

    Every tune of a tunebook, which may have 64 MiB, is checked. The exit status is 1 where one cannot be played.
    """
    settings = process.settings()
    texts = [(each.name, _text(each)) for each in file]
    if fix:
        for _, text in texts:
            click.echo(_mended(text), nl=False)
        return 0
    with files.renderer(settings) as renderer:
        playable = asyncio.run(_check(texts, renderer, settings))
    return 0 if playable else FAULTY


async def _check(texts: list[tuple[str, str]], renderer: Renderer, settings: Settings) -> bool:
    playable = True
    if external_tools.ABC2MIDI in renderer.missing():
        click.echo(f"note: {external_tools.ABC2MIDI} is not installed, and is not asked", err=True)
    for name, text in texts:
        for tune, first_line in _tunes(text):
            try:
                found = await lint.check(tune, renderer, 60 * settings.max_render_minutes)
            except NotationError as error:  # too large to be looked at; the others are
                click.echo(f"{name}:{first_line}: error: {error.detail}")
                playable = False
                continue
            playable &= found.playable
            for remark in found.remarks:
                fault = remark.fault
                places = [first_line + (fault.line or 1) - 1, *([fault.column] if fault.column else [])]
                click.echo(f"{name}:{':'.join(map(str, places))}: {remark.severity}: {fault.message}")
    return playable


def _text(file: BinaryIO) -> str:
    """What a file says.

    Raises:
        NotationError: it is too large, or its alphabet is not known.
    """
    content = file.read(MAX_MIB * 1024 * 1024 + 1)
    if len(content) > MAX_MIB * 1024 * 1024:
        raise NotationError(f"{file.name}: it has more than the {MAX_MIB} MiB that are allowed; check it in parts")
    return decode(content)


def _tunes(text: str) -> list[tuple[str, int]]:
    """Each tune of a tunebook, and the line that it begins in; the whole text where there is none."""
    blocks = [(block, line) for block, line, _ in split_blocks(text) if {"X", "K"} & header_fields(block).keys()]
    return blocks or [(text, 1)]


def _mended(text: str) -> str:
    return "\n".join(lint.fix(tune).rstrip("\n") + "\n" for tune, _ in _tunes(text))
