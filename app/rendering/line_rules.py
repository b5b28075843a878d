"""The input filter's rules for single lines of untrusted ABC: what is kept, what is left out, what is refused.

ABC 2.1 (section 11.0) lets programs ignore instructions that they do not know, so those are left out and named. Refused
is only what cannot be left out without changing the music, and what is dangerous to programs that read ABC, though none
here is given a stranger's text (see `app.rendering.abc2midi_text`). Measured on abc2midi 4.84, abcm2ps 8.14 and
timidity 2.14, with reproducers in tests/app/rendering/hostile.
"""

import re
import unicodedata
from bisect import bisect_left
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum

from app.abc.fields import SYMBOL
from app.abc.macros import parse_macro
from app.abc.midi_directives import PLAYED
from app.abc.symbol_lines import is_plain as is_plain_line
from app.abc.texts import COMMENT
from app.abc.tokens import tokens
from app.abc.tunebook import FIELD, is_file_header, is_music
from app.errors import Fault


class Verdict(StrEnum):
    KEPT = "kept"
    DROPPED = "left out"
    REFUSED = "refused"


@dataclass(frozen=True)
class Rule:
    """What to do with what matches, the message for the user, and the reason for the rule."""

    pattern: re.Pattern[str]
    verdict: Verdict
    message: str
    why: str


MAX_LINE = 1000
"""Characters; abc2midi overruns fixed buffers on long words."""

LEFT_OUT = "%"
"""What stands in place of a line that is left out: lines keep their numbers."""

HIDDEN = re.compile(r"\[r:-*\]")
"""What stands in place of an instruction within a line, as long as that was: a remark."""

DIRECTIVES = (
    Rule(
        PLAYED,
        Verdict.KEPT,
        "",
        "fixed words and numbers in their ranges: nothing that these can reach is unsafe",
    ),
    Rule(
        re.compile(r"(?:abc-)?include\b", re.IGNORECASE),
        Verdict.REFUSED,
        "a directive that includes a file; no other file is read here: put what it holds in its place",
        "abc2midi reads any file, and prints its lines as warnings",
    ),
    Rule(
        re.compile(r"propagate-accidentals\s+(?:not|octave|pitch)(?![^\s%])"),
        Verdict.KEPT,
        "",
        "one of three words, which the reader follows",
    ),
    Rule(
        re.compile(r"propagate-accidentals\b", re.IGNORECASE),
        Verdict.REFUSED,
        "accidentals that hold in a way that is not known; not, octave and pitch are",
        "left out, other notes would sound",
    ),
    Rule(
        re.compile(r""),
        Verdict.DROPPED,
        "an instruction that is not followed here",
        "ABC 2.1, 11.0: what a program does not know it ignores; droneon, MIDIx and others crash abc2midi",
    ),
)
"""Rules for what stands after `%%` or `I:`; the first that matches decides."""

FIELD_RULES = (
    Rule(
        re.compile("U:" + SYMBOL.pattern),
        Verdict.KEPT,
        "",
        "a letter for a decoration by its name: that is all it can stand for",
    ),
    Rule(
        re.compile(r"U:"),
        Verdict.DROPPED,
        "a symbol for other things than a decoration, which is not followed here",
        "it says how notes are played, not which",
    ),
    Rule(
        re.compile(r"s:"),
        Verdict.DROPPED,
        "symbols in a line below their notes, which are not followed here",
        "they say how notes are played, not which",
    ),
    Rule(
        re.compile(r"m:\s*[~H-Wh-w]+[\^_]*[A-Ga-gn][^=]*="),
        Verdict.DROPPED,
        "the notes of an ornament, which are not followed here",
        "macros grow a short text without bound inside abc2midi; without it a decorated note stays that note",
    ),
    Rule(
        re.compile(r"m:"),
        Verdict.REFUSED,
        "a macro that stands for notes; write them out",
        "macros grow a short text without bound inside abc2midi; left out, its notes would be lost",
    ),
)
"""Rules for fields that define symbols and macros, or set symbols to notes."""

