"""`lilt check`: says what is wrong in files of ABC, a line for each thing, as compilers do."""

import asyncio
from typing import BinaryIO

import click

from app.abc.tunebook import header_fields, is_file_header, split_blocks
from app.cli import files, process, tune_files
from app.errors import NotationError
from app.rendering import external_tools, lint
from app.rendering.renderer import Renderer
from app.settings import Settings

FAULTY = 1
"""exit status where a tune cannot be played"""


@click.command("check")
@click.argument("file", nargs=-1, required=True, type=click.File("rb"))
@click.option("--fix", is_flag=True, help="Print the texts instead, with what can be mended mechanically mended.")
def command(file: tuple[BinaryIO, ...], *, fix: bool) -> int:
    """Say what is wrong in each FILE (- for standard input): FILE:LINE:COLUMN: what.

    FILE is ABC, MusicXML or MIDI; of the latter two the lines are those that `lilt import` makes. Every tune of a
    tunebook, which may have 64 MiB, is checked. The exit status is 1 where one cannot be played.
    """
    settings = process.settings()
    texts = [(each.name, tune_files.abc_of(each)) for each in file]
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
        header, header_line = _file_header(text)
        is_header_told = False
        for tune, first_line in _tunes(text):
            try:
                found = await lint.check(header + tune, renderer, 60 * settings.max_render_minutes)
            except NotationError as error:  # too large to be looked at; the others are
                click.echo(f"{name}:{first_line}: error: {error.detail}")
                playable = False
                continue
            playable &= found.playable
            for remark in found.remarks:
                fault = remark.fault
                line = (fault.line or 1) - header.count("\n")
                if line < 1 and is_header_told:
                    continue
                number = first_line + line - 1 if line > 0 else header_line + (fault.line or 1) - 1
                places = [number, *([fault.column] if fault.column else [])]
                click.echo(f"{name}:{':'.join(map(str, places))}: {remark.severity}: {fault.message}")
            is_header_told = True
    return playable


def _file_header(text: str) -> tuple[str, int]:
    """What a tunebook begins with that holds for all its tunes, with a blank line, and the line that it begins in."""
    block, line, _ = next(iter(split_blocks(text)), ("", 1, False))
    return (block + "\n", line) if block and is_file_header(block.splitlines()) else ("", line)


def _tunes(text: str) -> list[tuple[str, int]]:
    """Each tune of a tunebook, and the line that it begins in; the whole text where there is none."""
    blocks = [(block, line) for block, line, _ in split_blocks(text) if {"X", "K"} & header_fields(block).keys()]
    return blocks or [(text, 1)]


def _mended(text: str) -> str:
    return "\n".join(lint.fix(tune).rstrip("\n") + "\n" for tune, _ in _tunes(text))
