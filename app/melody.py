"""A tune as the bars that are compared when it is asked where else they stand.

A shared bar is one whose notes are the same to the ear of a player: the same intervals, in semitones, between the notes
and the same share of the bar for each. What makes no difference: the key it is played in and how it is written (the
signature, accidentals held from earlier in the bar, the octave of the whole), the unit length, 2/4 in sixteenths for
4/4 in eighths, a note written as two that are tied, slurs, beams, grace notes and ornaments, chord symbols, and the
lower notes of chords. What does: one note more, less, longer, or a semitone higher.

Two bars in a row are shared as a run if the step from the first to the second is the same too. A pickup, half a bar
at the most, is passed over: two or three notes say nothing, and one setting of a tune has it where another has not.
"""

import hashlib
from dataclasses import dataclass
from fractions import Fraction

from app.score import Bar, Score


@dataclass(frozen=True)
class MelodyBar:
    """A bar to compare.

    `number` is its place among the tune's bars (0 for a pickup, else from 1 up, whatever their length), `shape` 64 bits
    that equal bars have in common, `high` the MIDI number of its first note, `notes` how many it has.
    """

    number: int
    shape: int
    high: int
    notes: int


def melody(score: Score) -> list[MelodyBar]:
    """The bars of a tune's first voice that are longer than half of its metre."""
    bars: list[MelodyBar] = []
    meter = score.meter
    number = 0
    for index, bar in enumerate(score.voices[0].bars if score.voices else ()):
        meter = bar.meter or meter
        whole = meter.length or Fraction(1)
        lasts = bar.length
        number += index > 0 or lasts >= whole
        if 2 * lasts > whole:
            high = bars[-1].high if bars else 60
            bars.append(_melody_bar(bar, number, whole, high))
    return bars


def _melody_bar(bar: Bar, number: int, whole: Fraction, before: int) -> MelodyBar:
    sounds = _sounds(bar)
    high = next((pitch for pitch, _ in sounds if pitch is not None), before)
    described = ",".join(
        f"{'z' if pitch is None else pitch - high}:{(length / whole).as_integer_ratio()}" for pitch, length in sounds
    )
    digest = hashlib.blake2b(described.encode(), digest_size=8).digest()
    notes = sum(pitch is not None for pitch, _ in sounds)
    return MelodyBar(number, int.from_bytes(digest), high, notes)


def _sounds(bar: Bar) -> list[tuple[int | None, Fraction]]:
    """The highest note of each chord (None: a rest) and how long it lasts; tied notes and rests in a row are one."""
    sounds: list[tuple[int | None, Fraction]] = []
    is_held = False
    for chord in bar.chords:
        pitch = max((pitch.midi for pitch in chord.pitches), default=None)
        if sounds and sounds[-1][0] == pitch and (is_held or pitch is None):
            sounds[-1] = pitch, sounds[-1][1] + chord.length
        else:
            sounds.append((pitch, chord.length))
        is_held = chord.is_tied
    return sounds