MUSIC = (
    Rule(
        re.compile(r".*\d{4}"),
        Verdict.REFUSED,
        "a number of four digits or more among the notes; use three at the most",
        "F2147483648 aborts abc2midi, C99999999 takes 1.2 GB, C99999 is a day of sound",
    ),
    Rule(
        re.compile(r".*[,']{6}"),
        Verdict.REFUSED,
        "more than five octave marks on one note",
        "thousands of octave marks crash abc2midi; MIDI has eleven octaves",
    ),
)
"""Rules for music, and for fields that say how it goes; texts are exempt."""

_TEXT_FIELDS = frozenset("ABCDFGHNORSTWXZrw")
_MUSIC_FIELDS = frozenset("KLMPQV")
BLOCK_BEGIN = re.compile(r"%%\s*begin([a-z]+)", re.IGNORECASE)
_BLOCK_END = re.compile(r"%%\s*end([a-z]+)", re.IGNORECASE)
INLINE_INSTRUCTION = re.compile(r"\[([ImU]):([^\]]*)\]?")
_NAME = re.compile(r"(?<!\w)(?:name|nm|subname|snm|sname)=(?:\"[^\"]*\"|\S+)|\"[^\"]*\"")
_LINE_BREAK_SIGN = re.compile(r"linebreak\b[^%]*!|continueall\s+(?:1|true|yes)\b", re.IGNORECASE)
_FORBIDDEN = ("Cc", "Cs", "Zl", "Zp")
_DOS_END = "\x1a"
_MAX_NAME = 40


@dataclass(frozen=True)
class Filtered:
    """A text's lines as a renderer may read them; a fault for each that is refused, and for each thing left out."""

    lines: list[str]
    refused: list[Fault]
    dropped: list[Fault]


def apply_rules(lines: list[str]) -> Filtered:
    """What the rules say of the lines of a text."""
    return _LineFilter(lines).filtered


