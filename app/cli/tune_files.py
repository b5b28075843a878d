"""Reads the files that commands are given: ABC as it is, MusicXML and MIDI made into it."""

from pathlib import Path
from typing import BinaryIO

import click

from app.errors import NotationError
from app.interchange import abc_from_file
from app.rendering.input_filter import decode

MAX_MIB = 64
"""of a file; all of The Session's tunes take a third of it"""


def abc_of(file: BinaryIO) -> str:
    """A file's text; what of MusicXML or MIDI is left out is told on the standard error.

    Raises:
        NotationError: it is too large, or cannot be read.
    """
    content = file.read(MAX_MIB * 1024 * 1024 + 1)
    if len(content) > MAX_MIB * 1024 * 1024:
        raise NotationError(f"{file.name}: it has more than the {MAX_MIB} MiB that are allowed; check it in parts")
    if abc_from_file.kind_of(content) is None:
        return decode(content)
    found = abc_from_file.to_abc(content, Path(file.name).name)
    for each in found.left_out:
        click.echo(f"{file.name}: left out: {each}", err=True)
    return found.abc
