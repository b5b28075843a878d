"""Chords for a tune: its own symbols where it has some, else those that fit its notes, by dynamic programming.

A bar is parted into halves (beats of 9/8, whole bars of 3/4 and polkas). Each chord of the mode costs what it fits the
notes badly, notes on beats counting most; each step from one to the next costs what it moves. Sections begin and end on
the tonic and come to it from a chord that leads there; bars that are alike have chords alike.
"""

from collections import Counter, defaultdict
from dataclasses import dataclass
from fractions import Fraction

from app.abc.chord_symbols import Harmony, write_symbols
from app.abc.harmony_segments import Segment, onsets_of, segments_of
from app.abc.key_chords import candidates, has_third, leading_roots, raises_seventh
from app.abc.keys import Key
from app.abc.macros import without_macros
from app.abc.playing_order import sections
from app.abc.reader import read
from app.abc.score import Bar, Score

_MISFIT = 3.6
_OFF_BEAT_MISFIT = 1.2
_CHANGE_IN_BAR, _CHANGE_AT_BAR, _FIFTH, _THIRD = 0.8, 0.16, -0.1, 0.3
_BEGINS_ELSEWHERE, _ENDS_ELSEWHERE, _LED, _HALF_CLOSE, _ALIKE = 0.7, 1.0, 0.3, 0.18, 0.4
"""prices, found by trying on jigs, hornpipes and waltzes with somebody's chords, and held against his reels"""


Changes = list[tuple[Fraction, Harmony]]
"""chords of a bar, each with its time from the bar's beginning in whole notes"""


def harmonize(score: Score) -> list[Changes]:
    """Chords for each bar of the first voice; none for a pickup, whose chord is that of the bar that it leads to."""
    if not score.voices:
        return []
    bars = score.voices[0].bars
    found: list[Changes] = [[] for _ in bars]
    spans = sections(bars)
    own = _own(bars)
    chorded = {spans[index] for index, changes in enumerate(own) if changes}
    segments = [segment for segment in segments_of(score, spans) if spans[segment.bar] not in chorded]
    chosen = _choose(segments, {})
    chosen = _choose(segments, _usual(segments, chosen, bars))
    for segment, harmony in zip(segments, chosen, strict=True):
        found[segment.bar].append((segment.start, harmony))
    for index, changes in enumerate(own):
        if spans[index] in chorded:
            found[index] = changes
    return [_only_changes(changes) for changes in found]


def with_chords(abc: str, score: Score) -> str:
    """The tune with the symbols of chords that suit it; sections that bear some already stay as they are.

    Args:
        abc: one tune.
        score: what it says.
    """
    if not score.voices:
        return abc
    if (plain := without_macros(abc)) != abc:
        score = read(plain)  # whose notes are those of the text, one for one
    bars = score.voices[0].bars
    spans = sections(bars)
    chorded = {spans[index] for index, changes in enumerate(_own(bars)) if changes}
    names: dict[tuple[int, int], str] = {}
    last, section = "", (-1, -1)
    for index, changes in enumerate(harmonize(score)):
        begun = dict(reversed(onsets_of(bars[index]))) if changes else {}
        for start, harmony in changes:
            place = begun.get(start)
            is_new = harmony.name != last or spans[index] != section
            section = spans[index]
            if place is not None and is_new and spans[index] not in chorded:
                names[(index, place)] = last = harmony.name
            elif spans[index] in chorded:
                last = harmony.name
    return write_symbols(abc, names)


@dataclass(frozen=True)
class PlacedChord:
    """A chord where it begins: bars count from 1, a pickup before them is 0."""

    bar: int
    quarters: float
    symbol: str


def placed(score: Score) -> tuple[PlacedChord, ...]:
    """The chords of a tune, its own or those that suit it."""
    if not score.voices:
        return ()
    first = score.voices[0].bars[0]
    number = int(score.meter.length is None or first.length >= score.meter.length)
    return tuple(
        PlacedChord(number + index, float(4 * start), harmony.name)
        for index, changes in enumerate(harmonize(score))
        for start, harmony in changes
    )


def harmony_at(changes: list[Changes], bar: int, at: Fraction) -> Harmony | None:
    """The chord that sounds at a time of a bar: the last that was said, in this bar or before."""
    here = [harmony for start, harmony in changes[bar] if start <= at]
    if here:
        return here[-1]
    return next((changes[index][-1][1] for index in range(bar - 1, -1, -1) if changes[index]), None)