class _LineFilter:
    """Goes through the lines of one text."""

    def __init__(self, lines: list[str]) -> None:
        self.filtered = Filtered([], [], [])
        kinds = [kind for count, kind in _blocks(lines) for _ in range(count)]
        self._in_tune = [kind is not _Block.TEXT for kind in kinds]
        self._in_one_tune = [kind in (_Block.TUNE, _Block.TUNE_WITHOUT_KEY) for kind in kinds]
        self._lacks_key = [kind is _Block.TUNE_WITHOUT_KEY for kind in kinds]
        self._block_ends: dict[str, list[int]] = {}
        for index, line in enumerate(lines):
            if end := _BLOCK_END.match(line):
                self._block_ends.setdefault(end[1].lower(), []).append(index)
        self._in_header = True
        self._has_tune = self._is_behind_tune = False
        self._file_breaks_at_exclamation = self._breaks_at_exclamation = False
        number = 0
        while number < len(lines):
            number += self._take_block(lines, number) or self._take(number, lines[number])

    def _take_block(self, lines: list[str], index: int) -> int:
        """Leave out a block of another program's text, such as `%%begintext` to `%%endtext`; how many lines it has."""
        begun = BLOCK_BEGIN.match(lines[index])
        if not begun:
            return 0
        ends = self._block_ends.get(begun[1].lower(), [])
        found = bisect_left(ends, index)
        if found == len(ends):
            self._refuse(index, 0, f"%%begin{begun[1]} without its %%end{begun[1]}: text cannot be told from music")
            self.filtered.lines.append(LEFT_OUT)
            return 1
        self._drop(index, 0, "text for printed pages", f"%%begin{begun[1]}")
        count = ends[found] + 1 - index
        self.filtered.lines.extend([LEFT_OUT] * count)
        return count

    def _take(self, index: int, line: str) -> int:
        if not line.strip():
            self._in_header, self._breaks_at_exclamation = True, self._file_breaks_at_exclamation
            self._is_behind_tune = self._has_tune
        self.filtered.lines.append(self._kept(index, line))
        return 1

    def _kept(self, index: int, line: str) -> str:
        """What of a line a renderer may read."""
        if line.startswith("%%"):
            return self._directive(index, line)
        if line.startswith("%"):
            return self._text(index, line, "comment") if len(line) <= MAX_LINE else LEFT_OUT
        field = FIELD.match(line)
        letter = field[1] if field else ""
        if letter in ("K", "X"):
            self._in_header = letter == "X"
            self._has_tune, self._is_behind_tune = True, False
        elif self._lacks_key[index] and is_music(line):
            self._in_header = False
        if letter == "I":
            return self._directive(index, line)
        if self._in_tune[index] and self._is_written_out(letter, line):
            return line
        if letter in ("U", "m", "s") and self._in_tune[index]:
            return self._ruled(index, line, 0, FIELD_RULES, letter + ":") or LEFT_OUT
        if letter in _TEXT_FIELDS:
            return self._text_field(index, line)
        if not self._in_tune[index]:
            self._name_lost_music(index, line)
            return self._text(index, line, "text")
        if letter in _MUSIC_FIELDS:
            return self._judged(index, self._without_comment(line), _NAME.sub(_blank, line))
        if letter or self._in_header:  # unknown to ABC 2.1, or a text of several lines
            return self._if_harmless(index, line, f"{letter}:" if letter else "text")
        return self._music(index, self._without_comment(line))

    def _name_lost_music(self, index: int, line: str) -> None:
        """Name music to which a blank line before it has put an end, once for all lines up to the next."""
        if not self._is_behind_tune or len(line) > MAX_LINE:
            return
        if is_music(line) and all(token.lastgroup != "other" for token in tokens(line)):
            self._drop(index, 0, "a blank line ends a tune", "music after a blank line")
            self._is_behind_tune = False

    def _is_written_out(self, letter: str, line: str) -> bool:
        """Whether a line is a macro or a line of symbols that the reader follows."""
        if len(line) > MAX_LINE or next(_control_characters(line), None) is not None:
            return False
        if letter == "s":
            return not self._in_header and is_plain_line(line[2:])
        return letter == "m" and parse_macro(line[2:]) is not None and _fault_in(line) is None

    def _directive(self, index: int, line: str) -> str:
        words = line[2:].strip()
        name = line[:2] + " ".join(words.split()[: 2 if words.startswith("MIDI ") else 1])
        if not words:
            return line
        self._breaks_at_exclamation |= _LINE_BREAK_SIGN.match(words) is not None
        self._file_breaks_at_exclamation |= self._breaks_at_exclamation and not self._in_one_tune[index]
        kept = self._ruled(index, words, 0, DIRECTIVES, name)
        return f"%%{kept}" if kept else LEFT_OUT

    def _ruled(self, index: int, text: str, column: int, rules: tuple[Rule, ...], name: str) -> str:
        """What the first rule that matches keeps of a text; empty where that is nothing."""
        for rule in rules:
            match = rule.pattern.match(text)
            if match and rule.verdict is Verdict.KEPT:
                return match[0]
            if match and rule.verdict is Verdict.REFUSED:
                self._refuse(index, column, rule.message)
                return ""
            if match:
                self._drop(index, column, rule.message, name)
                return ""
        return text

    def _text_field(self, index: int, line: str) -> str:
        if len(line) > MAX_LINE:
            self._drop(index, 0, f"a text of more than {MAX_LINE:,} characters", line[:2])
            return LEFT_OUT
        return self._text(index, line, line[:2])

    def _text(self, index: int, line: str, name: str) -> str:
        """A text with spaces in place of control characters."""
        found = next(_control_characters(line), None)
        if found is None:
            return line
        line = line.removesuffix(_DOS_END)
        column = next(_control_characters(line), None)
        if column is not None:
            self._drop(index, column, "a control character", f"{line[column]!a} in {name}")
        return "".join(" " if _is_forbidden(character) else character for character in line)

    def _if_harmless(self, index: int, line: str, name: str) -> str:
        """A line that says nothing of the music: left out where it would be refused if it did."""
        line = self._text(index, line, name)
        if len(line) <= MAX_LINE and not INLINE_INSTRUCTION.search(line) and _fault_in(line) is None:
            return line
        self._drop(index, 0, "a line that says nothing of the music", name)
        return LEFT_OUT

    def _without_comment(self, line: str) -> str:
        """A line without a comment that could do harm where a program took it for music."""
        comment = COMMENT.search(line)
        if comment is None:
            return line
        is_harmless = (
            len(line) <= MAX_LINE and _fault_in(line) is None and next(_control_characters(line), None) is None
        )
        return line if is_harmless else line[: comment.start()].rstrip()

    def _music(self, index: int, line: str) -> str:
        line = line.removesuffix(_DOS_END)
        line = INLINE_INSTRUCTION.sub(lambda match: self._instruction(index, match), line)
        if self._breaks_at_exclamation:
            line = line.replace("!", "$")  # with `I:linebreak !` it begins no decoration
        return self._judged(index, line, _notes_alone(line) if len(line) <= MAX_LINE else line)

    def _instruction(self, index: int, match: re.Match[str]) -> str:
        """What stands in place of an instruction within a line."""
        rules, text = (DIRECTIVES[1:], match[2].strip()) if match[1] == "I" else (FIELD_RULES, match[0][1:-1])
        kept = self._ruled(index, text, match.start(), rules, f"[{match[1]}:")
        return match[0] if kept else "[r:" + "-" * len(match[2]) + "]"

    def _judged(self, index: int, line: str, without_texts: str) -> str:
        """A line that is refused where something in it could do harm, its texts aside."""
        column = next(_control_characters(line), None)
        if len(line) > MAX_LINE:
            self._refuse(index, 0, f"{len(line):,} characters in one line; {MAX_LINE:,} are allowed")
        elif column is not None:
            self._refuse(index, column, f"the control character {line[column]!a}")
        elif fault := _fault_in(COMMENT.split(without_texts)[0]):
            self._refuse(index, fault[0], fault[1].message)
        return line

    def _refuse(self, index: int, column: int, message: str) -> None:
        self.filtered.refused.append(Fault(message, line=index + 1, column=column + 1))

    def _drop(self, index: int, column: int, message: str, name: str) -> None:
        shown = "".join(character for character in name if character.isprintable())[:_MAX_NAME]
        self.filtered.dropped.append(Fault(f"{message}: {shown}", line=index + 1, column=column + 1))


