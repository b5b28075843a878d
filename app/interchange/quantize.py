"""Moves notes that were played onto the places of a measure where they would be written.

Each beat is divided as coarsely as its notes allow: what a division costs is how complicated it is, and by how much the
notes have to move. Times are in whole notes.
"""

from bisect import bisect_left
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from itertools import pairwise
from math import ceil

from app.abc.meters import Meter

_SIMPLE = {1: 0.0, 2: 0.2, 3: 0.45, 4: 0.5, 6: 1.3, 8: 1.2, 12: 1.5}
_COMPOUND = {1: 0.0, 3: 0.1, 2: 0.7, 6: 0.5, 4: 1.5, 9: 1.3, 12: 1.4}
"""Into how many parts a beat is divided, and what that costs."""

_OF_MOVING = 150.0
"""a note by a whole beat; squared"""

_HALF, _MOST = 0.5, 0.85
_OF_MEETING = 1.5
"""two notes that were not together"""

_EARLY = 1 / 14
"""of a beat: as long before it a note may be of it"""

_LOUDER = 25
"""in MIDI's velocity: an accent that says as much of a bar line as that a note begins with it"""

_TOGETHER = 1 / 64
_LONGEST_GRACE_S, _LONGEST_GRACE = 0.075, 1 / 20
_LONGER = 1.5
_MAX_GRACES = 4
_EXACT = 0.04
_SHORT_GAP, _GAP = 1 / 8 - 1 / 64, 1 / 4
"""silences between notes that are not written where the note lasts half the time to the next, or most of it"""

_LONGEST_STEP = Fraction(1, 8)
"""what the length of a note before a silence is a multiple of, or less"""

_FINEST_END = Fraction(1, 16)
"""what the last note's length is a multiple of"""

_MAX_OFFSET_STEPS = 64


@dataclass(frozen=True)
class Span:
    """A measure."""

    start: Fraction
    length: Fraction
    meter: Meter

    def beats(self) -> Iterator[tuple[Fraction, Fraction]]:
        """Where each beat begins, and how long it is; a pickup's are those that end with it."""
        beat = beat_of(self.meter)
        whole = self.meter.length or self.length
        begins = -((whole - self.length) % beat) if self.length < whole else Fraction(0)
        while begins < self.length:
            yield self.start + begins, beat
            begins += beat


@dataclass(frozen=True)
class Played:
    """A note as it was played; `seconds` is how long, `velocity` how loud."""

    start: float
    end: float
    pitch: int
    seconds: float
    velocity: int


@dataclass
class Written:
    """Notes that begin and end together, where they are written."""

    start: Fraction
    end: Fraction
    pitches: list[int]
    graces: list[int]


def beat_of(meter: Meter) -> Fraction:
    """What is divided: three eighths in 6/8, a quarter in 4/4, an eighth in 7/8."""
    return meter.beat if meter.is_compound or meter.unit >= 8 else Fraction(1, 4)


def quantized(notes: Sequence[Played], spans: Sequence[Span]) -> list[Written]:
    """The notes of one voice, in order, none beginning before the one before it has ended."""
    found = _with_graces(sorted(notes, key=lambda note: (note.start, -note.pitch)))
    starts = [note.start for note, _ in found]
    written: list[Written] = []
    played: list[float] = []
    for span in spans:
        for begin, length in span.beats():
            early = float(length) * _EARLY
            first, after = (bisect_left(starts, float(at) - early) for at in (begin, begin + length))
            if first == after:
                continue
            parts = _division([(starts[i] - float(begin)) / float(length) for i in range(first, after)], span.meter)
            for note, graces in found[first:after]:
                place = begin + length * Fraction(round((note.start - float(begin)) / float(length) * parts), parts)
                place = max(place, Fraction(0))
                if written and written[-1].start >= place:
                    written[-1].pitches.append(note.pitch)
                    played[-1] = max(played[-1], note.end - note.start)
                else:
                    written.append(Written(place, place + length / parts, [note.pitch], graces))
                    played.append(note.end - note.start)
    _end(written, played, spans[-1].start + spans[-1].length)
    return written


