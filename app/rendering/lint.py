"""Looks a text through: the gate's, the reader's and abc2midi's complaints, and a mended text."""

import re
import unicodedata
from dataclasses import dataclass
from typing import Literal

from app.abc.playback_defaults import duration_s
from app.abc.reader import Reader
from app.abc.tunebook import FIELD, header_fields, split_blocks
from app.errors import DeadlineError, Fault, NotationError, RenderError
from app.rendering import external_tools
from app.rendering.input_filter import admit, sift
from app.rendering.renderer import Renderer

Severity = Literal["error", "warning", "note"]
Source = Literal["gate", "reader", "abc2midi"]

_ORDER = {"error": 0, "warning": 1, "note": 2}
_OLD_LINE_BREAK = re.compile(r"(?<![!])!(?=\s*$)")
_SMART = str.maketrans({"\u201c": '"', "\u201d": '"', "\u2018": "'", "\u2019": "'", "\u00a0": " ", "\u2013": "-"})


@dataclass(frozen=True)
class Remark:
    """One thing to say of a text, who says it, and how bad it is."""

    severity: Severity
    source: Source
    fault: Fault


@dataclass(frozen=True)
class Checked:
    """What there is to say of a text."""

    playable: bool
    remarks: tuple[Remark, ...]
    fixed: str | None
    title: str | None
    duration_s: float | None


async def check(text: str, renderer: Renderer, max_duration_s: float) -> Checked:
    """Everything that is wrong with a text, and a better text where one can be had without knowing the music.

    Raises:
        NotationError: it is too large to look at.
    """
    lines, refused, dropped = sift(text)
    remarks = [Remark("error", "gate", fault) for fault in refused]
    remarks += [Remark("note", "gate", fault) for fault in dropped]
    cleaned = "\n".join("%" if index in {f.line for f in refused} else line for index, line in enumerate(lines, 1))
    title, lasts_s, playable = None, None, not refused
    try:
        tune = admit(cleaned, max_duration_s=max_duration_s)
    except NotationError as error:
        playable = False
        remarks += [Remark("error", "gate", fault) for fault in error.faults or (Fault(error.detail),)]
    else:
        title, lasts_s = tune.title, round(duration_s(tune.score), 1)
        remarks += [Remark("warning", "reader", fault) for fault in Reader(tune.abc).faults]
        heard = await _abc2midi(tune.abc, renderer)
        playable = playable and not any(remark.severity == "error" and remark.fault.line is None for remark in heard)
        remarks += heard
    remarks.sort(key=lambda remark: (_ORDER[remark.severity], remark.fault.line or 0))
    mended = fix(text)
    return Checked(playable, tuple(remarks), mended if mended != text else None, title, lasts_s)


async def _abc2midi(abc: str, renderer: Renderer) -> list[Remark]:
    with renderer.private_folder() as folder:
        try:
            _, faults = await external_tools.to_midi(abc, folder, renderer.confinement, chords=True)
        except (RenderError, DeadlineError) as error:
            return [Remark("error", "abc2midi", fault) for fault in (Fault(error.detail), *error.faults)]
    return [Remark("error" if fault.message.startswith("error") else "warning", "abc2midi", fault) for fault in faults]


def fix(text: str) -> str:
    """The text with its mechanical faults mended: signs that no ABC has, refused lines, a lack of X: or K:."""
    text = text.removeprefix("\ufeff").replace("\r\n", "\n").replace("\r", "\n")
    text = "".join(c for c in text if c in "\n\t" or unicodedata.category(c) not in ("Cc", "Cs", "Zl", "Zp"))
    blocks = [block for block, _, _ in split_blocks(text)]
    tunes = [block for block in blocks if {"X", "K"} & header_fields(block).keys()] or blocks[:1]
    return text if not tunes else text.replace(tunes[0], _fix_tune(tunes[0]), 1)


def _fix_tune(tune: str) -> str:
    lines = [_fix_line(line) for line in tune.rstrip("\n").split("\n")]
    lines = [line for line in lines if not re.match(r"%%(?!\s*$)|I:|[mU]:", line) or _is_kept(line)]
    names = [match[1] if (match := FIELD.match(line)) else "" for line in lines]
    if "K" not in names:
        first_music = next((i for i, name in enumerate(names) if not name and not lines[i].startswith("%")), len(lines))
        lines.insert(first_music, "K:C")
        names.insert(first_music, "K")
    if "X" not in names:
        lines.insert(0, "X:1")
    elif names.index("X") > 0:
        lines.insert(0, lines.pop(names.index("X")))
    return "\n".join(lines) + "\n"


def _fix_line(line: str) -> str:
    match = FIELD.match(line)
    if match and match[1] not in "KMLQVP":
        return line
    line = _OLD_LINE_BREAK.sub("", line.translate(_SMART))
    return line if match else re.sub(r"\[I:[^\]\n]*\]|\[[mU]:[^\]\n]*\]", "", line)


def _is_kept(line: str) -> bool:
    _, refused, _ = sift(line)
    return not refused
