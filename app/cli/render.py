"""`lilt render`: makes a tune of a file, or each of a tunebook, into sound, MIDI, a score or ABC."""

import asyncio
from itertools import count
from pathlib import Path
from typing import BinaryIO

import click

from app.api.schemas.rendering import RenderRequest
from app.cli import files, process, tune_files
from app.cli.request_options import options_of, request_of
from app.errors import LiltError
from app.rendering.formats import Format, file_name
from app.rendering.renderer import Renderer

FAULTY = 1
"""exit status where some tune of a book cannot be rendered"""


@click.command("render")
@click.argument("file", type=click.File("rb"))
@click.option(
    "-o",
    "--out",
    type=files.FileOrFolder(),
    metavar="FILE",
    required=True,
    help=f"Where to: {files.ENDINGS}; - for standard output; or a folder.",
)
@click.option("--format", "named", type=click.Choice(files.NAMES), help="What to make, whatever the name ends in.")
@options_of(RenderRequest, ("abc", "format"), {})
def command(file: BinaryIO, out: Path, named: str | None, **given: object) -> int:
    """Make the tune in FILE (- for standard input), or a set of up to five, into sound, MIDI, a score or ABC.

    FILE is ABC, MusicXML or MIDI. Into a folder goes every tune of a tunebook, each in a file named by its title; the
    exit status is 1 where one of them cannot be rendered.

    \b
    Examples:
      lilt render tune.abc -o tune.mp3 --tempo 100
      lilt tune | lilt render - -o tune.pdf
      lilt render tune.mxl -o higher.abc --transpose 2
      lilt render book.abc -o mp3s/ --format mp3
    """
    wanted = files.format_of(out, named)
    settings = process.settings()
    text = tune_files.abc_of(file)
    files.check(out, wanted, settings)
    if out.is_dir():
        request = request_of(RenderRequest, given, abc="")
        with files.renderer(settings) as renderer:
            return 0 if asyncio.run(_each(renderer, file.name, text, wanted, request, out)) else FAULTY
    request = request_of(RenderRequest, given, abc=text)
    with files.renderer(settings) as renderer:
        asyncio.run(files.render(renderer, request.abc, wanted, request, out))
    return 0


async def _each(renderer: Renderer, book: str, text: str, wanted: Format, request: RenderRequest, folder: Path) -> bool:
    """Write every tune of a book into the folder; False where one cannot be rendered, which is told."""
    written: set[str] = set()
    done = True
    header, _ = tune_files.file_header(text)
    for abc, first_line in tune_files.tunes_of(text):
        out = folder / _unused_name(tune_files.title_of(abc), wanted, written)
        try:
            await files.render(renderer, header + abc, wanted, request, out)
        except LiltError as error:
            click.echo(f"{book}:{first_line}: error: {error.detail}", err=True)
            done = False
    return done


def _unused_name(title: str, wanted: Format, used: set[str]) -> str:
    """A file's name that none of the others has, nor one that some disks take for the same; it is used from now on."""
    names = (file_name(title, wanted.extension, again) for again in count(1))
    name = next(name for name in names if name.casefold() not in used)
    used.add(name.casefold())
    return name