class _Block(StrEnum):
    """What lines without a blank one between them are."""

    TUNE = "tune"
    TUNE_WITHOUT_KEY = "tune without K:"
    FILE_HEADER = "file header"
    TEXT = "text"


def _blocks(lines: list[str]) -> Iterator[tuple[int, _Block]]:
    """Runs of lines up to a blank one: how many, and what they are."""
    begin = 0
    for end, line in enumerate([*lines, ""], 1):
        if not line.strip():
            block = lines[begin : end - 1]
            yield end - begin, _kind_of(block)
            begin = end


def _kind_of(block: list[str]) -> _Block:
    if any(line.startswith("K:") for line in block):
        return _Block.TUNE
    if any(line.startswith("X:") for line in block):
        return _Block.TUNE_WITHOUT_KEY
    return _Block.FILE_HEADER if is_file_header(block) else _Block.TEXT


def _is_forbidden(character: str) -> bool:
    return character != "\t" and unicodedata.category(character) in _FORBIDDEN


def _control_characters(line: str) -> Iterator[int]:
    return (column for column, character in enumerate(line) if _is_forbidden(character))


def _fault_in(music: str) -> tuple[int, Rule] | None:
    """The first rule for music that refuses a line, and the column."""
    for rule in MUSIC:
        if match := rule.pattern.match(music):
            return max(0, match.end() - 1), rule
    return None


def _notes_alone(line: str) -> str:
    """A line of music with blanks in place of its texts: quoted ones, names of voices, remarks."""
    pieces, end = [], 0
    for token in tokens(line):
        kind, begin = token.lastgroup, token.start()
        is_quoted = kind == "quoted" and not line.count('"', 0, begin) % 2
        if is_quoted or (kind == "field" and token[0][1] in _TEXT_FIELDS):
            pieces += [line[end:begin], " " * len(token[0])]
            end = token.end()
        elif kind == "field":
            pieces += [line[end:begin], _NAME.sub(_blank, token[0])]
            end = token.end()
    return "".join(pieces) + line[end:]


def _blank(match: re.Match[str]) -> str:
    return " " * len(match[0])
