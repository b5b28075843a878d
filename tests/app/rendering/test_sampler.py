"""Accompaniment played from samples sounds as a synthesiser has it that plays every note anew."""

import threading
from collections.abc import Generator

import mido
import numpy as np
import pytest

from app.rendering.ensemble import Ensemble
from app.rendering.read_ahead import read_ahead
from app.rendering.sampler import Sampler, parted, repeats_enough
from app.rendering.synth import RATE, Samples, Synth, Timed, _instruments
from app.settings import Settings

GUITAR, DRUMS, FIDDLE = 15, 9, 0
LASTS_S = 9.0


def timeline() -> tuple[Timed, ...]:
    """Eight seconds of a tune, a guitar's bass and chords, and drums."""
    found = [
        Timed(0, mido.Message("program_change", channel=FIDDLE, program=40)),
        Timed(0, mido.Message("program_change", channel=GUITAR, program=25)),
        Timed(0, mido.Message("control_change", channel=GUITAR, control=10, value=20)),
    ]
    for index in range(32):
        at_s = 0.25 * index
        hits = [(FIDDLE, 70 + index % 7, 90), (DRUMS, 41, 57 + index % 4)]
        hits += [(GUITAR, pitch, 57 + index % 5) for pitch in ((50, 57, 62) if index % 2 else (43,))]
        for channel, pitch, velocity in hits:
            found.append(Timed(at_s, mido.Message("note_on", channel=channel, note=pitch, velocity=velocity)))
            found.append(Timed(at_s + 0.2, mido.Message("note_off", channel=channel, note=pitch)))
    return tuple(sorted(found, key=lambda timed: timed.at_s))


def played(accompanists: set[int]) -> Samples:
    with Ensemble(Settings().soundfont, accompanied=True) as ensemble:
        return np.concatenate(list(ensemble.play(timeline(), accompanists, LASTS_S, 10_000)), axis=1)


def levels_db(samples: Samples) -> np.ndarray:
    """Of each channel in each half second."""
    halves = samples.reshape(2, -1, RATE // 2)
    return np.asarray(10 * np.log10((halves**2).mean(axis=2) + 1e-8))


def test_it_sounds_as_when_every_note_is_synthesised() -> None:
    from_samples, anew = played({GUITAR, DRUMS}), played(set())
    assert from_samples.shape == anew.shape == (2, round(LASTS_S * RATE))
    assert not np.array_equal(from_samples, anew)
    assert np.abs(levels_db(from_samples) - levels_db(anew))[:, :16].max() < 2


def test_the_same_timeline_has_the_same_samples() -> None:
    assert np.array_equal(played({GUITAR, DRUMS}), played({GUITAR, DRUMS}))


def test_each_different_note_is_synthesised_once() -> None:
    _, accompaniment = parted(timeline(), {GUITAR, DRUMS})
    with Synth(Settings().soundfont) as synth:
        sampler = Sampler(synth)
        list(sampler.play(accompaniment, LASTS_S, 10_000))
        assert len(sampler._samples) == 5  # bass, three of a chord and a drum


def test_what_bends_or_hardly_repeats_is_not_played_from_samples() -> None:
    tune, accompaniment = parted(timeline(), {GUITAR, DRUMS})
    assert repeats_enough(accompaniment, RATE)
    assert {timed.message.channel for timed in tune} == {FIDDLE}
    bend = Timed(0, mido.Message("pitchwheel", channel=GUITAR, pitch=100))
    assert not repeats_enough((bend, *accompaniment), RATE)
    assert not repeats_enough(accompaniment[:8], RATE)


def counting(ended: threading.Event, until: int) -> Generator[int]:
    try:
        yield from range(until)
        raise ValueError("the end")
    finally:
        ended.set()


def test_items_made_ahead_come_in_order_and_what_goes_wrong_comes_behind_them() -> None:
    ended = threading.Event()
    made = read_ahead(counting(ended, 20))
    assert [next(made) for _ in range(20)] == list(range(20))
    with pytest.raises(ValueError, match="the end"):
        next(made)
    assert ended.is_set()


def test_a_reader_who_leaves_ends_what_is_made_ahead() -> None:
    ended, before = threading.Event(), threading.active_count()
    made = read_ahead(counting(ended, 1_000_000))
    assert next(made) == 0
    made.close()
    assert ended.is_set()
    assert threading.active_count() == before


def test_the_instruments_that_were_played_last_stay_read() -> None:
    with Synth(Settings().soundfont) as synth:
        for program in (25, 40, 73, 25, 74, 105, 21, 22):
            synth.change_program(FIDDLE, program)
        synth.change_program(DRUMS, 0)
    kept = list(_instruments._channels)
    assert kept == [(False, 25), (False, 74), (False, 105), (False, 21), (False, 22), (True, 0)]
    assert len(set(_instruments._channels.values())) == len(kept)
    assert _instruments._channels[True, 0] == DRUMS
