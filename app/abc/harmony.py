"""Chords for a tune: its own symbols where it has some, else those that fit its notes, by dynamic programming.

A bar is parted into halves (beats of 9/8, whole bars of 3/4 and polkas). Each chord of the mode costs what it fits the
notes badly, notes on beats counting most; each step from one to the next costs what it moves. Sections begin and end on
the tonic and come to it from a chord that leads there; bars that are alike have chords alike.
"""

from collections import Counter, defaultdict
from dataclasses import dataclass
from fractions import Fraction
from functools import lru_cache

from app.abc.chord_symbols import Harmony, triad, write_symbols
from app.abc.dances import dance_of, is_in_sixteenths
from app.abc.keys import CIRCLE_OF_FIFTHS, MAJOR, MINOR, Key
from app.abc.macros import without_macros
from app.abc.meters import Meter
from app.abc.pitch import STEPS
from app.abc.playing_order import sections
from app.abc.reader import read
from app.abc.score import Bar, Score

_DEGREES: dict[str, tuple[tuple[int, str, float], ...]] = {
    "major": ((0, "", 0.0), (3, "", 0.2), (4, "", 0.15), (5, "m", 0.55), (1, "m", 0.6), (2, "m", 1.2)),
    "mixolydian": ((0, "", 0.0), (6, "", 0.1), (3, "", 0.35), (4, "m", 0.8), (1, "m", 0.9)),
    "dorian": ((0, "m", 0.0), (6, "", 0.05), (3, "", 0.5), (2, "", 0.5), (4, "m", 0.6)),
    "minor": ((0, "m", 0.0), (6, "", 0.1), (2, "", 0.4), (5, "", 0.45), (3, "m", 0.6), (4, "m", 0.6)),
    "lydian": ((0, "", 0.0), (1, "", 0.3), (4, "", 0.4), (5, "m", 0.6)),
    "phrygian": ((0, "m", 0.0), (1, "", 0.2), (6, "m", 0.4), (2, "", 0.6)),
}
"""By mode: degree from the tonic, kind, and how unusual it is; Irish backing keeps to few of them."""

_DOMINANT_IN_MINOR = 0.25
"""of the one chord out of its mode that is allowed: the major dominant, where the tune itself raises the seventh"""

_LEADS = {
    "major": (4, 3),
    "mixolydian": (6, 4),
    "dorian": (6, 4),
    "minor": (6, 4),
    "lydian": (4, 1),
    "phrygian": (1, 6),
}
_MISFIT = 3.6
_ON_BEAT, _FIRST, _OFF_BEAT_MISFIT = 1.5, 2.0, 1.2
_CHANGE_IN_BAR, _CHANGE_AT_BAR, _FIFTH, _THIRD = 0.8, 0.16, -0.1, 0.3
_BEGINS_ELSEWHERE, _ENDS_ELSEWHERE, _LED, _HALF_CLOSE, _ALIKE = 0.7, 1.0, 0.3, 0.18, 0.4
"""prices, found by trying on jigs, hornpipes and waltzes with somebody's chords, and held against his reels"""

_PHRASE = 4
_MAX_PARTS = 6  # of a bar with fewer notes; a bar that is as long as its metre has three at the most

Changes = list[tuple[Fraction, Harmony]]
"""chords of a bar, each with its time from the bar's beginning in whole notes"""


@dataclass(frozen=True)
class _Segment:
    """A stretch that has one chord."""

    bar: int
    start: Fraction
    """from the beginning of the bar as written"""
    weights: tuple[tuple[int, float, bool], ...]
    """pitch class, weight, whether on a beat"""
    may_change: bool
    key: Key
    begins: bool
    ends: bool
    leads: bool
    closes_half: bool


def harmonize(score: Score) -> list[Changes]:
    """Chords for each bar of the first voice; none for a pickup, whose chord is that of the bar that it leads to."""
    if not score.voices:
        return []
    bars = score.voices[0].bars
    found: list[Changes] = [[] for _ in bars]
    spans = sections(bars)
    own = _own(bars)
    chorded = {spans[index] for index, changes in enumerate(own) if changes}
    segments = [segment for segment in _segments(score, spans) if spans[segment.bar] not in chorded]
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
        begun = dict(reversed(_onsets(bars[index]))) if changes else {}
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


def _segments(score: Score, spans: list[tuple[int, int]]) -> list[_Segment]:
    found: list[_Segment] = []
    meter, key = score.meter, score.key
    small = is_in_sixteenths(score)
    is_polka = dance_of(score.rhythm, score.meter).name == "polka"
    for index, bar in enumerate(score.voices[0].bars):
        meter, key = bar.meter or meter, bar.key or key
        first, last = spans[index]
        whole = meter.length or bar.length
        if index == first and bar.length < whole:
            continue
        pickup = int(score.voices[0].bars[first].length < whole)
        number = index - first - pickup
        size = whole / _parts(meter, small=small, is_polka=is_polka)
        beat = Fraction(3, meter.unit) if meter.is_compound else Fraction(1, 8 if small else 4)
        starts, size = _parted(bar, size)
        onsets = _onsets(bar)
        weights = _weights(bar, onsets, starts, size, beat)
        begun = {at for at, _ in onsets}
        for start, sounding in zip(starts, weights, strict=True):
            is_last = start == starts[-1]
            found.append(
                _Segment(
                    index, start, sounding, may_change=start in begun, key=key,
                    begins=number == 0 and not start, ends=index == last and is_last,
                    leads=(index == last and not is_last) or (len(starts) == 1 and index == last - 1),
                    closes_half=number % _PHRASE == _PHRASE - 1 and index != last and is_last,
                )
            )  # fmt: skip
    return found


