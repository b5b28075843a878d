"""`lilt check`: says what is wrong in files of ABC, a line for each thing, as compilers do."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import click

from app.api.schemas.notation import CheckedProblem, CheckResponse
from app.cli import files, process, tune_files
from app.errors import NotationError
from app.rendering import external_tools, lint
from app.rendering.renderer import Renderer
from app.settings import Settings

FAULTY = 1
"""exit status where a tune cannot be played, or with `--strict` does not add up"""
_SUFFIXES = (".abc", ".musicxml", ".mxl", ".mid", ".midi")
"""files that a folder is searched for"""


@dataclass(frozen=True)
class _Finding:
    """What is told of a tune, its lines those of the file; or of a file that cannot be read, which has no line."""

    file: str
    line: int | None
    found: CheckResponse

    def is_well(self, *, strict: bool) -> bool:
        warned = any(problem.severity == "warning" for problem in self.found.problems)
        return self.found.playable and not (strict and warned)

    def lines(self) -> Iterator[str]:
        """As compilers tell it."""
        for problem in self.found.problems:
            places = [str(place) for place in (problem.line, problem.column) if place]
            yield f"{':'.join([self.file, *places])}: {problem.severity}: {problem.message}"

    def json(self) -> str:
        """As the service's `/check` tells it, with the file and the line that the tune begins in."""
        return _InFile(file=self.file, line=self.line, **dict(self.found)).model_dump_json()


class _InFile(CheckResponse):
    file: str
    line: int | None


@click.command("check")
@click.argument("file", nargs=-1, required=True, type=click.Path(exists=True, readable=True, allow_dash=True))
@click.option("--fix", is_flag=True, help="Print the texts instead, with what can be mended mechanically mended.")
@click.option(
    "--strict", is_flag=True, help="Exit with 1 where there are warnings too, such as bars that do not add up."
)
@click.option("--json", "as_json", is_flag=True, help="A line of JSON for each tune, with the fields of POST /check.")
def command(file: tuple[str, ...], *, fix: bool, strict: bool, as_json: bool) -> int:
    """Say what is wrong in each FILE (a folder: in all files in it; - for standard input): FILE:LINE:COLUMN: what.

    FILE is ABC, MusicXML or MIDI; of the latter two the lines are those that `lilt import` makes. Every tune of a
    tunebook, which may have 64 MiB, is checked. The exit status is 1 where one cannot be played.

    \b
    Examples:
      lilt check my-tunes.abc
      lilt check --strict tunes/
      lilt check --json book.abc | jq -r 'select(.playable | not) | .title'
      lilt check --fix old.abc >mended.abc
    """
    if fix and as_json:
        raise click.UsageError("--fix prints texts, --json answers, of which each has its text mended: `fixed`")
    settings = process.settings()
    paths = [path for each in file for path in _files_of(each)]
    if fix:
        for path in paths:
            with click.open_file(path, "rb") as opened:
                click.echo(_mended(tune_files.abc_of(opened)), nl=False)
        return 0
    with files.renderer(settings) as renderer:
        if external_tools.ABC2MIDI in renderer.missing():
            click.echo(f"note: {external_tools.ABC2MIDI} is not installed, and is not asked", err=True)
        is_well = asyncio.run(_tell(paths, renderer, settings, strict=strict, as_json=as_json))
    return 0 if is_well else FAULTY


def _files_of(path: str) -> list[str]:
    """The file itself, or those of a folder."""
    folder = Path(path)
    if not folder.is_dir():
        return [path]
    found = sorted(str(file) for file in folder.rglob("*") if file.suffix.lower() in _SUFFIXES and file.is_file())
    if not found:
        raise click.UsageError(f"{path}: there is no file in it that ends in {', '.join(_SUFFIXES)}")
    return found


async def _tell(paths: list[str], renderer: Renderer, settings: Settings, *, strict: bool, as_json: bool) -> bool:
    """Print all findings; whether all is well."""
    is_well = True
    for path in paths:
        async for finding in _check(path, renderer, settings):
            is_well &= finding.is_well(strict=strict)
            for line in [finding.json()] if as_json else finding.lines():
                click.echo(line)
    return is_well


async def _check(path: str, renderer: Renderer, settings: Settings) -> AsyncIterator[_Finding]:
    """What is told of each tune of a file."""
    name = click.format_filename(tune_files.STDIN if path == "-" else path)  # a name may be no text
    try:
        with click.open_file(path, "rb") as opened:
            text = tune_files.abc_of(opened)
    except (NotationError, OSError) as error:  # the other files can be
        yield _unreadable(name, error)
        return
    header, header_line = tune_files.file_header(text)
    is_header_told = False
    for tune, first_line in tune_files.tunes_of(text):
        try:
            found = await lint.check(header + tune, renderer, 60 * settings.max_render_minutes)
        except NotationError as error:  # too large to be looked at; the others are
            yield _Finding(name, first_line, _refused(error.detail, first_line))
            continue
        placed = _placed(found, header, header_line, first_line, is_header_told=is_header_told)
        yield _Finding(name, first_line, CheckResponse.of(placed))
        is_header_told = True


def _placed(
    found: lint.Checked, header: str, header_line: int, first_line: int, *, is_header_told: bool
) -> lint.Checked:
    """The lines of a header and a tune as those of their file; without what is wrong in a header that was told of."""
    remarks = []
    for remark in found.remarks:
        in_text = remark.fault.line or 1
        line = in_text - header.count("\n")
        if line < 1 and is_header_told:
            continue
        number = first_line + line - 1 if line > 0 else header_line + in_text - 1
        remarks.append(replace(remark, fault=replace(remark.fault, line=number)))
    return replace(found, remarks=tuple(remarks))


def _unreadable(name: str, error: NotationError | OSError) -> _Finding:
    if isinstance(error, OSError):
        return _Finding(name, None, _refused(error.strerror or str(error), None))
    detail = error.detail.removeprefix(f"{name}: ")
    line = next((fault.line for fault in error.faults if fault.line), None)
    return _Finding(name, None, _refused(detail.removeprefix(f"line {line}: ") if line else detail, line))


def _refused(message: str, line: int | None) -> CheckResponse:
    problem = CheckedProblem(severity="error", source="reader", message=message, line=line)
    return CheckResponse(playable=False, problems=[problem], fixed=None)


def _mended(text: str) -> str:
    return "\n".join(lint.fix(tune).rstrip("\n") + "\n" for tune, _ in tune_files.tunes_of(text))
