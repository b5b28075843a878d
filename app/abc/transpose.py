"""Transposes a score by semitones: notes, key signatures and chord symbols."""

import re
from dataclasses import replace

from app.abc.keys import FIFTHS_PER_CIRCLE, SEMITONES_PER_FIFTH, STEPS_PER_FIFTH, Key
from app.abc.pitch import (
    NATURAL_SEMITONES,
    SEMITONES_PER_OCTAVE,
    SIGNS,
    STEPS,
    Pitch,
    place_of,
    semitones_of,
)
from app.abc.score import Bar, Chord, Score
from app.abc.written_subset import MAX_KEY_ACCIDENTALS
from app.errors import NotationError

_CHORD_TONE = re.compile(r"(^|/)([A-G])([#b]*)")
_MAX_ALTERATION = 2


def transposed(score: Score, semitones: int) -> Score:
    """A score at another pitch; key signatures follow, in the spelling with the fewest sharps or flats.

    Args:
        score: as it is written.
        semitones: up, or down below nought.

    Raises:
        NotationError: its keys cannot all be written with seven sharps or flats at that pitch.
    """
    if not semitones:
        return score
    move = _Move(semitones, _fifths(score, semitones))
    voices = [replace(voice, bars=[_bar(bar, move) for bar in voice.bars]) for voice in score.voices]
    return replace(score, key=move.key(score.key), voices=voices)


def respelt(place: int, alter: int) -> tuple[int, int]:
    """The enharmonic pitch that is a natural or the sharp of one: it can be written whatever the alteration was."""
    octave, semitone = divmod(semitones_of(place) + alter, SEMITONES_PER_OCTAVE)
    index = max(index for index, step in enumerate(STEPS) if NATURAL_SEMITONES[step] <= semitone)
    return len(STEPS) * octave + index, semitone - NATURAL_SEMITONES[STEPS[index]]


class _Move:
    """An interval, in semitones and in steps of the scale."""

    def __init__(self, semitones: int, fifths: int) -> None:
        octaves = (semitones - SEMITONES_PER_FIFTH * fifths) // SEMITONES_PER_OCTAVE
        self._semitones = semitones
        self._fifths = fifths
        self._steps = STEPS_PER_FIFTH * fifths + len(STEPS) * octaves
        self._pitches: dict[Pitch, Pitch] = {}

    def _natural(self, place: int) -> tuple[int, int]:
        """Where a natural goes: its new place, and the semitones that it is altered by."""
        new = place + self._steps
        return new, semitones_of(place) + self._semitones - semitones_of(new)

    def pitch(self, pitch: Pitch) -> Pitch:
        """Where a pitch goes; an accidental before it stays one."""
        if (known := self._pitches.get(pitch)) is None:
            place, alter = self._natural(pitch.place)
            alter += pitch.alter
            if alter not in SIGNS:  # past a double sharp or flat: the neighbour's name
                place, alter = respelt(place, alter)
                known = Pitch(place, alter, alter)
            else:
                known = Pitch(place, alter, None if pitch.written is None else alter)
            self._pitches[pitch] = known
        return known

    def key(self, key: Key) -> Key:
        """Where a key goes."""
        altered = []
        for step, alter in key.altered:
            place, moved = self._natural(STEPS.index(step))
            altered.append((STEPS[place % len(STEPS)], max(-_MAX_ALTERATION, min(_MAX_ALTERATION, moved + alter))))
        tonic = self.tone(key.tonic[:1], key.tonic[1:]) if key.tonic else ""
        return Key(key.fifths + self._fifths, key.mode, tuple(altered), tonic)

    def tone(self, step: str, sign: str) -> str:
        """Where a tonic or a chord's tone goes."""
        place, alter = self._natural(place_of(step))
        alter += sign.count("#") - sign.count("b")
        if abs(alter) > _MAX_ALTERATION:
            place, alter = respelt(place, alter)
        return STEPS[place % len(STEPS)] + ("#" * alter if alter > 0 else "b" * -alter)

    def symbol(self, symbol: str) -> str:
        """Where a chord symbol goes."""
        return _CHORD_TONE.sub(lambda tone: tone[1] + self.tone(tone[2], tone[3]), symbol)


def _fifths(score: Score, semitones: int) -> int:
    """How far keys move along the circle of fifths."""
    keys = {score.key.fifths} | {bar.key.fifths for voice in score.voices for bar in voice.bars if bar.key}
    around = SEMITONES_PER_FIFTH * semitones % FIFTHS_PER_CIRCLE  # seven fifths are a semitone and four octaves
    moves = [around + turn * FIFTHS_PER_CIRCLE for turn in (-2, -1, 0, 1)]
    best = min(moves, key=lambda move: (max(abs(key + move) for key in keys), abs(move)))
    if any(abs(key + best) > MAX_KEY_ACCIDENTALS for key in keys):
        raise NotationError(f"its keys cannot all be written {semitones:+d} semitones away with seven sharps or flats")
    return best


def _bar(bar: Bar, move: _Move) -> Bar:
    return replace(
        bar,
        chords=[_chord(chord, move) for chord in bar.chords],
        overlays=[[_chord(chord, move) for chord in line] for line in bar.overlays],
        key=move.key(bar.key) if bar.key else None,
    )


def _chord(chord: Chord, move: _Move) -> Chord:
    return replace(
        chord,
        pitches=tuple(map(move.pitch, chord.pitches)),
        graces=tuple(map(move.pitch, chord.graces)),
        symbol=move.symbol(chord.symbol) if chord.symbol else None,
    )
