"""Plays an accompaniment from samples: each of its few different notes is synthesised once, and mixed in at each place.

A guitar's strings ring for seconds after they are let go, so that accompaniment of three notes at a time has 25 voices;
synthesised anew at each place it would take twice as long as the tune. A jig's 380 notes are 17 different ones. How
strongly one is struck is a matter of loudness alone: that goes with the square of the velocity (SoundFont 2.04, 8.4.1).
"""

from collections import OrderedDict
from collections.abc import Collection, Iterator
from dataclasses import dataclass, replace

import mido
import numpy as np

from app.rendering.synth import Samples, Synth, Timed

_MAX_KEPT_S = 60  # of samples: 21 MB at 44.1 kHz
_MIN_REPEATS = 3  # places for each different note; with fewer, what is saved is less than what its dying away costs
_HELD_STEP_S = 0.006  # to which the lengths of notes are rounded: so much earlier or later is not heard
_VELOCITY_STEP = 16
_NOTE_ON, _NOTE_OFF, _PROGRAM, _CONTROL = "note_on", "note_off", "program_change", "control_change"

_Settings = tuple[tuple[str, int, int], ...]
"""an instrument and controllers: kind, number, value"""


@dataclass(frozen=True)
class _Hit:
    """All that says how a note sounds."""

    channel: int
    settings: _Settings
    pitch: int
    velocity: int
    """to steps of 16, since fonts may have other samples for loud notes"""
    held: int
    """frames"""


@dataclass(frozen=True)
class _Onset:
    frame: int
    hit: _Hit
    gain: float


def parted(timeline: tuple[Timed, ...], channels: Collection[int]) -> tuple[tuple[Timed, ...], tuple[Timed, ...]]:
    """What other channels play, and what these do."""
    others = tuple(timed for timed in timeline if timed.message.channel not in channels)
    return others, tuple(timed for timed in timeline if timed.message.channel in channels)


def repeats_enough(timeline: tuple[Timed, ...], rate: int) -> bool:
    """Whether its notes are so few different ones that it is quicker to play them from samples."""
    if any(timed.message.type not in (_NOTE_ON, _NOTE_OFF, _PROGRAM, _CONTROL) for timed in timeline):
        return False
    onsets = _onsets(timeline, rate)
    return len(onsets) >= _MIN_REPEATS * len({onset.hit for onset in onsets})


class Sampler:
    """Plays one accompaniment.

    Args:
        synth: that has played nothing before; its reverb is never at rest, so that what comes first matters.
    """

    def __init__(self, synth: Synth) -> None:
        self._synth = synth
        self._samples: OrderedDict[_Hit, Samples] = OrderedDict()
        self._settings: dict[int, _Settings] = {}

    def play(self, timeline: tuple[Timed, ...], duration_s: float, block: int) -> Iterator[Samples]:
        """The sound of a timeline, in blocks of at most `block` frames, `duration_s` long altogether."""
        end = round(duration_s * self._synth.rate)
        onsets = _onsets(timeline, self._synth.rate)
        ringing: list[tuple[_Onset, Samples]] = []
        position, due = 0, 0
        while position < end:
            stop = min(position + block, end)
            made = np.zeros((2, stop - position), np.float32)
            while due < len(onsets) and onsets[due].frame < stop:
                ringing.append((onsets[due], self._sample(onsets[due].hit)))
                due += 1
            for onset, samples in ringing:
                start = onset.frame
                begin, until = max(start, position), min(start + samples.shape[1], stop)
                made[:, begin - position : until - position] += onset.gain * samples[:, begin - start : until - start]
            ringing = [(onset, samples) for onset, samples in ringing if onset.frame + samples.shape[1] > stop]
            position = stop
            yield made

    def _sample(self, hit: _Hit) -> Samples:
        """The note by itself, made when it is first asked for."""
        if hit in self._samples:
            self._samples.move_to_end(hit)
            return self._samples[hit]
        self._set(hit.channel, hit.settings)
        found = self._synth.note(hit.channel, hit.pitch, hit.velocity, hit.held)
        self._samples[hit] = found
        while sum(each.shape[1] for each in self._samples.values()) > _MAX_KEPT_S * self._synth.rate:
            self._samples.popitem(last=False)
        return found

    def _set(self, channel: int, settings: _Settings) -> None:
        for setting in settings:
            if setting not in self._settings.get(channel, ()):
                self._synth.send(_message(channel, setting))
        self._settings[channel] = settings


def _message(channel: int, setting: tuple[str, int, int]) -> mido.Message:
    kind, number, value = setting
    if kind == _PROGRAM:
        return mido.Message(_PROGRAM, channel=channel, program=value)
    return mido.Message(_CONTROL, channel=channel, control=number, value=value)


def _onsets(timeline: tuple[Timed, ...], rate: int) -> list[_Onset]:
    """Where each note begins, in order."""
    step = round(_HELD_STEP_S * rate)
    found: list[_Onset] = []
    settings: dict[int, _Settings] = {}
    sounding: dict[tuple[int, int], int] = {}

    def release(channel: int, pitch: int, frame: int) -> None:
        index = sounding.pop((channel, pitch), None)
        if index is not None:
            begun = found[index]
            held = max(1, round((frame - begun.frame) / step)) * step
            found[index] = replace(begun, hit=replace(begun.hit, held=held))

    frame = 0
    for timed in timeline:
        message, frame = timed.message, round(timed.at_s * rate)
        if message.type in (_PROGRAM, _CONTROL):
            settings[message.channel] = _changed(settings.get(message.channel, ()), message)
            continue
        release(message.channel, message.note, frame)  # a string that is plucked again sounds no longer
        if message.type == _NOTE_ON and message.velocity:
            sounding[message.channel, message.note] = len(found)
            near = max(1, round(message.velocity / _VELOCITY_STEP)) * _VELOCITY_STEP
            hit = _Hit(message.channel, settings.get(message.channel, ()), message.note, near, 0)
            found.append(_Onset(frame, hit, (message.velocity / near) ** 2))
    for channel, pitch in list(sounding):
        release(channel, pitch, frame)
    return found


def _changed(settings: _Settings, message: mido.Message) -> _Settings:
    is_program = message.type == _PROGRAM
    new = (_PROGRAM, 0, message.program) if is_program else (_CONTROL, message.control, message.value)
    return (*(setting for setting in settings if setting[:2] != new[:2]), new)
