"""The input filter: which lines of untrusted ABC a renderer may read, as a table of rules, and how large a tune may be.

Measured on abc2midi 4.84, abcm2ps 8.14 and timidity 2.14, with reproducers in tests/app/rendering/hostile. The sandbox
is what protects the machine if a rule is wrong; the filter is a first line of defence, and its messages say what is
wrong.
"""

import re
import unicodedata
from dataclasses import dataclass, replace
from enum import StrEnum
from math import ceil

from app.abc.playback_defaults import duration_s, played
from app.abc.reader import Reader, Size
from app.abc.score import MAX_BARS, Score
from app.abc.tunebook import header_fields, split_blocks, split_tunes
from app.errors import Fault, NotationError


@dataclass(frozen=True)
class Bound:
    """A limit on the size of a tune, and the reason for it."""

    max_allowed: int
    of: str
    why: str

    def excess(self, found: int, where: str) -> str | None:
        return f"{found:,} {self.of}{where}; {self.max_allowed:,} are allowed" if found > self.max_allowed else None


BYTES = Bound(32 * 1024, "bytes", "abc2midi cuts its output at 500,023 bytes, which 200 KB of tune reach")
LINES = Bound(1000, "lines", "a tune of the lab's corpus has 30; time to read grows with lines")
LINE = Bound(1000, "characters", "abc2midi overruns fixed buffers on long words")
VOICES = Bound(8, "voices, overlays among them", "each is a MIDI track and channel; there are 15 for notes")
TUNES = Bound(1, "tunes in the text", "abc2midi -o makes the first alone")
SET = Bound(5, "tunes in the set", "each is a run of abc2midi")
CHORD = Bound(12, "notes in one chord", "6,000 notes in a chord cost minutes of synthesis")
BARS = Bound(MAX_BARS, "bars", "`Z999|` says 999 of them in five bytes; each is numbered, drawn and compared")
NOTES = Bound(10_000, "notes and rests", "what 32 KiB of dense music hold; a note drawn is a kilobyte of memory")
WHOLE_NOTES = Bound(5_000, "whole notes of music", "`L:999` and `C999` are 142,571 tied notes on paper, at any tempo")
DIVISIONS = Bound(10**9, "parts of a whole note to count in", "1/997 and 1/991 side by side need a million of them")
DRAWN_NOTES = Bound(20_000, "notes on paper", "`C341/64` is five that are tied, and each a kilobyte in the making")
PLAYED_BARS = Bound(20_000, "bars as played", "repeats and P: play ten thousand times what is written once")
PLAYED_NOTES = Bound(20_000, "notes as played", "each is two events of MIDI, a kilobyte of memory and some synthesis")


class Verdict(StrEnum):
    KEPT = "kept"
    DROPPED = "left out"
    REFUSED = "refused"


@dataclass(frozen=True)
class Row:
    """A rule: what to do with a line that matches, the message for the user, and the reason for the rule."""

    pattern: re.Pattern[str]
    verdict: Verdict
    message: str
    why: str


_PROGRAM = r"(?:12[0-7]|1[01]\d|\d?\d)"
_LAYOUT = (
    "scale|staffwidth|pagewidth|pageheight|leftmargin|rightmargin|topmargin|botmargin|indent|staffsep|sysstaffsep"
    "|musicspace|titlespace|subtitlespace|composerspace|partsspace|wordsspace|textspace|vocalspace|topspace|landscape"
    "|continueall|barsperstaff|barnumbers|measurenb|measurefirst|stretchlast|stretchstaff|maxshrink|lineskipfac"
    "|parskipfac|titlefont|subtitlefont|composerfont|partsfont|tempofont|gchordfont|annotationfont|vocalfont|textfont"
    "|wordsfont|infofont|footerfont|headerfont|measurefont|repeatfont|voicefont|historyfont|titleleft|titlecaps"
    "|titleformat|writefields|writehistory|infoline|infoname|printtempo|printparts|graceslurs|flatbeams|straightflags"
    "|squarebreve|vskip|newpage|sep|center|text|begintext|endtext|score|staves|header|footer|combinevoices|aligncomposer"
)

