"""How long a tune lasts as it is played: repeats and endings, at its own tempo or at that of its rhythm (`dances`)."""

from dataclasses import dataclass

from app.abc.dances import quarters_a_minute
from app.abc.playing_order import times_played
from app.abc.score import Score, Voice
from app.abc.voices import leading_voice


def default_tempo(score: Score) -> float:
    """Quarter notes a minute: the tune's own, or its rhythm's."""
    return score.tempo or quarters_a_minute(score)


@dataclass(frozen=True)
class Played:
    """What sounds of a tune in one performance, all voices together."""

    bars: int
    notes: int
    """rests and grace notes too"""
    sounding: int = 0
    """without rests"""


def played(score: Score) -> Played:
    """How much is played, with repeats, endings and parts."""
    bars = notes = sounding = 0
    for voice in score.voices:
        for bar, times in zip(voice.bars, times_played(voice, score.parts), strict=True):
            bars += times * bar.count
            notes += (
                times
                * bar.count
                * sum(max(1, len(chord.pitches)) + len(chord.graces) for line in bar.lines for chord in line)
            )
            sounding += times * bar.count * sum(len(chord.pitches) for line in bar.lines for chord in line)
    return Played(bars, notes, sounding)


def duration_s(score: Score, tempo: float | None = None) -> float:
    """Seconds that a tune lasts with its repeats, endings and parts, its longest voice counting.

    Args:
        score: the tune.
        tempo: quarter notes a minute, instead of all that the tune says.
    """
    return max((_voice_seconds(voice, score, tempo) for voice in score.voices), default=0.0)


def says_tempo(score: Score) -> bool:
    """Whether a tune says how fast it is anywhere."""
    return bool(score.tempo) or leading_voice(score.voices) is not None


def _voice_seconds(voice: Voice, score: Score, tempo: float | None) -> float:
    steady = tempo or (None if says_tempo(score) else default_tempo(score))
    total_s = 0.0
    for bar, times in zip(voice.bars, times_played(voice, score.parts), strict=True):
        total_s += times * bar.count * (float(bar.length) * 240 / steady if steady else bar.seconds)
    return total_s