def _parts(meter: Meter, *, small: bool, is_polka: bool) -> int:
    if meter.beats is None or (meter.beats % 3 == 0 and not meter.is_compound):
        return 1
    if meter.is_compound:
        return 3 if meter.beats == 9 else 2 if meter.beats % 2 == 0 else 1
    if (meter.beats, meter.unit) == (2, 4):
        return 2 if small and not is_polka else 1
    return 2 if meter.beats % 2 == 0 else 1


def _parted(bar: Bar, size: Fraction) -> tuple[list[Fraction], Fraction]:
    """Where the stretches of a bar begin, and how long they are: in a long bar hardly more of them than notes."""
    if not size:
        return [], size
    count = -(-bar.length // size)
    most = max(_MAX_PARTS, len(bar.chords))
    if count > most:
        count, size = most, bar.length / most
    return [size * part for part in range(count)], size


def _onsets(bar: Bar) -> list[tuple[Fraction, int]]:
    position, found = Fraction(0), []
    for index, chord in enumerate(bar.chords):
        found.append((position, index))
        position += chord.length
    return found


def _weights(
    bar: Bar, onsets: list[tuple[Fraction, int]], starts: list[Fraction], size: Fraction, beat: Fraction
) -> list[tuple[tuple[int, float, bool], ...]]:
    """What sounds in each stretch of a bar."""
    found: list[list[tuple[int, float, bool]]] = [[] for _ in starts]
    for at, index in onsets:
        chord = bar.chords[index]
        end = at + chord.length
        on_beat = at % beat == 0
        for part in range(int(at // size), min(-(-end // size), len(starts))) if starts else ():
            start = starts[part]
            lasts = min(end, start + size) - max(at, start)
            weight = float(lasts) * (_FIRST if at == start else _ON_BEAT if on_beat else 1.0)
            if lasts > 0:
                found[part] += [(pitch.midi % 12, weight, on_beat) for pitch in chord.pitches]
    return [tuple(sounding) for sounding in found]


def _choose(segments: list[_Segment], usual: dict[int, str]) -> list[Harmony]:
    """The cheapest way through; `usual` names chords that are cheaper in some segments."""
    if not segments:
        return []
    heard = {pitch for segment in segments for pitch, _, _ in segment.weights}
    by_key = {
        key: candidates(key, raised=_raises_seventh(heard, key), third=_has_third(heard, key))
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


def _named(key: Key) -> str:
    """The mode whose chords are taken."""
    return key.mode.name if key.mode.name in _DEGREES else MAJOR.name


def tonic_letter(key: Key) -> str:
    """The letter of the note that a tune comes home to; of the signature's major where its mode has no chord there."""
    mode = key.mode if key.mode.name in _DEGREES else MAJOR
    return CIRCLE_OF_FIFTHS[(CIRCLE_OF_FIFTHS.index("C") + key.fifths - mode.fifths) % len(CIRCLE_OF_FIFTHS)]


@lru_cache(256)
def candidates(key: Key, *, raised: bool = False, third: bool = True) -> tuple[tuple[Harmony, float], ...]:
    """The chords of a key that players use, the tonic first, each with how unusual it is.

    Args:
        key: signature and mode.
        raised: whether a minor tune raises its seventh, and so may have its major dominant.
        third: whether the tune has the tonic's third; modal tunes that lack it have a power chord there.
    """
    mode = _named(key)
    step = tonic_letter(key)
    found = []
    for degree, kind, price in _DEGREES[mode]:
        letter = STEPS[(STEPS.index(step) + degree) % 7]
        is_open = degree == 0 and not third and mode != "major"
        found.append((triad(letter, key.alter(letter), "5" if is_open else kind), price))
    if raised and mode == "minor":
        letter = STEPS[(STEPS.index(step) + 4) % 7]
        found.append((triad(letter, key.alter(letter), ""), _DOMINANT_IN_MINOR))
    return tuple(found)


def _raises_seventh(heard: set[int], key: Key) -> bool:
    return key.mode is MINOR and (candidates(key)[0][0].root - 1) % 12 in heard


def _has_third(heard: set[int], key: Key) -> bool:
    return candidates(key)[0][0].tones[1] in heard


def _cost(segment: _Segment, harmony: Harmony, price: float) -> float:
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
    if segment.leads and harmony.root in _leading(segment.key):
        cost -= _LED
    if segment.closes_half and harmony.root in _leading(segment.key):
        cost -= _HALF_CLOSE
    return cost


@lru_cache(256)
def _leading(key: Key) -> frozenset[int]:
    """Roots from which the tonic is come to."""
    mode = _named(key)
    by_degree = {
        degree: harmony.root for (degree, _, _), (harmony, _) in zip(_DEGREES[mode], candidates(key), strict=False)
    }
    return frozenset(by_degree[degree] for degree in _LEADS[mode] if degree in by_degree)


def _step(before: _Segment, segment: _Segment, harmony: Harmony, then: Harmony) -> float:
    if harmony.name == then.name:
        return 0.0
    if segment.bar == before.bar and not segment.may_change:
        return 10.0  # no note begins here that could bear the symbol
    cost = _CHANGE_IN_BAR if segment.bar == before.bar else _CHANGE_AT_BAR
    motion = (then.root - harmony.root) % 12
    return cost + (_FIFTH if motion in (5, 7) else _THIRD if motion in (3, 4, 8, 9) else 0.0)


def _usual(segments: list[_Segment], chosen: list[Harmony], bars: list[Bar]) -> dict[int, str]:
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
