"""`lilt import`: makes ABC of MusicXML or MIDI."""

from pathlib import Path
from typing import BinaryIO

import click

from app.cli import files, tune_files


@click.command("import")
@click.argument("file", nargs=-1, required=True, type=click.File("rb"))
@files.out_option("Where to: .abc or .txt; - for standard output. [printed]")
def command(file: tuple[BinaryIO, ...], out: Path) -> None:
    """Make ABC of each FILE (- for standard input): MusicXML (.musicxml, .mxl) or MIDI (.mid).

    \b
    Examples:
      lilt import tune.mxl -o tune.abc
      lilt import *.musicxml >book.abc

    What of a file is left out is told on the standard error. A file that is ABC already is printed as it is.
    """
    files.check_text(out, ".abc", ".txt")
    book = "\n".join(_numbered(tune_files.abc_of(each), number) for number, each in enumerate(file, 1))
    files.write(out, book.encode())


def _numbered(abc: str, number: int) -> str:
    """A tune with the number that it has in the book."""
    return abc.rstrip("\n").replace("X:1\n", f"X:{number}\n", 1) + "\n"