DIRECTIVES = (
    Row(
        re.compile(
            rf"%%MIDI\s+(?:program\s+(?:(?:1[0-6]|[1-9])\s+)?{_PROGRAM}|chordprog\s+{_PROGRAM}"
            rf"|bassprog\s+{_PROGRAM}|gchord(?:on|off)|nobarlines)\s*$"
        ),
        Verdict.KEPT,
        "",
        "fixed words and numbers in their ranges: nothing that these can reach is unsafe",
    ),
    Row(
        re.compile(rf"%%(?:{_LAYOUT})(?![A-Za-z-])", re.IGNORECASE),
        Verdict.DROPPED,
        "a directive for another program's pages",
        "common in the wild and of no meaning here; dropped by its first word, so its arguments reach no parser",
    ),
    Row(
        re.compile(r"%%(?!\s*$)"),
        Verdict.REFUSED,
        "a %% directive; it would instruct the renderer, not the player: leave it out",
        "abc-include reads any file; droneon, propagate-accidentals, MIDIx and others crash abc2midi",
    ),
    Row(
        re.compile(r"I:"),
        Verdict.REFUSED,
        "an I: instruction; it would instruct the renderer, not the player: leave it out",
        "the same as %%: I:abc-include reads any file",
    ),
    Row(
        re.compile(r".*\[I:"),
        Verdict.REFUSED,
        "an inline I: instruction; leave it out",
        "the same, in the middle of a line",
    ),
    Row(
        re.compile(r"[mU]:|.*\[[mU]:"),
        Verdict.REFUSED,
        "a macro or symbol definition; write the notes out",
        "macros grow a short text without bound inside abc2midi",
    ),
)
"""Rules for lines that instruct a renderer; the first that matches decides."""

MUSIC = (
    Row(
        re.compile(r".*\d{4}"),
        Verdict.REFUSED,
        "a number of four digits or more among the notes; use three at the most",
        "F2147483648 aborts abc2midi, C99999999 takes 1.2 GB, C99999 is a day of sound",
    ),
    Row(
        re.compile(r".*[,']{6}"),
        Verdict.REFUSED,
        "more than five octave marks on one note",
        "thousands of octave marks crash abc2midi; MIDI has eleven octaves",
    ),
)
"""Rules for music lines; fields of free text, such as T:, are exempt."""

_FREE_TEXT_FIELDS = frozenset("ABCDFGHNORSTWXZrw")
_MAX_FAULTS = 20


@dataclass(frozen=True)
class Admitted:
    """A tune that may be rendered: its text, its score, and the lines that were left out."""

    abc: str
    score: Score
    dropped: tuple[Fault, ...]
    title: str | None
    faults: tuple[Fault, ...]
    """what the reader skipped"""


def decode(body: bytes) -> str:
    """A request body as text, without a byte-order mark.

    Raises:
        NotationError: it is not UTF-8.
    """
    try:
        return body.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = body[: error.start].count(b"\n") + 1
        fault = Fault(f"the byte 0x{body[error.start]:02x} is not UTF-8", position=error.start, line=line)
        raise NotationError(f"line {line}: {fault.message}; send the tune as UTF-8", faults=(fault,)) from None


def admit(text: str, *, max_duration_s: float, tempo: float | None = None) -> Admitted:
    """Check and clean untrusted ABC: one tune that may be rendered, with Unix line ends and a final newline.

    Args:
        text: untrusted ABC.
        max_duration_s: the longest performance that is allowed, repeats and parts played.
        tempo: quarter notes a minute, instead of the tune's own.

    Raises:
        NotationError: a rule or a limit refuses it; each fault with its line and column, 1-based.
    """
    text, dropped = clean(text)
    return _admit(_only_tune(text), dropped, max_duration_s, tempo)


def admit_set(text: str, *, max_duration_s: float, tempo: float | None = None) -> tuple[Admitted, ...]:
    """The tunes of a set, one at the least; see `admit`. Together they are held to what one tune may be.

    Raises:
        NotationError: a rule refuses one of them, or they exceed a limit together.
    """
    text, dropped = clean(text)
    tunes = _tunes(text, SET)
    found = tuple(_admit(tune, dropped if not n else (), max_duration_s, tempo) for n, tune in enumerate(tunes))
    lasts_s = sum(duration_s(tune.score, tempo) for tune in found)
    if lasts_s > max_duration_s:
        raise NotationError(f"it would last {lasts_s:,.0f} seconds; {max_duration_s:,.0f} are allowed")
    sounds = [played(tune.score) for tune in found]
    for bound, count in ((PLAYED_BARS, sum(s.bars for s in sounds)), (PLAYED_NOTES, sum(s.notes for s in sounds))):
        if excess := bound.excess(count, ""):
            raise NotationError(f"it has {excess}")
    return found


def _admit(tune: str, dropped: tuple[Fault, ...], max_duration_s: float, tempo: float | None) -> Admitted:
    reader = Reader(tune, _hold)
    score = reader.score
    lasts_s = duration_s(score, tempo)
    if lasts_s > max_duration_s:
        raise NotationError(f"it would last {lasts_s:,.0f} seconds; {max_duration_s:,.0f} are allowed")
    lines = [line for voice in score.voices for bar in voice.bars for line in bar.lines]
    sizes = [len(chord.pitches) for line in lines for chord in line]
    sounds = played(score)
    for bound, found in (
        (VOICES, sum(voice.lines for voice in score.voices)),
        (CHORD, max(sizes, default=0)),
        (PLAYED_BARS, sounds.bars),
        (PLAYED_NOTES, sounds.notes),
    ):
        if excess := bound.excess(found, ""):
            raise NotationError(f"it has {excess}")
    return Admitted(tune, score, dropped, next(iter(score.titles), None), tuple(reader.faults))


