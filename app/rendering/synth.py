"""Plays a timeline of MIDI messages through FluidSynth's library, into arrays of samples, as fast as it can."""

import ctypes
from collections.abc import Iterator
from ctypes import c_char_p, c_double, c_int, c_void_p
from dataclasses import dataclass
from pathlib import Path
from typing import Self

import mido
import numpy as np
from numpy.typing import NDArray

Samples = NDArray[np.float32]  # [2, n], full scale at ±1

RATE = 44_100  # Hz

_LIBRARY = "libfluidsynth.so.3"
_GAIN = 0.4  # leaves headroom for eight loud voices; what follows sets the loudness
_FAILED = -1
_NO_PROGRAMS = 0  # for `fluid_synth_sfload`: no instrument on any channel; a piano on each took 115 ms to read
_INT, _POINTER = c_int, c_void_p
_FUNCTIONS = {
    "new_fluid_settings": (_POINTER, ()),
    "delete_fluid_settings": (None, (_POINTER,)),
    "fluid_settings_setnum": (_INT, (_POINTER, c_char_p, c_double)),
    "fluid_settings_setint": (_INT, (_POINTER, c_char_p, _INT)),
    "fluid_set_log_function": (_POINTER, (_INT, _POINTER, _POINTER)),
    "new_fluid_synth": (_POINTER, (_POINTER,)),
    "delete_fluid_synth": (None, (_POINTER,)),
    "fluid_synth_sfload": (_INT, (_POINTER, c_char_p, _INT)),
    "fluid_synth_noteon": (_INT, (_POINTER, _INT, _INT, _INT)),
    "fluid_synth_noteoff": (_INT, (_POINTER, _INT, _INT)),
    "fluid_synth_cc": (_INT, (_POINTER, _INT, _INT, _INT)),
    "fluid_synth_pitch_bend": (_INT, (_POINTER, _INT, _INT)),
    "fluid_synth_program_change": (_INT, (_POINTER, _INT, _INT)),
    "fluid_synth_write_float": (_INT, (_POINTER, _INT, _POINTER, _INT, _INT, _POINTER, _INT, _INT)),
}
_LOG_LEVELS = 5
_SPARE_CHANNEL = 15
"""on which an instrument can be read early; it has one as any other once a note or a program comes on it"""


class SynthError(Exception):
    """The synthesiser or its sound font cannot be used."""


@dataclass(frozen=True)
class Timed:
    """A message, and the seconds after which it is due."""

    at_s: float
    message: mido.Message


def _load() -> ctypes.CDLL:
    try:
        library = ctypes.CDLL(_LIBRARY)
    except OSError as error:
        raise SynthError(f"{_LIBRARY}: {error}") from None
    for name, (result, arguments) in _FUNCTIONS.items():
        function = getattr(library, name)
        function.restype, function.argtypes = result, arguments
    for level in range(_LOG_LEVELS):
        library.fluid_set_log_function(level, None, None)
    return library


def is_installed() -> bool:
    """Whether the library is there."""
    try:
        _load()
    except SynthError:
        return False
    return True


class Synth:
    """A synthesiser with a sound font, for one tune. Calls into the library release Python's lock.

    Making one takes 8 ms. One that was reset would keep its reverb's phase and its place in a block of 64 frames, so
    that the same tune would not have the same bytes again.
    """

    def __init__(self, soundfont: Path, rate: int = RATE, *, reverb: bool = True) -> None:
        """Raises SynthError: the library or the sound font is not there, or is no sound font."""
        self.rate = rate
        self._channels: set[int] = set()  # that have an instrument
        self._library = _load()
        self._settings = c_void_p(self._library.new_fluid_settings())
        self._library.fluid_settings_setnum(self._settings, b"synth.sample-rate", float(rate))
        self._library.fluid_settings_setnum(self._settings, b"synth.gain", _GAIN)
        for name, value in {
            b"synth.cpu-cores": 1,
            b"synth.chorus.active": 0,
            b"synth.reverb.active": int(reverb),
            b"synth.dynamic-sample-loading": 1,
            b"synth.polyphony": 64,
        }.items():
            self._library.fluid_settings_setint(self._settings, name, value)
        for name, number in {b"room-size": 0.3, b"damp": 0.4, b"width": 0.6, b"level": 0.35}.items():
            self._library.fluid_settings_setnum(self._settings, b"synth.reverb." + name, number)
        self._synth = c_void_p(self._library.new_fluid_synth(self._settings))
        if self._library.fluid_synth_sfload(self._synth, str(soundfont).encode(), _NO_PROGRAMS) == _FAILED:
            self.close()
            raise SynthError(f"{soundfont}: not a sound font that FluidSynth reads")

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Give its memory back."""
        self._library.delete_fluid_synth(self._synth)
        self._library.delete_fluid_settings(self._settings)

    def read_program(self, program: int) -> None:
        """Read an instrument before a message asks for it, which takes 10 ms of decoding."""
        self._library.fluid_synth_program_change(self._synth, _SPARE_CHANNEL, program)

    def play(self, timeline: tuple[Timed, ...], duration_s: float, block: int) -> Iterator[Samples]:
        """The sound of a timeline, in blocks of at most `block` frames, `duration_s` long altogether."""
        end = round(duration_s * self.rate)
        position, due = 0, 0
        while position < end:
            stop = min(position + block, end)
            made = np.empty((2, stop - position), np.float32)
            channels = [row.ctypes.data for row in made]
            filled = position
            while due < len(timeline) and (frame := round(timeline[due].at_s * self.rate)) < stop:
                self._fill(channels, filled - position, max(frame, filled) - position)
                filled = max(frame, filled)
                self._send(timeline[due].message)
                due += 1
            self._fill(channels, filled - position, stop - position)
            position = stop
            yield made

    def _fill(self, channels: list[int], start: int, stop: int) -> None:
        """Play into two arrays, whose addresses are given, from one frame to before another."""
        if stop > start:
            left, right = channels
            self._library.fluid_synth_write_float(self._synth, stop - start, left, start, 1, right, start, 1)

    def _send(self, message: mido.Message) -> None:
        library, synth = self._library, self._synth
        if message.type == "note_on" and message.velocity:
            if message.channel not in self._channels:
                self._change_program(message.channel, 0)
            library.fluid_synth_noteon(synth, message.channel, message.note, message.velocity)
        elif message.type in ("note_on", "note_off"):
            library.fluid_synth_noteoff(synth, message.channel, message.note)
        elif message.type == "program_change":
            self._change_program(message.channel, message.program)
        elif message.type == "control_change":
            library.fluid_synth_cc(synth, message.channel, message.control, message.value)
        elif message.type == "pitchwheel":
            library.fluid_synth_pitch_bend(synth, message.channel, message.pitch + 8192)

    def _change_program(self, channel: int, program: int) -> None:
        self._library.fluid_synth_program_change(self._synth, channel, program)
        self._channels.add(channel)
