"""Lints ABC for `/check`: faults found by the input filter and the reader, and an automatic fix."""

import re
import unicodedata
from dataclasses import dataclass
from typing import Literal

from app.abc.duration import duration_s, played
from app.abc.tunebook import FIELD, header_fields, split_blocks
from app.errors import Fault, NotationError
from app.rendering.input_filter import admit, filter_lines
from app.rendering.line_rules import LEFT_OUT, apply_rules
from app.rendering.renderer import Renderer

Severity = Literal["error", "warning", "note"]
Source = Literal["filter", "reader"]

_MAX_REMARKS = 100  # on refused lines, and on dropped ones; the rest is more of the same
_ORDER = {"error": 0, "warning": 1, "note": 2}
_OLD_LINE_BREAK = re.compile(r"(?<![!])!(?=\s*$)")
_INSTRUCTION = re.compile(r"%%|I:|m:")
_REFUSED_INLINE = re.compile(r"\[(?:I:\s*(?:abc-)?include|m:)[^\]\n]{0,1000}\]", re.IGNORECASE)  # see `tokens`
_SMART = str.maketrans({"\u201c": '"', "\u201d": '"', "\u2018": "'", "\u2019": "'", "\u00a0": " ", "\u2013": "-"})


@dataclass(frozen=True)
class Remark:
    """One finding: its severity, which checker found it, and the fault."""

    severity: Severity
    source: Source
    fault: Fault


@dataclass(frozen=True)
class Checked:
    """The result of a check."""

    playable: bool
    remarks: tuple[Remark, ...]
    fixed: str | None
    title: str | None
    duration_s: float | None


async def check(text: str, renderer: Renderer, max_duration_s: float) -> Checked:
    """All findings on a text, and the text with its mechanical faults fixed.

    Raises:
        NotationError: the text is too large.
        BusyError: too many texts are waiting to be read.
    """
    read = await renderer.readings.run(lambda: _read(text, max_duration_s))
    is_refused = any(remark.severity == "error" for remark in read.remarks)
    remarks = sorted(read.remarks, key=lambda remark: (_ORDER[remark.severity], remark.fault.line or 0))
    return Checked(read.has_notes and not is_refused, _each_once(remarks), read.fixed, read.title, read.duration_s)


@dataclass(frozen=True)
class _Read:
    """The findings of the input filter and the reader."""

    has_notes: bool
    remarks: list[Remark]
    fixed: str | None
    title: str | None = None
    duration_s: float | None = None


def _read(text: str, max_duration_s: float) -> _Read:
    found = filter_lines(text)
    lines = found.lines
    remarks = [Remark("error", "filter", fault) for fault in found.refused[:_MAX_REMARKS]]
    remarks += [Remark("note", "filter", fault) for fault in found.dropped[:_MAX_REMARKS]]
    for fault in found.refused:
        lines[(fault.line or 1) - 1] = LEFT_OUT
    mended = fix(text)
    fixed = mended if mended != text else None
    try:
        tune = admit("\n".join(lines), max_duration_s=max_duration_s)
    except NotationError as error:
        faults = error.faults or (Fault(error.detail),)
        return _Read(False, [*remarks, *(Remark("error", "filter", fault) for fault in faults)], fixed)
    remarks += [Remark("warning", "reader", fault) for fault in tune.faults]
    has_notes = played(tune.score).sounding > 0
    if not has_notes:
        remarks.append(Remark("error", "reader", Fault("there is not a note in this tune")))
    return _Read(has_notes, remarks, fixed, tune.title, round(duration_s(tune.score), 1))


def _each_once(remarks: list[Remark]) -> tuple[Remark, ...]:
    """Without what is said of a place where something was said before."""
    kept: dict[object, Remark] = {}
    for remark in remarks:
        fault = remark.fault
        place = (fault.line, fault.column) if fault.line and fault.column else (fault.line, fault.message)
        kept.setdefault(place, remark)
    return tuple(kept.values())


def fix(text: str) -> str:
    """The text with mechanical faults fixed: control and typographic characters, refused lines, a missing X: or K:."""
    text = text.removeprefix("\ufeff").replace("\r\n", "\n").replace("\r", "\n")
    text = "".join(c for c in text if c in "\n\t" or unicodedata.category(c) not in ("Cc", "Cs", "Zl", "Zp"))
    blocks = [block for block, _, _ in split_blocks(text)]
    tunes = [block for block in blocks if {"X", "K"} & header_fields(block).keys()] or blocks[:1]
    return text if not tunes else text.replace(tunes[0], _fix_tune(tunes[0]), 1)


def _fix_tune(tune: str) -> str:
    lines = [_fix_line(line) for line in tune.rstrip("\n").split("\n") if line.strip()]
    refused = {fault.line for fault in apply_rules(["X:1", *lines]).refused}
    lines = [line for number, line in enumerate(lines, 2) if number not in refused or not _INSTRUCTION.match(line)]
    names = [match[1] if (match := FIELD.match(line)) else "" for line in lines]
    if "K" not in names:
        first_music = next((i for i, name in enumerate(names) if not name and not lines[i].startswith("%")), len(lines))
        lines.insert(first_music, "K:C")
        names.insert(first_music, "K")
    if "X" not in names:
        lines.insert(0, "X:1")
    elif any(names[: names.index("X")]):
        lines.insert(0, lines.pop(names.index("X")))
    return "\n".join(lines) + "\n"


def _fix_line(line: str) -> str:
    match = FIELD.match(line)
    if match and match[1] not in "KMLQVP":
        return line
    line = _OLD_LINE_BREAK.sub("", line.translate(_SMART))
    return line if match else _REFUSED_INLINE.sub("", line)
