"""`lilt render`: makes a tune of a file into sound, MIDI, a score or ABC."""

import asyncio
from pathlib import Path
from typing import BinaryIO

import click

from app.api.schemas.rendering import RenderRequest
from app.cli import files, process, tune_files
from app.cli.request_options import options_of, request_of
from app.rendering.formats import Format


@click.command("render")
@click.argument("file", type=click.File("rb"))
@click.option(
    "-o", "--out", type=click.Path(path_type=Path), metavar="FILE", required=True, help=f"Where to: {files.ENDINGS}."
)
@options_of(RenderRequest, ("abc", "format"), {})
def command(file: BinaryIO, out: Path, **given: object) -> None:
    """Make the tune in FILE (- for standard input), or a set of up to five, into sound, MIDI, a score or ABC.

    FILE is ABC, MusicXML or MIDI.

    \b
    Examples:
      lilt render tune.abc -o tune.mp3 --tempo 100
      lilt tune | lilt render - -o tune.pdf
      lilt render tune.mxl -o higher.abc --transpose 2
    """
    wanted = files.format_of(out) or Format.ABC
    settings = process.settings()
    request = request_of(RenderRequest, given, abc=tune_files.abc_of(file))
    files.check(out, wanted, settings)
    asyncio.run(files.render(request.abc, wanted, request, settings, out))
