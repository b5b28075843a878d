"""Splits ABC text into tunes, and reads their header fields.

Field and file structure: the ABC standard 2.1, sections 2 and 3.
"""

import re
from bisect import bisect_left
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from typing import NamedTuple

from app.abc.texts import readable, without_comment
from app.errors import Fault

FIELD = re.compile(r"(?![A-GXZa-gxz]:[|:])([A-Za-z+]):(.*)")
"""A line that is a field: its letter, and what it says; `A:|` is music."""

NO_KEY = "no K: field; read as K:C"
NO_NUMBER = "no X: field; a tune begins with X: and its number"
NO_NOTES = "no notes after the K: field"
_NOTE_OR_REST = re.compile(r"[A-Ga-gzxZ]")
_BEFORE_MUSIC = frozenset("+ILMPQUVmw%")
"""Fields that may stand between a key and the first notes."""


@dataclass(frozen=True)
class Tune:
    """One tune of a text, and what its header says; a field that it lacks is None."""

    abc: str
    title: str | None
    key: str | None
    meter: str | None
    rhythm: str | None
    complete: bool
    problems: tuple[Fault, ...]


class TuneCounter:
    """Counts the tunes that a text has finished, a character at a time: a tune is finished by a blank line."""

    def __init__(self) -> None:
        self.finished = 0
        self._line: list[str] = []
        self._has_key = False
        self._has_notes = False

    def feed(self, character: str) -> bool:
        """Take the next character; True if it finished a tune."""
        if character != "\n":
            self._line.append(character)
            return False
        line = "".join(self._line)
        self._line.clear()
        return self.take_line(line)

    def take_line(self, line: str) -> bool:
        """Take all of the next line at once; True if it finished a tune."""
        line = line.strip()
        if line:
            self._take_text(line)
            return False
        is_tune = self._has_key and self._has_notes
        self._has_key = self._has_notes = False
        self.finished += is_tune
        return is_tune

    def _take_text(self, line: str) -> None:
        field = FIELD.match(line)
        if field and field[1] == "K":
            self._has_key = True
        elif self._has_key and not field and not line.startswith("%") and has_notes(line):
            self._has_notes = True


def is_music(line: str) -> bool:
    """Whether a line is music with a bar line, not a field, a comment or text, at first sight."""
    return "|" in line and not line.startswith("%") and FIELD.match(line) is None and has_notes(line)


def has_notes(line: str) -> bool:
    """Whether a line of music has a note or rest, at first sight."""
    return _NOTE_OR_REST.search(line) is not None


def split_tunes(text: str, faults: tuple[Fault, ...] = ()) -> tuple[Tune, ...]:
    """The tunes of a text, in order; the last may be unfinished.

    Tunes are parted by blank lines. A block is a tune if it has an `X:` or a `K:` field; other blocks are left out.

    Args:
        faults: what else is known to be wrong with the text, by its own lines; each goes to the tune that it lies in.
    """
    tunes = []
    placed = sorted((fault for fault in faults if fault.line), key=_line_of)
    for block, first_line, is_closed in split_blocks(text):
        if {"X", "K"} & header_fields(block).keys():
            last_line = first_line + len(block.splitlines()) - 1
            begin, end = (bisect_left(placed, line, key=_line_of) for line in (first_line, last_line + 1))
            own = tuple(replace(fault, line=_line_of(fault) - first_line + 1) for fault in placed[begin:end])
            tune = _describe(block, is_closed)
            tunes.append(replace(tune, problems=tune.problems + own))
    return tuple(tunes)


def _line_of(fault: Fault) -> int:
    return fault.line or 0


def split_blocks(text: str) -> list[tuple[str, int, bool]]:
    """Runs of lines without a blank one, or up to the `X:` of another tune.

    Each with its first line, 1-based, and whether anything follows that parts it from what comes next. Blank lines
    between a tune's header and its music part nothing.
    """
    blocks: list[tuple[str, int, bool]] = []
    lines: list[str] = []
    number, has_key = 0, False
    written = text.splitlines(keepends=True)
    within = blank_before_music(written)
    for number, line in enumerate(written, 1):
        begins_tune = has_key and begins_another_tune(line)
        is_blank = not line.strip() and number - 1 not in within
        if lines and (begins_tune or is_blank):
            blocks.append(("".join(lines), number - len(lines), begins_tune or line.endswith(("\n", "\r"))))
            lines, has_key = [], False
        if not is_blank:
            lines.append(line)
            has_key = has_key or line.startswith("K:")
    return [*blocks, ("".join(lines), number - len(lines) + 1, False)] if lines else blocks


