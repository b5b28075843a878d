"""ABC as text: where tunes begin and end, what their headers say, and what may be handed to a renderer.

Field and file structure: the ABC standard 2.1, sections 2 and 3.
"""

import re
import unicodedata
from dataclasses import dataclass, replace

from app.errors import Fault, NotationError

MAX_BYTES = 32 * 1024
MAX_LINE_CHARACTERS = 1000

_FIELD = re.compile(r"([A-Za-z+]):(.*)")
_NOTE = re.compile(r"[A-Ga-gzxZ]")


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
        line = "".join(self._line).strip()
        self._line.clear()
        if line:
            self._take_line(line)
            return False
        is_tune = self._has_key and self._has_notes
        self._has_key = self._has_notes = False
        self.finished += is_tune
        return is_tune

    def _take_line(self, line: str) -> None:
        field = _FIELD.match(line)
        if field and field[1] == "K":
            self._has_key = True
        elif self._has_key and not field and not line.startswith("%") and _NOTE.search(line):
            self._has_notes = True


def split_tunes(text: str, faults: tuple[Fault, ...] = ()) -> tuple[Tune, ...]:
    """The tunes of a text, in order; the last may be unfinished.

    Tunes are parted by blank lines. A block is a tune if it has an `X:` or a `K:` field; other blocks are left out.

    Args:
        faults: what else is known to be wrong with the text, by its own lines; each goes to the tune that it lies in.
    """
    tunes = []
    for block, first_line, is_closed in _blocks(text):
        if {"X", "K"} & _header(block).keys():
            lines = range(first_line, first_line + len(block.splitlines()))
            own = tuple(
                replace(fault, line=fault.line - first_line + 1)
                for fault in faults
                if fault.line and fault.line in lines
            )
            tune = _describe(block, is_closed)
            tunes.append(replace(tune, problems=tune.problems + own))
    return tuple(tunes)


def _blocks(text: str) -> list[tuple[str, int, bool]]:
    """Runs of lines without a blank one; each with its first line, 1-based, and whether a blank line follows."""
    blocks: list[tuple[str, int, bool]] = []
    lines: list[str] = []
    number = 0
    for number, line in enumerate(text.splitlines(keepends=True), 1):
        if line.strip():
            lines.append(line)
        elif lines:
            blocks.append(("".join(lines), number - len(lines), line.endswith(("\n", "\r"))))
            lines = []
    return [*blocks, ("".join(lines), number - len(lines) + 1, False)] if lines else blocks


def _header(block: str) -> dict[str, str]:
    """The fields up to and including `K:`, each with its first value."""
    fields: dict[str, str] = {}
    for line in block.splitlines():
        match = _FIELD.match(line)
        if match:
            fields.setdefault(match[1], match[2].split("%")[0].strip())
            if match[1] == "K":
                break
    return fields


def _describe(block: str, is_closed: bool) -> Tune:
    header = _header(block)
    counter = TuneCounter()
    for character in block.rstrip("\n") + "\n":
        counter.feed(character)
    has_music = counter.feed("\n")
    lines = block.splitlines()
    problems = []
    if "X" not in header:
        problems.append(Fault("no X: field; a tune begins with X: and its number", line=1))
    if "K" not in header:
        problems.append(Fault("no K: field; the key ends the header", line=len(lines)))
    elif not has_music:
        problems.append(Fault("no notes after the K: field", line=len(lines)))
    return Tune(
        abc=block,
        title=header.get("T"),
        key=header.get("K"),
        meter=header.get("M"),
        rhythm=header.get("R"),
        complete=is_closed and has_music,
        problems=tuple(problems),
    )


@dataclass(frozen=True)
class Rule:
    """A line that no tune needs and that a renderer must not be given."""

    pattern: re.Pattern[str]
    message: str


REFUSED_LINES = (
    Rule(re.compile(r"%%(?!$)"), "a %% directive; it would instruct the renderer, not the player: leave it out"),
    Rule(re.compile(r"I:"), "an I: instruction; it would instruct the renderer, not the player: leave it out"),
    Rule(re.compile(r"(?:m|U):"), "a macro or symbol definition; write the notes out"),
    Rule(re.compile(r".*\[I:"), "an inline I: instruction; leave it out"),
    Rule(re.compile(r".*\d{4}"), "a number of four digits or more among the notes; use three at the most"),
    Rule(re.compile(r".*[,']{6}"), "more than five octave marks on one note"),
)
"""The gate, in the order in which the rules are tried on a line; texts such as T: are exempt from the last two."""

_FREE_TEXT_FIELDS = frozenset("ABCDFGHNORSTWXZrw")
_NUMBER_RULES = REFUSED_LINES[-2:]


def gate(text: str) -> str:
    """One tune that may be handed to a renderer, with Unix line ends and a final newline.

    Args:
        text: ABC as it came from a stranger, without a byte-order mark.

    Raises:
        NotationError: it is too long, holds control characters or renderer instructions, is no tune or more than one;
            each fault with its line and column, 1-based.
    """
    text = text.replace("\r\n", "\n").replace("\r", "\n")
    if len(text.encode()) > MAX_BYTES:
        raise NotationError(f"the tune has {len(text.encode())} bytes; {MAX_BYTES} are allowed")
    faults = [fault for number, line in enumerate(text.split("\n"), 1) for fault in _line_faults(number, line)]
    if faults:
        raise NotationError(_summary(faults), faults=tuple(faults[:20]))
    blocks = [block for block, _, _ in _blocks(text)]
    tunes = [block for block in blocks if {"X", "K"} & _header(block).keys()]
    if len(tunes) != 1:
        raise NotationError(
            "there is no tune in the text: no X: and no K: field"
            if not tunes
            else f"there are {len(tunes)} tunes in the text; send one at a time"
        )
    problems = split_tunes(text)[0].problems
    if problems:
        raise NotationError(_summary(list(problems)), faults=problems)
    lines_before = text[: text.index(tunes[0])].count("\n")
    return "\n" * lines_before + tunes[0].rstrip("\n") + "\n"  # the renderer's line numbers stay the sender's


def _line_faults(number: int, line: str) -> list[Fault]:
    if len(line) > MAX_LINE_CHARACTERS:
        return [Fault(f"{len(line)} characters; {MAX_LINE_CHARACTERS} are allowed in a line", line=number, column=1)]
    for column, character in enumerate(line, 1):
        if unicodedata.category(character) in ("Cc", "Cs") and character != "\t":
            return [Fault(f"the control character {character!a}", line=number, column=column)]
    is_free_text = line[1:2] == ":" and line[:1] in _FREE_TEXT_FIELDS
    for rule in REFUSED_LINES:
        match = None if is_free_text and rule in _NUMBER_RULES else rule.pattern.match(line)
        if match:
            return [Fault(rule.message, line=number, column=max(1, match.end()))]
    return []


def _summary(faults: list[Fault]) -> str:
    first = faults[0]
    where = f"line {first.line}" + (f", column {first.column}" if first.column else "")
    return f"{where}: {first.message}" + (f" (and {len(faults) - 1} more)" if len(faults) > 1 else "")
