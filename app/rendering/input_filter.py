"""The input filter: untrusted ABC becomes tunes that may be rendered, or an error that says what is wrong and where.

What single lines may hold is in `app.rendering.line_rules`; here is how large a tune may be. The filter is a first line
of defence. The second is that programs are given what is written anew of what was read, the third the sandbox.
"""

import re
from dataclasses import dataclass, replace
from math import ceil

from app.abc.duration import duration_s, played
from app.abc.reader import Reader, Size
from app.abc.score import MAX_BARS, Score
from app.abc.tunebook import (
    FIELD,
    NO_KEY,
    NO_NOTES,
    NO_NUMBER,
    blank_before_music,
    header_fields,
    is_file_header,
    split_blocks,
    split_tunes,
)
from app.errors import Fault, NotationError
from app.rendering import line_rules
from app.rendering.line_rules import Filtered


@dataclass(frozen=True)
class Bound:
    """A limit on the size of a tune, and the reason for it."""

    max_allowed: int
    of: str
    why: str

    def excess(self, found: int, where: str) -> str | None:
        return f"{found:,} {self.of}{where}; {self.max_allowed:,} are allowed" if found > self.max_allowed else None


BYTES = Bound(32 * 1024, "bytes", "what 10,000 notes take; time to read grows with it")
LINES = Bound(1000, "lines", "a tune of the lab's corpus has 30; time to read grows with lines")
VOICES = Bound(8, "voices, overlays among them", "each is a MIDI track and channel; there are 15 for notes")
TUNES = Bound(1, "tunes in the text", "what is checked, changed or given chords is one tune")
SET = Bound(5, "tunes in the set", "each is a run of abc2midi")
CHORD = Bound(12, "notes in one chord", "6,000 notes in a chord cost minutes of synthesis")
BARS = Bound(MAX_BARS, "bars", "`Z999|` says 999 of them in five bytes; each is numbered, drawn and compared")
NOTES = Bound(10_000, "notes and rests", "what 32 KiB of dense music hold; a note drawn is a kilobyte of memory")
WHOLE_NOTES = Bound(5_000, "whole notes of music", "`L:999` and `C999` are 142,571 tied notes on paper, at any tempo")
DIVISIONS = Bound(10**9, "parts of a whole note to count in", "1/997 and 1/991 side by side need a million of them")
DRAWN_NOTES = Bound(20_000, "notes on paper", "`C341/64` is five that are tied, and each a kilobyte in the making")
PLAYED_BARS = Bound(20_000, "bars as played", "repeats and P: play ten thousand times what is written once")
PLAYED_NOTES = Bound(20_000, "notes as played", "each is two events of MIDI, a kilobyte of memory and some synthesis")


_MAX_FAULTS = 20
_BLANK = "it ends the tune for other programs: a blank line after the header"
_CHARSET = re.compile(rb"^(?:%%|I:)\s*abc-charset\s+(iso-8859-(?:[1-9]|10|13|15|16))\s*$", re.IGNORECASE | re.MULTILINE)


_ANY_CHARSET = re.compile(rb"^(?:%%|I:)\s*abc-charset\b", re.IGNORECASE | re.MULTILINE)
_UTF_16 = (b"\xff\xfe", b"\xfe\xff")
_TEXT = re.compile(rb"[A-DF-HN-OR-TWZrw]:|\+:|%|[^\x80-\xff]*\"")
_INVISIBLE = re.compile("[\ufeff\u200b\u2060\u00ad]")
_INDENTED_TUNE = re.compile(r"^[ \t]+[XK]:", re.MULTILINE)
_INDENT = re.compile(rf"^[ \t]+(?={FIELD.pattern})", re.MULTILINE)
_OF_ALL_TUNES = re.compile(r"[LMQUmRCO]:|%%|%abc-")
"""Lines of a file's header that hold for its tunes"""

_UNLESS_OWN = ("R:", "C:", "O:")
"""Those of them of which a tune's own stands in their place."""


