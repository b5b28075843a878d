"""How long a tune lasts as it is played, at its own tempo or at that of its kind."""

import re
from dataclasses import dataclass

from app.abc.dances import quarters_a_minute
from app.abc.score import Bar, Score

_MAX_TIMES = 10_000  # past it a tune is too long whatever it holds


def default_tempo(score: Score) -> float:
    """Quarter notes a minute: the tune's own, or its rhythm's."""
    return score.tempo or quarters_a_minute(score)


@dataclass(frozen=True)
class Played:
    """What sounds of a tune in one performance, all voices together."""

    bars: int
    notes: int
    """rests and grace notes too"""


def played(score: Score) -> Played:
    """How much is played, with repeats, endings and parts."""
    bars = notes = 0
    for voice in score.voices:
        for bar, times in zip(voice.bars, times_sounded(voice.bars, score), strict=True):
            bars += times * bar.count
            notes += times * bar.count * sum(max(1, len(chord.pitches)) + len(chord.graces) for chord in bar.chords)
    return Played(bars, notes)


def duration_s(score: Score, tempo: float | None = None) -> float:
    """Seconds that a tune lasts with its repeats, endings and parts, its longest voice counting.

    Args:
        score: the tune.
        tempo: quarter notes a minute, instead of all that the tune says.
    """
    return max((_voice_seconds(voice.bars, score, tempo) for voice in score.voices), default=0.0)


def _voice_seconds(bars: list[Bar], score: Score, tempo: float | None) -> float:
    steady = tempo or (None if score.tempo or any(bar.tempo for bar in bars) else default_tempo(score))
    total_s = 0.0
    for bar, times in zip(bars, times_sounded(bars, score), strict=True):
        total_s += times * bar.count * (float(bar.length) * 240 / steady if steady else bar.seconds)
    return total_s


def times_sounded(bars: list[Bar], score: Score) -> list[int]:
    """How often each bar of a voice sounds: repeats, endings and parts."""
    times = times_played(bars)
    if not score.parts or not any(bar.part for bar in bars):
        return times
    order = expand_parts(score.parts)
    name = ""
    for index, bar in enumerate(bars):
        name = bar.part or name
        times[index] *= order.get(name, 0 if name else 1)
    return times


def times_played(bars: list[Bar]) -> list[int]:
    """How often each bar sounds: repeats and endings, not parts (ABC 2.1, sections 4.8 and 4.9)."""
    times = [1] * len(bars)
    endings = [0] * len(bars)  # how many times through a bar of an ending belongs to; nought outside of endings
    start = 0
    ending = 0
    for index, bar in enumerate(bars):
        if bar.opens_repeat:
            start = index
        if bar.ending:
            ending = _count(bar.ending)
        endings[index] = ending
        if bar.closes_repeat:
            for inside in range(start, index + 1):
                times[inside] = endings[inside] or bar.closes_repeat + 1
            start = index + 1
        if bar.ends_ending or bar.closes_repeat:
            ending = 0
    return times


def _count(numbers: str) -> int:
    """`1,3` and `1-3` name two and three."""
    count = 0
    for part in numbers.split(","):
        first, _, last = part.partition("-")
        count += max(1, int(last) - int(first) + 1) if first and last else 1
    return min(count, _MAX_TIMES)


def expand_parts(text: str) -> dict[str, int]:
    """How often `P:A2(BC)3` plays each part (ABC 2.1, section 3.1.9); never more than 10,000 times."""
    stack: list[dict[str, int]] = [{}]
    closed: dict[str, int] = {}
    for token in re.findall(r"[A-Za-z]|\d+|[()]", text):
        if token.isdigit():
            for part, times in closed.items():
                extra = times * (min(int(token), _MAX_TIMES) - 1)
                stack[-1][part] = min(stack[-1].get(part, 0) + extra, _MAX_TIMES)
            closed = {}
        elif token == "(":  # noqa: S105
            stack.append({})
            closed = {}
        elif token != ")":  # noqa: S105
            closed = {token: 1}
            stack[-1][token] = min(stack[-1].get(token, 0) + 1, _MAX_TIMES)
        elif len(stack) > 1:
            closed = stack.pop()
            for part, times in closed.items():
                stack[-1][part] = min(stack[-1].get(part, 0) + times, _MAX_TIMES)
    return stack[0]
