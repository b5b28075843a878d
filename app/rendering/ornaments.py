"""Ornaments that a player adds where a text has none: cuts, rolls, triplets, drones; and what differs second times.

Lengths are those that abctools and players give: a cut lasts 45 ms; a long roll is three quavers of 1.45, 0.6 and 0.95
parted by a cut and a tap; a bowed or tongued triplet is 1 : 1 : 3. Which places are taken follows from the tune alone.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from zlib import crc32

from app.abc.keys import SEMITONES_PER_FIFTH, Key
from app.abc.pitch import NATURAL_SEMITONES, SEMITONES_PER_OCTAVE
from app.abc.score import Score
from app.rendering.feel import Place, places
from app.rendering.instruments import Instrument
from app.rendering.layout import Layout
from app.rendering.midi_events import Note

_CUT_S = 0.045
_ROLL = (1.45, 0.6, 0.95)
_ROLL_S = (0.33, 0.9)  # shorter ones cannot be played, longer ones are held
_TRIPLET = (0.2, 0.2, 0.6)
_TRIPLET_S = (0.2, 0.5)
_GRACE_IS_SOFTER, _MIDDLE_IS_SOFTER = 14, 8
_ROLLS, _CUTS, _TRIPLETS, _PASSING = 1.2, 1.4, 0.3, 0.5  # share of the places that are taken, at full feel
_APART = 2.0  # eighths from one ornament to the next, at the least
_NEARLY = 0.1  # of an eighth, by which lengths may differ
_MAX_CUT = 5  # semitones
_DRONE_PITCHES, _DRONE_VELOCITY = (45, 56), 44
_ORNAMENTS = {"roll", "trill", "turn", "mordent", "lowermordent", "uppermordent", "pralltriller"}


@dataclass(frozen=True)
class Line:
    """One voice as it is to be ornamented.

    Attributes:
        notes: in order.
        layout: where they fall.
        instrument: who plays them.
        semitones: by which they sound higher than they are written.
        second: how many ticks a second has at a tick.
        seed: of the tune.
    """

    notes: list[Note]
    layout: Layout
    instrument: Instrument
    semitones: int
    second: Callable[[int], float]
    seed: int


def seed_of(score: Score) -> int:
    """A number that a tune always has, in whatever key and on whatever instrument it is played."""
    chords = (chord for voice in score.voices for bar in voice.bars for chord in bar.chords)
    return crc32(bytes(pitch.midi % 128 for chord in chords for pitch in chord.pitches))


def has_ornaments(score: Score) -> bool:
    """Whether a text says its ornaments, so that none are to be added."""
    chords = (chord for voice in score.voices for bar in voice.bars for chord in bar.chords)
    return any(chord.graces or not _ORNAMENTS.isdisjoint(chord.decorations) for chord in chords)


def ornamented(line: Line, feel: float, *, varied: bool) -> list[Note]:
    """The notes with cuts, rolls and triplets; the same each time through, or else other ones if `varied`."""
    at = places(line.notes, line.layout)
    made: list[Note] = []
    last = float("-inf")
    for index, (note, place) in enumerate(zip(line.notes, at, strict=True)):
        before = line.notes[index - 1] if index else None
        after = line.notes[index + 1] if index + 1 < len(line.notes) else None
        chance = _chance(line.seed, place, place.bar.turn if varied else 0)
        now = note.start / line.layout.eighth
        added = None
        is_free = not place.bar.ends_section and now - last >= _APART
        if after is not None and is_free and not _is_chord(note, before, after):
            added = _ornament(line, note, before, place, feel, chance)
        if added:
            last = now
        made += added or [note]
    return made


def _ornament(
    line: Line, note: Note, before: Note | None, place: Place, feel: float, chance: float
) -> list[Note] | None:
    instrument = line.instrument
    lasts_s = (note.end - note.start) / line.second(note.start)
    eighths = (note.end - note.start) / line.layout.eighth
    if instrument.rolls and _is_rolled(place, eighths, line.layout) and _ROLL_S[0] <= lasts_s <= _ROLL_S[1]:
        return _roll(line, note, place.bar.key) if chance < _ROLLS * feel else None
    is_repeated = (
        before is not None and before.pitch == note.pitch and note.start - before.end <= line.layout.eighth / 4
    )
    if instrument.cut and is_repeated and eighths > 1 - _NEARLY:
        return _cut(line, note, place.bar.key) if chance < _CUTS * feel else None
    is_crotchet = abs(eighths - 2) < _NEARLY and abs(place.eighths % 2) < _NEARLY
    if (
        instrument.triplets
        and is_crotchet
        and _TRIPLET_S[0] <= lasts_s <= _TRIPLET_S[1]
        and not line.layout.is_compound
    ):
        return _triplet(note) if chance < _TRIPLETS * feel else None
    return None


def _is_rolled(place: Place, eighths: float, layout: Layout) -> bool:
    """Whether a note is a dotted crotchet within its bar; in jigs one that is a beat, not tied over into the next."""
    ends = place.eighths + eighths - layout.ticks(place.bar.offset + place.bar.length) / layout.eighth
    is_beat = not layout.is_compound or abs(place.eighths - 3 * round(place.eighths / 3)) < _NEARLY
    return abs(eighths - 3) < _NEARLY and ends < _NEARLY and is_beat


def _cut(line: Line, note: Note, key: Key) -> list[Note]:
    lasts = min(round(_CUT_S * line.second(note.start)), (note.end - note.start) // 3)
    above = _neighbour(note.pitch, key, line.semitones, line.instrument.cut)
    grace = replace(note, end=note.start + lasts, pitch=above, softer=_GRACE_IS_SOFTER)
    return [grace, replace(note, start=note.start + lasts)]


def _roll(line: Line, note: Note, key: Key) -> list[Note]:
    """Three quavers: the first plain, the second begun with a cut, the third with a tap from below.

    On the lowest note of a flute, whistle or pipes there is nothing to tap: a cran has a second cut, by another finger.
    """
    length = note.end - note.start
    first = note.start + round(length * _ROLL[0] / 3)
    second = first + round(length * _ROLL[1] / 3)
    middle = _cut(line, replace(note, start=first, end=second, softer=_MIDDLE_IS_SOFTER), key)
    last = _cut(line, replace(note, start=second), key)
    is_lowest = note.pitch - line.semitones <= line.instrument.lowest
    tap = _neighbour(note.pitch, key, line.semitones, line.instrument.cut + 1 if is_lowest else -1)
    return [replace(note, end=first), *middle, replace(last[0], pitch=tap), last[1]]


def _triplet(note: Note) -> list[Note]:
    length = note.end - note.start
    first, second = note.start + round(_TRIPLET[0] * length), note.start + round((_TRIPLET[0] + _TRIPLET[1]) * length)
    return [
        replace(note, end=first),
        replace(note, start=first, end=second, softer=_MIDDLE_IS_SOFTER),
        replace(note, start=second),
    ]


def varied(line: Line) -> list[Note]:
    """Passing notes in second and later times through: a crotchet before a third becomes two quavers towards it."""
    at = places(line.notes, line.layout)
    made: list[Note] = []
    for index, (note, place) in enumerate(zip(line.notes, at, strict=True)):
        after = line.notes[index + 1] if index + 1 < len(line.notes) else None
        between = _between(line, note, after, place.bar.key) if after is not None else None
        eighths = (note.end - note.start) / line.layout.eighth
        wanted = place.bar.turn > 0 and not place.bar.ends_section and abs(eighths - 2) < _NEARLY
        if between is not None and wanted and _chance(line.seed ^ 1, place, place.bar.turn) < _PASSING:
            half = (note.start + note.end) // 2
            made += [replace(note, end=half), replace(note, start=half, pitch=between)]
        else:
            made.append(note)
    return made


def _between(line: Line, note: Note, after: Note, key: Key) -> int | None:
    """The note of the scale between two a third apart."""
    leap = after.pitch - note.pitch
    if abs(leap) not in (3, 4) or after.start - note.end > line.layout.eighth / 4:
        return None
    step = _neighbour(note.pitch, key, line.semitones, 1 if leap > 0 else -1)
    return step if 0 < (step - note.pitch) * (1 if leap > 0 else -1) < abs(leap) else None


def drones(layout: Layout, until: int, channel: int, semitones: int, feel: float) -> list[Note]:
    """The tonic and its octave below a piper's tune, from its first bar to its end."""
    if not layout.bars:
        return []
    tonic = (tonic_of(layout.bars[0].key) + semitones) % SEMITONES_PER_OCTAVE
    low = next(pitch for pitch in range(*_DRONE_PITCHES) if pitch % SEMITONES_PER_OCTAVE == tonic)
    velocity = max(1, round(_DRONE_VELOCITY * min(1.0, 2 * feel)))
    return [Note(0, until, pitch, velocity, channel) for pitch in (low, low + SEMITONES_PER_OCTAVE)]


def tonic_of(key: Key) -> int:
    """The pitch class of a key's tonic, whatever stands in its signature beside the mode."""
    return SEMITONES_PER_FIFTH * (key.fifths - key.mode.fifths) % SEMITONES_PER_OCTAVE


def _neighbour(pitch: int, key: Key, semitones: int, steps: int) -> int:
    """The note so many steps of the scale above, or below if negative, no further than a fourth."""
    scale = {
        (natural + key.alter(step) + semitones) % SEMITONES_PER_OCTAVE for step, natural in NATURAL_SEMITONES.items()
    }
    direction = 1 if steps > 0 else -1
    left, found = abs(steps), pitch
    for _ in range(_MAX_CUT):
        found += direction
        left -= found % SEMITONES_PER_OCTAVE in scale
        if not left:
            break
    return max(0, min(127, found))


def _is_chord(note: Note, before: Note | None, after: Note) -> bool:
    return after.start <= note.start or (before is not None and before.start == note.start) or after.start < note.end


def _chance(seed: int, place: Place, turn: int) -> float:
    """A number from 0 to 1 that a place in a tune always has."""
    text = f"{seed} {place.bar.index} {place.eighths:.2f} {turn}"
    return crc32(text.encode()) / 2**32