@dataclass(frozen=True)
class Admitted:
    """A tune that may be rendered: its text, its score, and the lines that were left out."""

    abc: str
    score: Score
    dropped: tuple[Fault, ...]
    title: str | None
    faults: tuple[Fault, ...]
    """what is wrong with it"""
    skipped: tuple[Fault, ...]
    """those of them where something is neither played nor drawn"""
    lasts_s: float
    """once through"""


def decode(body: bytes) -> str:
    """A request body as text, without a byte-order mark.

    It is UTF-8, UTF-16 with its mark, the older alphabet that `abc-charset` names, or, where it names none and only
    texts are not UTF-8, the western one.

    Raises:
        NotationError: it is neither.
    """
    try:
        return body.decode("utf-16" if body.startswith(_UTF_16) and b"\0K\0:" in body else "utf-8-sig")
    except UnicodeDecodeError as error:
        if named := _CHARSET.search(body):
            return body.decode(named[1].decode().lower(), errors="replace")
        if not _ANY_CHARSET.search(body) and all(map(_may_be_text, body.splitlines())):
            return body.decode("cp1252", errors="replace")
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
    ((tune, faults, left_out),) = _tunes(text, TUNES)
    return _admit(tune, faults, (*dropped, *left_out), max_duration_s, tempo)


def admit_set(text: str, *, max_duration_s: float, tempo: float | None = None) -> tuple[Admitted, ...]:
    """The tunes of a set, one at the least; see `admit`. Together they are held to what one tune may be.

    Raises:
        NotationError: a rule refuses one of them, or they exceed a limit together.
    """
    text, dropped = clean(text)
    tunes = _tunes(text, SET)
    found = tuple(
        _admit(tune, faults, (*dropped, *left_out) if not n else (), max_duration_s, tempo)
        for n, (tune, faults, left_out) in enumerate(tunes)
    )
    lasts_s = sum(tune.lasts_s for tune in found)
    if lasts_s > max_duration_s:
        raise NotationError(f"it would last {lasts_s:,.0f} seconds; {max_duration_s:,.0f} are allowed")
    sounds = [played(tune.score) for tune in found]
    for bound, count in ((PLAYED_BARS, sum(s.bars for s in sounds)), (PLAYED_NOTES, sum(s.notes for s in sounds))):
        if excess := bound.excess(count, ""):
            raise NotationError(f"it has {excess}")
    return found


def _admit(
    tune: str, faults: tuple[Fault, ...], dropped: tuple[Fault, ...], max_duration_s: float, tempo: float | None
) -> Admitted:
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
    title = next(iter(score.titles), None)
    return Admitted(tune, score, dropped, title, (*faults, *reader.faults), tuple(reader.skipped), lasts_s)


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
    found = filter_lines(text)
    if found.refused:
        raise NotationError(summary(found.refused), faults=tuple(found.refused[:_MAX_FAULTS]))
    return "\n".join(found.lines), tuple(found.dropped[:_MAX_FAULTS])


def filter_lines(text: str) -> Filtered:
    """A text's lines as a renderer may read them, with what is refused and what was left out.

    Raises:
        NotationError: the text is too large.
    """
    text = with_unix_line_ends(text)
    lines = text.split("\n")
    size = len(text.encode("utf-8", errors="replace"))
    for bound, found in ((BYTES, size), (LINES, len(lines))):
        if excess := bound.excess(found, ""):
            raise NotationError(f"the tune has {excess}")
    blank = blank_before_music(lines)
    filtered = line_rules.apply_rules([line_rules.LEFT_OUT if n in blank else line for n, line in enumerate(lines)])
    return replace(filtered, dropped=[Fault(_BLANK, line=n + 1) for n in sorted(blank)] + filtered.dropped)


def with_unix_line_ends(text: str) -> str:
    """A text without what is not seen and without the indent of its fields, its lines ended as everywhere here."""
    text = text.replace("\r\n", "\n").replace("\r", "\n")
    if not text.isascii():
        text = _INVISIBLE.sub("", text)
    return _INDENT.sub("", text) if _INDENTED_TUNE.search(text) else text