def pickup(notes: Sequence[Played], meter: Meter) -> Fraction:
    """How long a pickup is, where a file does not say it: such that the bar lines cut few notes."""
    whole = meter.length
    if whole is None or not notes:
        return Fraction(0)
    step = Fraction(1, 8) if whole >= Fraction(3, 8) else Fraction(1, 16)
    count = min(_MAX_OFFSET_STEPS, ceil(whole / step / 2))  # pickups of half a bar or more are rare
    ordered = sorted(notes, key=lambda note: note.start)
    return max((step * n for n in range(count)), key=lambda offset: (_fit(ordered, offset, whole), -offset))


def _fit(notes: Sequence[Played], offset: Fraction, whole: Fraction) -> float:
    """How well bar lines stand among notes."""
    starts = [note.start for note in notes]
    loudness = sum(note.velocity for note in notes) / len(notes)
    line, end = float(offset or whole), notes[-1].end
    fit, count = 0.0, 0
    while line < end - _TOGETHER:
        at = bisect_left(starts, line - 2 * _TOGETHER)
        if at < len(starts) and starts[at] < line + 2 * _TOGETHER:
            following = starts[at + 1] if at + 1 < len(starts) else notes[at].end
            fit += 1 + min(following - starts[at], float(whole) / 2) / float(whole)
            fit += (notes[at].velocity - loudness) / _LOUDER
        elif at and notes[at - 1].end > line + 2 * _TOGETHER:
            fit -= 1
        line += float(whole)
        count += 1
    return fit / max(1, count) + (0.02 if not offset else 0)


def _with_graces(notes: list[Played]) -> list[tuple[Played, list[int]]]:
    """The notes, each with the very short ones right before it; these are no notes of their own."""
    is_grace = [False] * len(notes)
    for index in reversed(range(len(notes) - 1)):
        note, following = notes[index], notes[index + 1]
        is_longer = is_grace[index + 1] or following.seconds > _LONGER * note.seconds
        meets = abs(note.end - following.start) < _TOGETHER and note.start < following.start
        is_short = note.seconds < _LONGEST_GRACE_S and note.end - note.start < _LONGEST_GRACE
        is_grace[index] = is_longer and meets and is_short and not _is_of_a_triplet(note)
    found: list[tuple[Played, list[int]]] = []
    graces: list[Played] = []
    for index, note in enumerate(notes):
        if is_grace[index] and len(graces) < _MAX_GRACES:
            graces.append(note)
            continue
        found.append((replace(note, start=graces[0].start) if graces else note, [grace.pitch for grace in graces]))
        graces = []
    return found


def _is_of_a_triplet(note: Played) -> bool:
    """Whether it is, to a tick or two, one of three in the time of an eighth: what no player's grace note is."""
    begin, length = note.start * 24, (note.end - note.start) * 24
    return abs(begin - round(begin)) < _EXACT and abs(length - 1) < _EXACT


def _division(places: list[float], meter: Meter) -> int:
    """Into how many parts a beat is divided that has notes at these places, from 0 to 1."""
    costs = _COMPOUND if meter.is_compound else _SIMPLE

    def cost(parts: int) -> float:
        moved = sum((place - round(place * parts) / parts) ** 2 for place in places)
        meeting = sum(round(a * parts) == round(b * parts) and b - a > 4 * _TOGETHER for a, b in pairwise(places))
        return costs[parts] + _OF_MOVING * moved + _OF_MEETING * meeting

    return min(costs, key=cost)


def _end(written: list[Written], played: list[float], last: Fraction) -> None:
    """Say where each ends: where the next begins, unless a silence between them is long enough to be written."""
    for index, note in enumerate(written):
        following = written[index + 1].start if index + 1 < len(written) else None
        step = min(note.end - note.start, _LONGEST_STEP)
        lasts = max(_FINEST_END, Fraction(round(played[index] / float(_FINEST_END))) * _FINEST_END)
        until = following if following is not None else min(last, note.start + lasts)
        gap = float(until - note.start) - played[index]
        share = played[index] / float(until - note.start)
        is_held = (share >= _HALF and gap < _SHORT_GAP) or (share > _MOST and gap < _GAP)
        note.end = (
            until if is_held else min(until, note.start + _up(Fraction(played[index]).limit_denominator(960), step))
        )


def _up(length: Fraction, step: Fraction) -> Fraction:
    """A length as the least number of steps that it fits into, a little over being no more."""
    count = int(length / step + Fraction(3, 4))
    return step * max(1, count)
