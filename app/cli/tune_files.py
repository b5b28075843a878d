"""Reads the files that commands are given, ABC as it is, MusicXML and MIDI made into it; and the tunes in them."""

from pathlib import Path
from typing import IO

import click

from app.abc.texts import readable
from app.abc.tunebook import header_fields, is_file_header, split_blocks
from app.errors import NotationError
from app.interchange import abc_from_file
from app.rendering.input_filter import decode

MAX_MIB = 64
"""of a file; all of The Session's tunes take a third of it"""
STDIN = "<stdin>"
"""what the standard input is called"""
_TUNES = {"X", "K"}
"""fields of tunes alone"""


def abc_of(file: IO[bytes]) -> str:
    """A file's text; what of MusicXML or MIDI is left out is told on the standard error.

    Raises:
        NotationError: it is too large, or cannot be read; the text begins with its name.
    """
    name = click.format_filename(file.name)
    try:
        return _abc_of(file, name)
    except NotationError as error:
        raise NotationError(f"{name}: {error.detail}", faults=error.faults) from None


def _abc_of(file: IO[bytes], name: str) -> str:
    content = file.read(MAX_MIB * 1024 * 1024 + 1)
    if len(content) > MAX_MIB * 1024 * 1024:
        raise NotationError(f"it has more than the {MAX_MIB} MiB that are allowed; check it in parts")
    if abc_from_file.kind_of(content) is None:
        return decode(content)
    found = abc_from_file.to_abc(content, "" if name == STDIN else Path(name).name)
    for each in found.left_out:
        click.echo(f"{name}: left out: {each}", err=True)
    return found.abc


def file_header(text: str) -> tuple[str, int]:
    """What a tunebook says before its first tune that holds for all, with a blank line, and the line that it begins in.

    As many lines as in the book stand between its parts, where comments or text part them.
    """
    header, first_line = "", 1
    for block, line, _ in split_blocks(text):
        if _TUNES & header_fields(block).keys():
            break
        if is_file_header(block.splitlines()):
            first_line = first_line if header else line
            header += "\n" * (line - first_line - header.count("\n")) + block
    return (header + "\n" if header else "", first_line)


def tunes_of(text: str) -> list[tuple[str, int]]:
    """Each tune of a tunebook, and the line that it begins in; the whole text where there is none."""
    blocks = [(block, line) for block, line, _ in split_blocks(text) if _TUNES & header_fields(block).keys()]
    return blocks or [(text, 1)]


def title_of(abc: str) -> str:
    """What a tune is called; empty where it does not say."""
    return readable(header_fields(abc).get("T", ""))
