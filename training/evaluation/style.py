"""How tunes are spread over scale degrees, intervals, rhythms and forms, and how far two such spreads overlap."""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from fractions import Fraction
from itertools import pairwise
from statistics import mean, median

from training.evaluation.music import Music, plain

EIGHTH = Fraction(1, 8)
DEGREES = ("1", "♭2", "2", "♭3", "3", "4", "♯4", "5", "♭6", "6", "♭7", "7")
NEW = "new"
FARTHEST = 16  # bars back to look for the same bar
WIDEST = 12  # semitones; wider leaps are counted with the octave
LONGEST = 64  # bars; longer tunes are counted together
LONGEST_PART = 32


def _degrees(music: Music) -> Iterator[str]:
    return (DEGREES[(sound.midi - music.tonic) % 12] for sound in music.sounds)


def _intervals(music: Music) -> Iterator[str]:
    for before, after in pairwise(music.sounds):
        step = max(-WIDEST, min(WIDEST, after.midi - before.midi))
        yield f"{step:+d}" if step else "0"


def _durations(music: Music) -> Iterator[str]:
    return (str(sound.length) for sound in music.sounds)


def _rhythms(music: Music) -> Iterator[str]:
    for bar in music.whole_bars:
        yield " ".join(("z" if not note.pitches else "") + str(note.length / EIGHTH) for note in bar)


def _repetition(music: Music) -> Iterator[str]:
    """For each bar after the first, how many bars back the same notes stand."""
    bars = [plain(bar) for bar in music.bars]
    for number in range(1, len(bars)):
        lags = range(1, min(number, FARTHEST) + 1)
        yield str(next((lag for lag in lags if bars[number - lag] == bars[number]), NEW))


def _notes_a_bar(music: Music) -> Iterator[str]:
    return (str(sum(bool(note.pitches) for note in bar)) for bar in music.whole_bars)


def _bars_a_part(music: Music) -> Iterator[str]:
    return (str(bars) if bars < LONGEST_PART else f"{LONGEST_PART}+" for bars in music.parts)


def _length(music: Music) -> Iterator[str]:
    begin = min(len(music.whole_bars) // 8 * 8, LONGEST)
    yield f"{begin}–{begin + 7}" if begin < LONGEST else f"{begin}+"


ASPECTS: dict[str, Callable[[Music], Iterable[str]]] = {
    "scale degrees": _degrees,
    "intervals": _intervals,
    "durations": _durations,
    "bar rhythms": _rhythms,
    "bar repetition": _repetition,
    "notes a bar": _notes_a_bar,
    "bars a part": _bars_a_part,
    "bars a tune": _length,
}
"""What is counted, each as categories: see the functions."""

Spread = dict[str, float]
"""Category → share; the shares add up to 1."""


@dataclass(frozen=True)
class Style:
    """What a list of tunes is like; shares are of the tunes that were understood, or of their parts."""

    tunes: int
    understood: float  # share of all
    ends_on_tonic: float
    parts_of_eight: float  # share of parts that have 8 bars
    notes_a_bar: float  # mean
    bars: float  # median of a tune, as written
    characters: float  # median of a tune
    spreads: dict[str, Spread]


def describe(tunes: list[str], music: list[Music | None]) -> Style | None:
    """None where not one tune is understood."""
    known = [each for each in music if each and each.sounds and each.whole_bars]
    if not known:
        return None
    counts = {
        name: Counter(category for each in known for category in aspect(each)) for name, aspect in ASPECTS.items()
    }
    spreads = {name: {c: n / count.total() for c, n in count.most_common()} for name, count in counts.items()}
    return Style(
        tunes=len(tunes),
        understood=len(known) / len(tunes),
        ends_on_tonic=mean((each.sounds[-1].midi - each.tonic) % 12 == 0 for each in known),
        parts_of_eight=spreads["bars a part"].get("8", 0.0),
        notes_a_bar=sum(int(count) * share for count, share in spreads["notes a bar"].items()),
        bars=median(len(each.whole_bars) for each in known),
        characters=median(map(len, tunes)),
        spreads=spreads,
    )


def overlap(one: Spread, other: Spread) -> float:
    """The area that two spreads share, the sum of the smaller shares: 1 less their total variation distance."""
    return sum(min(share, other.get(category, 0.0)) for category, share in one.items())


def overlaps(one: Style, other: Style) -> dict[str, float]:
    """By aspect."""
    return {name: overlap(one.spreads[name], other.spreads[name]) for name in ASPECTS}