def blank_before_music(lines: list[str]) -> frozenset[int]:
    """The blank lines, by index, between a header's `K:` and the tune's music."""
    found: list[int] = []
    waiting: list[int] | None = None
    for index, line in enumerate(lines):
        if line.startswith("K:"):
            waiting = []
        elif waiting is not None and not line.strip():
            waiting.append(index)
        elif (
            waiting is not None and line[:1] != "%" and not ((field := FIELD.match(line)) and field[1] in _BEFORE_MUSIC)
        ):
            found += waiting if is_music(line) else []
            waiting = None
    return frozenset(found)


def begins_another_tune(line: str) -> bool:
    """Whether a line in a tune's body is the first of another tune, as where no blank line stands between them."""
    return line.startswith("X:") and FIELD.match(line) is not None


def is_file_header(lines: list[str]) -> bool:
    """Whether lines, none of them blank, are fields, directives and comments that hold for all tunes after them."""
    fields = [match[1] for line in lines if (match := FIELD.match(line))]
    return not {"X", "K"} & set(fields) and len(fields) == sum(not line.startswith("%") for line in lines)


def in_text_after(line: str, *, was_in_text: bool) -> bool:
    """Whether what follows a line that begins with `%` is text for printed pages: `%%begintext` to `%%endtext`."""
    return line.startswith("%%begintext") or (was_in_text and not line.startswith("%%endtext"))


class Line(NamedTuple):
    """A line of a tune: which it is, from 0, where it begins in the text, and what it says."""

    number: int
    position: int
    text: str


def notation_lines(lines: Iterable[str]) -> Iterator[Line]:
    """The lines that are fields, music or blank: without comments, directives and text for printed pages."""
    position, in_text = 0, False
    for number, line in enumerate(lines):
        if line.lstrip().startswith("%"):
            in_text = in_text_after(line, was_in_text=in_text)
        elif not in_text:
            yield Line(number, position, line)
        position += len(line) + 1


def header_fields(block: str) -> dict[str, str]:
    """The fields up to and including `K:`, each with its first value."""
    fields, _ = split_header(block.splitlines())
    return {name: values[0] for name, values in fields.items()}


def split_header(lines: list[str]) -> tuple[dict[str, list[str]], list[str]]:
    """The fields of a tune up to and including `K:`, each with all its values, and the lines after them.

    Where there is no `K:` it ends before the first bar of music.
    """
    fields: dict[str, list[str]] = {}
    without_key: tuple[dict[str, list[str]], list[str]] | None = None
    for number, line in enumerate(lines, 1):
        if match := FIELD.match(line):
            fields.setdefault(match[1], []).append(without_comment(match[2]).strip())
            if match[1] == "K":
                return fields, lines[number:]
        elif without_key is None and is_music(line):
            without_key = {name: list(values) for name, values in fields.items()}, lines[number - 1 :]
    return without_key or (fields, [])


def body_begins(lines: list[str]) -> int:
    """The index of the first line of a tune after its header."""
    return len(lines) - len(split_header(lines)[1])


def _describe(block: str, is_closed: bool) -> Tune:
    header = header_fields(block)
    lines = block.splitlines()
    counter = TuneCounter()
    for line in filter(str.strip, lines):
        counter.take_line(line)
    has_music = counter.take_line("")
    problems = []
    if "X" not in header:
        problems.append(Fault(NO_NUMBER, line=1))
    if "K" not in header and (first := next((n for n, line in enumerate(lines, 1) if is_music(line)), None)):
        problems.append(Fault(NO_KEY, line=first))
    elif "K" not in header:
        problems.append(Fault("no K: field; the key ends the header", line=len(lines)))
    elif not has_music:
        problems.append(Fault(NO_NOTES, line=len(lines)))
    return Tune(
        abc=block,
        title=readable(header["T"]) if "T" in header else None,
        key=header.get("K"),
        meter=header.get("M"),
        rhythm=header.get("R"),
        complete=is_closed and has_music,
        problems=tuple(problems),
    )