def with_left_out(changed: str, admitted: str, sent: str) -> str:
    """A tune that was changed within its lines, with what had been left out of them in its place again.

    Args:
        changed: the tune as it is now.
        admitted: the tune as the filter let it through.
        sent: the text that it stands in.
    """
    lines = zip(changed.split("\n"), admitted.split("\n"), with_unix_line_ends(sent).split("\n"), strict=False)
    return "\n".join(_restored(*line) for line in lines).strip("\n") + "\n"


def _restored(now: str, read: str, was: str) -> str:
    if now == read:
        return was if read else read
    hidden = (was[match.start() : match.end()] for match in line_rules.HIDDEN.finditer(read))
    return line_rules.HIDDEN.sub(lambda _: next(hidden), now) + was[len(read) :]


def _tunes(text: str, bound: Bound) -> list[tuple[str, tuple[Fault, ...], tuple[Fault, ...]]]:
    """The tunes of a text, each after as many lines as it had before it: those that hold for it, or empty ones.

    Each comes with what is wrong with it that is no reason to refuse it, and the first with what is left out.
    """
    blocks = split_blocks(text)
    tunes = [(block, line) for block, line, _ in blocks if {"X", "K"} & header_fields(block).keys()]
    if not tunes:
        raise NotationError("there is no tune in the text: no X: and no K: field")
    problems = [
        [replace(fault, line=(fault.line or 1) + first_line - 1) for fault in tune.problems]
        for tune, (_, first_line) in zip(split_tunes(text), tunes, strict=True)
    ]
    found = [(*tune, faults) for tune, faults in zip(tunes, problems, strict=True) if not _is_empty(faults)]
    if len(found) > bound.max_allowed:
        allowed = f"send {bound.max_allowed} at the most" if bound.max_allowed > 1 else "send one at a time"
        raise NotationError(f"there are {len(found)} tunes in the text; {allowed}")
    wrong = [fault for *_, faults in found for fault in faults if fault.message not in (NO_NUMBER, NO_KEY)]
    empty = [fault for faults in problems if _is_empty(faults) for fault in faults if fault.message == NO_NOTES]
    if wrong or not found:
        raise NotationError(summary(wrong or empty), faults=tuple(wrong or empty))
    headers = [(block.split("\n"), line) for block, line, _ in blocks if is_file_header(block.rstrip("\n").split("\n"))]
    left_out = tuple(replace(fault, message=f"a tune that is left out: {fault.message}") for fault in empty)
    return [
        (
            "\n".join([*_before(tune, first_line, headers), tune.rstrip("\n")]) + "\n",
            tuple(faults),
            () if n else left_out,
        )
        for n, (tune, first_line, faults) in enumerate(found)
    ]


def _is_empty(faults: list[Fault]) -> bool:
    return any(fault.message == NO_NOTES for fault in faults)


def _before(tune: str, first_line: int, headers: list[tuple[list[str], int]]) -> list[str]:
    """Lines that stand before a tune: of file headers what holds for it, and empty ones."""
    before = [""] * (first_line - 1)
    own = {line[:2] for line in tune.split("\n")}
    for lines, line in headers:
        for number, text in enumerate(lines, line - 1):
            if number < len(before) and _OF_ALL_TUNES.match(text) and not (text[:2] in _UNLESS_OWN and text[:2] in own):
                before[number] = text
    return before


def _may_be_text(line: bytes) -> bool:
    """Whether what is not ASCII in a line may be of a text: in a field, a comment or quotes."""
    return line.isascii() or _TEXT.match(line) is not None


def summary(faults: list[Fault]) -> str:
    """The first fault with its position, and the number of the others."""
    first = faults[0]
    where = f"line {first.line}" + (f", column {first.column}" if first.column else "")
    return f"{where}: {first.message}" + (f" (and {len(faults) - 1} more)" if len(faults) > 1 else "")