def _hold(size: Size, line: int) -> None:
    """Raises NotationError where a tune exceeds a limit by this line, so that the reader stops there."""
    for bound, found in (
        (BARS, size.bars),
        (NOTES, size.notes),
        (WHOLE_NOTES, ceil(size.whole_notes)),
        (DIVISIONS, size.divisions),
    ):
        if found > bound.max_allowed:
            message = f"more than the {bound.max_allowed:,} {bound.of} that are allowed"
            raise NotationError(f"line {line}: {message}", faults=(Fault(message, line=line),))


def filter_tune(text: str) -> str:
    """The text of one tune that may be rendered, however long it lasts; see `admit`."""
    return admit(text, max_duration_s=float("inf")).abc


def clean(text: str) -> tuple[str, tuple[Fault, ...]]:
    """The text without the dropped lines, line numbers unchanged; and what was dropped.

    Raises:
        NotationError: a rule refuses a line.
    """
    lines, faults, dropped = filter_lines(text)
    if faults:
        raise NotationError(summary(faults), faults=tuple(faults[:_MAX_FAULTS]))
    return "\n".join(lines), tuple(dropped[:_MAX_FAULTS])


def filter_lines(text: str) -> tuple[list[str], list[Fault], list[Fault]]:
    """A text's lines without the dropped ones; a fault for each refused line; a fault for each dropped line.

    Raises:
        NotationError: the text is too large.
    """
    text = text.removeprefix("\ufeff").replace("\r\n", "\n").replace("\r", "\n")
    lines = text.split("\n")
    size = len(text.encode("utf-8", errors="replace"))
    for bound, found in ((BYTES, size), (LINES, len(lines))):
        if excess := bound.excess(found, ""):
            raise NotationError(f"the tune has {excess}")
    faults, dropped = [], []
    for number, line in enumerate(lines, 1):
        row, fault = _filter_line(number, line)
        if fault is None:
            continue
        if row is not None and row.verdict is Verdict.DROPPED:
            dropped.append(fault)
            lines[number - 1] = "%"
        else:
            faults.append(fault)
    return lines, faults, dropped


def _filter_line(number: int, line: str) -> tuple[Row | None, Fault | None]:
    if excess := LINE.excess(len(line), " in one line"):
        return None, Fault(excess, line=number, column=1)
    for column, character in enumerate(line, 1):
        if unicodedata.category(character) in ("Cc", "Cs", "Zl", "Zp") and character != "\t":
            return None, Fault(f"the control character {character!a}", line=number, column=column)
    is_free_text = line[1:2] == ":" and line[:1] in _FREE_TEXT_FIELDS
    for row in DIRECTIVES if is_free_text else (*DIRECTIVES, *MUSIC):
        match = row.pattern.match(line)
        if match and row.verdict is Verdict.KEPT:
            return row, None
        if match:
            what = f"{row.message}: {line.split()[0]}" if row.verdict is Verdict.DROPPED else row.message
            return row, Fault(what, line=number, column=max(1, match.end()))
    return None, None


def _only_tune(text: str) -> str:
    """The one tune of a text, after as many empty lines as it had lines before: a renderer's line numbers stay the
    sender's."""
    return _tunes(text, TUNES)[0]


def _tunes(text: str, bound: Bound) -> list[str]:
    """The tunes of a text, each after as many empty lines as it had lines before."""
    tunes = [(block, line) for block, line, _ in split_blocks(text) if {"X", "K"} & header_fields(block).keys()]
    if not tunes:
        raise NotationError("there is no tune in the text: no X: and no K: field")
    if len(tunes) > bound.max_allowed:
        allowed = f"send {bound.max_allowed} at the most" if bound.max_allowed > 1 else "send one at a time"
        raise NotationError(f"there are {len(tunes)} tunes in the text; {allowed}")
    problems = [
        replace(fault, line=(fault.line or 1) + first_line - 1)
        for tune, (_, first_line) in zip(split_tunes(text), tunes, strict=True)
        for fault in tune.problems
    ]
    if problems:
        raise NotationError(summary(problems), faults=tuple(problems))
    return ["\n" * (first_line - 1) + tune.rstrip("\n") + "\n" for tune, first_line in tunes]


def summary(faults: list[Fault]) -> str:
    """The first fault with its position, and the number of the others."""
    first = faults[0]
    where = f"line {first.line}" + (f", column {first.column}" if first.column else "")
    return f"{where}: {first.message}" + (f" (and {len(faults) - 1} more)" if len(faults) > 1 else "")
