"""Builds parts from bars: matched repeats, paired endings, bars as long as the metre says.

A bare `:|` goes back to the latest double bar, end of a repeat or beginning (ABC 2.1, section 4.8). No music is made
up: a bar line that is missing or too many is a slip of the pen, as is a repeat sign on the wrong side of a pickup; a
bar that is too short or too long is a reason to leave the tune out.
"""

from dataclasses import dataclass, replace
from fractions import Fraction

from app.abc.plain import Bar, Note, Part, length_of
from training.dialect.reader import Mark, Score
from training.errors import DialectError

Marked = tuple[Bar, Mark]


def parts_of(score: Score, bar_length: Fraction) -> tuple[Part, ...]:
    """The parts of a tune.

    Raises:
        DialectError: they do not add up.
    """
    sections = _sections(score.opening, score.bars)
    mended = [replace(section, bars=_mend_bar_lines(section.bars, bar_length)) for section in sections]
    parts = [piece for section in mended for piece in _past_pickup(_part(section, bar_length), bar_length)]
    parts = _with_their_pickups(parts, bar_length)
    _check(parts, bar_length)
    return tuple(parts)


@dataclass(frozen=True)
class _Section:
    """Bars up to a double bar or the end of a repeat, each with the mark after it."""

    bars: tuple[Marked, ...]
    repeated: bool


def _sections(opening: Mark, bars: tuple[Marked, ...]) -> list[_Section]:
    """Cut at the marks. A `|:` that nothing closes repeats nothing; a double bar inside a repeat is a bar line."""
    sections: list[_Section] = []
    start = 0
    is_open = opening.opens and _closes(bars)
    for index, (_, mark) in enumerate(bars):
        endings = [mark.ending for _, mark in bars[start : index + 1] if mark.ending]
        is_over = mark.closes or mark.opens or (mark.double and (not is_open or 2 in endings))
        if index < len(bars) - 1 and (not is_over or mark.ending):
            continue
        section = bars[start : index + 1]
        sections.append(_Section(section, any(mark.closes for _, mark in section)))
        start = index + 1
        is_open = mark.opens and _closes(bars[start:])
    return sections


def _closes(bars: tuple[Marked, ...]) -> bool:
    """Whether a repeat that begins here is closed before another begins."""
    first = next((mark for _, mark in bars if mark.closes or mark.opens), Mark())
    return first.closes


# ------------------------------------------------------------------------------------------------ bar lines


def _mend_bar_lines(bars: tuple[Marked, ...], bar_length: Fraction) -> tuple[Marked, ...]:
    """Put bar lines where bars run together; take out one that cuts a bar in two."""
    cut: list[Marked] = []
    for index, (bar, mark) in enumerate(bars):
        cut += _cut(bar, mark, bar_length, is_first=index == 0)
    mended = cut[:1]
    for index, (bar, mark) in enumerate(cut[1:], 1):
        before, mark_before = mended[-1]
        total = length_of(before) + length_of(bar)
        is_split = length_of(before) < bar_length and mark_before == Mark() and len(mended) > 1
        if is_split and (total == bar_length or (total < bar_length and index == len(cut) - 1)):
            mended[-1] = (_joined(before, bar), mark)
        else:
            mended.append((bar, mark))
    return tuple(mended)


def _cut(bar: Bar, mark: Mark, bar_length: Fraction, *, is_first: bool) -> list[Marked]:
    """A bar that is too long, cut into whole ones; what is over comes last, but before them in the first bar."""
    if length_of(bar) <= bar_length:
        return [(bar, mark)]
    over = length_of(bar) % bar_length
    due = over if is_first and over else bar_length
    pieces: list[Bar] = []
    begin, total = 0, Fraction(0)
    for index, note in enumerate(bar, 1):
        total += note.length
        if total == due and (index == len(bar) or not _are_one(bar[index - 1], bar[index])):
            pieces.append(bar[begin:index])
            begin, total, due = index, Fraction(0), bar_length
    if begin < len(bar):
        pieces.append(bar[begin:])
    return [(piece, Mark()) for piece in pieces[:-1]] + [(pieces[-1], mark)]