def _only_changes(changes: Changes) -> Changes:
    return [change for index, change in enumerate(changes) if not index or change[1].name != changes[index - 1][1].name]


def _own(bars: list[Bar]) -> list[Changes]:
    """What the tune's own chord symbols say."""
    found: list[Changes] = []
    for bar in bars:
        position, changes = Fraction(0), []
        for chord in bar.chords:
            harmony = Harmony.parse(chord.symbol) if chord.symbol else None
            if harmony:
                changes.append((position, harmony))
            position += chord.length
        found.append(changes)
    return found


def _choose(segments: list[Segment], usual: dict[int, str]) -> list[Harmony]:
    """The cheapest way through; `usual` names chords that are cheaper in some segments."""
    if not segments:
        return []
    heard = {pitch for segment in segments for pitch, _, _ in segment.weights}
    by_key = {
        key: candidates(key, raised=raises_seventh(heard, key), third=has_third(heard, key))
        for key in {segment.key for segment in segments}
    }
    costs: list[list[float]] = []
    back: list[list[int]] = []
    for index, segment in enumerate(segments):
        options = by_key[segment.key]
        own = [
            _cost(segment, harmony, price) - (_ALIKE if usual.get(index) == harmony.name else 0.0)
            for harmony, price in options
        ]
        if not index:
            costs.append(own)
            back.append([0] * len(options))
            continue
        before = segments[index - 1]
        previous = by_key[before.key]
        steps = [
            [costs[-1][n] + _step(before, segment, harmony, then) for n, (harmony, _) in enumerate(previous)]
            for then, _ in options
        ]
        back.append([row.index(min(row)) for row in steps])
        costs.append([cost + min(row) for cost, row in zip(own, steps, strict=True)])
    at = costs[-1].index(min(costs[-1]))
    chosen: list[Harmony] = []
    for index in range(len(segments) - 1, -1, -1):
        chosen.append(by_key[segments[index].key][at][0])
        at = back[index][at]
    return chosen[::-1]


def _cost(segment: Segment, harmony: Harmony, price: float) -> float:
    total = sum(weight for _, weight, _ in segment.weights)
    bad = sum(
        weight * (1.0 if on_beat else _OFF_BEAT_MISFIT)
        for pitch, weight, on_beat in segment.weights
        if pitch not in harmony.tones
    )
    cost = price + (_MISFIT * bad / total if total else 0.0)
    tonic = candidates(segment.key)[0][0].root
    if segment.begins and harmony.root != tonic:
        cost += _BEGINS_ELSEWHERE
    if segment.ends and harmony.root != tonic:
        cost += _ENDS_ELSEWHERE
    if segment.leads and harmony.root in leading_roots(segment.key):
        cost -= _LED
    if segment.closes_half and harmony.root in leading_roots(segment.key):
        cost -= _HALF_CLOSE
    return cost


def _step(before: Segment, segment: Segment, harmony: Harmony, then: Harmony) -> float:
    if harmony.name == then.name:
        return 0.0
    if segment.bar == before.bar and not segment.may_change:
        return 10.0  # no note begins here that could bear the symbol
    cost = _CHANGE_IN_BAR if segment.bar == before.bar else _CHANGE_AT_BAR
    motion = (then.root - harmony.root) % 12
    return cost + (_FIFTH if motion in (5, 7) else _THIRD if motion in (3, 4, 8, 9) else 0.0)


def _usual(segments: list[Segment], chosen: list[Harmony], bars: list[Bar]) -> dict[int, str]:
    """For segments of bars that come several times, the chord that most of them have."""
    numbers: dict[object, int] = {}
    alike = [
        numbers.setdefault(tuple((tuple(p.midi for p in c.pitches), c.length) for c in bar.chords), len(numbers))
        for bar in bars
    ]
    places: dict[tuple[int, Fraction, Key], list[int]] = defaultdict(list)
    for index, segment in enumerate(segments):
        if not segment.ends:
            places[(alike[segment.bar], segment.start, segment.key)].append(index)
    found: dict[int, str] = {}
    for indices in places.values():
        if len(indices) > 1:
            name = Counter(chosen[index].name for index in indices).most_common(1)[0][0]
            found.update(dict.fromkeys(indices, name))
    return found
