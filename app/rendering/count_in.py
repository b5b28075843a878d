"""Clicks for the bar before a tune, which its pickup completes."""

from fractions import Fraction

import mido

from app.abc.meters import Meter
from app.abc.score import Score
from app.rendering.midi_events import PERCUSSION, Event

_HIGH_WOOD_BLOCK, _LOW_WOOD_BLOCK = 76, 77
_CLICK_TICKS_PER_BEAT = 0.25


def counted_in(events: list[Event], score: Score, beat: int) -> list[Event]:
    """Clicks for a bar, which a pickup completes."""
    count, each = _beats(score.meter)
    length = count_in_ticks(score, beat)
    clicks: list[Event] = []
    for index in range(count):
        tick = round(index * each * 4 * beat)
        if tick < length:
            note = _LOW_WOOD_BLOCK if index else _HIGH_WOOD_BLOCK
            on = mido.Message("note_on", channel=PERCUSSION, note=note, velocity=100)
            off = mido.Message("note_off", channel=PERCUSSION, note=note)
            clicks += [Event(tick, on), Event(tick + round(_CLICK_TICKS_PER_BEAT * beat), off)]
    opening = [event for event in events if _opens(event)]
    rest = [event for event in events if not _opens(event)]
    return opening + clicks + [Event(event.tick + length, event.message) for event in rest]


def count_in_ticks(score: Score, beat: int) -> int:
    """As long as a bar without the pickup that completes it."""
    count, each = _beats(score.meter)
    return round((count * each - Fraction(_pickup_ticks(score, beat), 4 * beat)) * 4 * beat)


def _opens(event: Event) -> bool:
    return event.tick == 0 and event.message.type in ("set_tempo", "program_change")


def _beats(meter: Meter) -> tuple[int, Fraction]:
    """How many beats a bar has, and how long each is in whole notes."""
    return (4, Fraction(1, 4)) if meter.length is None else (int(meter.length / meter.beat), meter.beat)


def _pickup_ticks(score: Score, beat: int) -> int:
    """How much music comes before the first whole bar."""
    first = next((voice.bars[0] for voice in score.voices), None)
    whole = score.meter.length
    if first is None or whole is None or first.length >= whole:
        return 0
    return round(first.length * 4 * beat)
