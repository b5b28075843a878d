"""Makes the voices of a tune agree: what one says for all of them, repeats and tempos, holds for each."""

from collections.abc import Callable, Iterator
from fractions import Fraction

from app.abc.score import Bar, Voice

_USUAL_TEMPO = 120.0
"""Quarter notes a minute before a tune says its tempo."""

_SECONDS_A_WHOLE_NOTE = 240  # at one quarter note a minute


def agree(voices: list[Voice], tempo: float | None) -> None:
    """Give each voice the repeats, endings and parts that one has and it lacks, and its bars their seconds.

    Repeats are taken over where the bars are as long one by one.

    Args:
        voices: of one tune.
        tempo: quarter notes a minute at its beginning.
    """
    if len(voices) > 1:
        _share(voices, _has_repeats, _copy_repeats)
        _share(voices, _has_part, _copy_part)
    leading = leading_voice(voices)
    shared = list(_changes(leading)) if leading is not None else []
    for voice in voices:
        own = list(_changes(voice)) if leading is not None and voice is not leading else shared
        _time(voice, own or shared, tempo or _USUAL_TEMPO)


def leading_voice(voices: list[Voice]) -> Voice | None:
    """The first voice in which the tempo changes."""
    return next((voice for voice in voices if any(bar.tempo or bar.changes_tempo_within for bar in voice.bars)), None)


def _share(voices: list[Voice], has: Callable[[Bar], bool], copy: Callable[[Bar, Bar], None]) -> None:
    source = next((voice for voice in voices if any(map(has, voice.bars))), None)
    if source is None:
        return
    lengths = [(bar.length, bar.count) for bar in source.bars]
    for voice in voices:
        if voice is source or any(map(has, voice.bars)):
            continue
        if len(voice.bars) == len(lengths) and [(bar.length, bar.count) for bar in voice.bars] == lengths:
            for bar, other in zip(source.bars, voice.bars, strict=True):
                copy(bar, other)


def _has_repeats(bar: Bar) -> bool:
    return bool(bar.opens_repeat or bar.closes_repeat or bar.ending)


def _copy_repeats(bar: Bar, to: Bar) -> None:
    to.opens_repeat, to.closes_repeat, to.line_style = bar.opens_repeat, bar.closes_repeat, bar.line_style
    to.ending, to.ends_ending = bar.ending, bar.ends_ending


def _has_part(bar: Bar) -> bool:
    return bool(bar.part)


def _copy_part(bar: Bar, to: Bar) -> None:
    to.part = bar.part


def _changes(voice: Voice) -> Iterator[tuple[Fraction, float]]:
    """Where the tempo changes, in whole notes as written, and to what."""
    start = Fraction(0)
    for bar in voice.bars:
        if bar.tempo:
            yield start, bar.tempo
        at = start
        for chord in bar.chords if bar.changes_tempo_within else ():
            if chord.tempo:
                yield at, chord.tempo
            at += chord.length
        start += bar.length * bar.count


def _time(voice: Voice, changes: list[tuple[Fraction, float]], tempo: float) -> None:
    """Say of each bar how many seconds it lasts."""
    start, at = Fraction(0), 0
    for bar in voice.bars:
        end = start + bar.length * bar.count
        seconds, since = 0.0, start
        while at < len(changes) and changes[at][0] < end:
            seconds += float(changes[at][0] - since) * _SECONDS_A_WHOLE_NOTE / tempo
            since, tempo = changes[at]
            at += 1
        bar.seconds = (seconds + float(end - since) * _SECONDS_A_WHOLE_NOTE / tempo) / bar.count
        start = end
