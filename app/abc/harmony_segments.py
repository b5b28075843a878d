"""Parts a tune into stretches that have one chord each, and says what sounds in them."""

from dataclasses import dataclass
from fractions import Fraction

from app.abc.dances import dance_of, is_in_sixteenths
from app.abc.keys import Key
from app.abc.meters import Meter
from app.abc.score import Bar, Score

_ON_BEAT, _FIRST = 1.5, 2.0
"""how much notes on a beat, and at a stretch's beginning, count for more"""

_PHRASE = 4
_MAX_PARTS = 6  # of a bar with fewer notes; a bar that is as long as its metre has three at the most


@dataclass(frozen=True)
class Segment:
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


def segments_of(score: Score, spans: list[tuple[int, int]]) -> list[Segment]:
    """The segments of the first voice; `spans` has, of each bar, the first and the last bar of its section."""
    found: list[Segment] = []
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
        onsets = onsets_of(bar)
        weights = _weights(bar, onsets, starts, size, beat)
        begun = {at for at, _ in onsets}
        for start, sounding in zip(starts, weights, strict=True):
            is_last = start == starts[-1]
            found.append(
                Segment(
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


def onsets_of(bar: Bar) -> list[tuple[Fraction, int]]:
    """When each chord of notes begins in the bar, and its place among them."""
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