def _joined(bar: Bar, following: Bar) -> Bar:
    return (*bar, replace(following[0], spaced=True), *following[1:])


def _are_one(note: Note, following: Note) -> bool:
    """Whether two notes are of one broken pair or tuplet, which no bar line can part."""
    return bool(note.broken) or (following.in_tuplet and not following.tuplet)


# ------------------------------------------------------------------------------------------------ repeats


def _part(section: _Section, bar_length: Fraction) -> Part:
    endings = [(index, mark.ending) for index, (_, mark) in enumerate(section.bars) if mark.ending]
    bars = tuple(bar for bar, _ in section.bars)
    if not endings:
        return Part(bars, section.repeated)
    if [number for _, number in endings] != [1, 2]:
        raise DialectError("first ending without a second, or a second without a first")
    (first, _), (second, _) = endings
    part = Part(bars[: first + 1], True, bars[first + 1 : second + 1], bars[second + 1 :])
    if not part.first or not part.second:
        raise DialectError("ending without a bar")
    return _with_whole_bars(part, bar_length)


def _with_whole_bars(part: Part, bar_length: Fraction) -> Part:
    """A bar that goes on in both endings is written in each of them."""
    last = part.bars[-1]
    joined = {length_of(last) + length_of(ending[0]) for ending in (part.first, part.second)}
    if length_of(last) == bar_length or joined != {bar_length} or len(part.bars) < 2:
        return part
    first, second = ((_joined(last, ending[0]), *ending[1:]) for ending in (part.first, part.second))
    return replace(part, bars=part.bars[:-1], first=first, second=second)


def _past_pickup(part: Part, bar_length: Fraction) -> list[Part]:
    """A part whose repeat comes back to a whole bar: its pickup stands before the repeat."""
    last = part.first[-1] if part.first else part.bars[-1]
    has_pickup = len(part.bars) > 1 and length_of(part.bars[0]) < bar_length
    if part.repeated and has_pickup and length_of(last) == bar_length:
        return [Part(part.bars[:1]), replace(part, bars=part.bars[1:])]
    return [part]


def _with_their_pickups(parts: list[Part], bar_length: Fraction) -> list[Part]:
    """A double bar after a pickup parts nothing, unless a repeat begins there."""
    joined = parts[:1]
    for part in parts[1:]:
        before = joined[-1]
        is_pickup = len(before.bars) == 1 and not before.repeated and length_of(before.bars[0]) < bar_length
        if is_pickup and not (part.repeated or part.first):
            joined[-1] = replace(part, bars=before.bars + part.bars)
        else:
            joined.append(part)
    return joined


def _check(parts: list[Part], bar_length: Fraction) -> None:
    """Raise an error if a bar is not whole; what one part leaves of a bar, the next one takes up."""
    left = Fraction(0)
    for number, part in enumerate(parts):
        pickup = length_of(part.bars[0]) % bar_length
        if number and pickup != left:
            raise DialectError("parts that do not fit: pickup and the bar before it are not one bar together")
        is_pickup_alone = pickup > 0 and len(part.bars) == 1 and not part.repeated
        lasts = [part.first[-1], part.second[-1]] if part.first else [] if is_pickup_alone else [part.bars[-1]]
        if length_of(part.bars[0]) > bar_length:
            raise DialectError("bar shorter or longer than the metre")
        whole = (*part.bars[pickup > 0 :], *part.first, *part.second)
        lengths = [length_of(bar) for bar in whole if not any(bar is last for last in lasts)]
        lefts = [bar_length - length_of(last) for last in lasts]
        if any(length != bar_length for length in lengths) or min(lefts, default=Fraction(0)) < 0:
            raise DialectError("bar shorter or longer than the metre")
        if part.repeated and lefts[0] != pickup:
            raise DialectError("repeat whose last bar does not fit its first")
        left = lefts[-1] if lefts else Fraction(0)
