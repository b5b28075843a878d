"""Plays a timeline of MIDI messages through FluidSynth's library, into arrays of samples, as fast as it can."""

import ctypes
import threading
from collections import OrderedDict
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
_GRAIN = 64  # frames that FluidSynth makes at once: what comes between two grains begins with the next
_TAIL_STEP_S = 0.05
_MAX_TAIL_S = 8.0
_INAUDIBLE = 0.001  # of a note's peak: 60 dB below it, among louder ones
_PERCUSSION = 9
_MAX_KEPT = 6
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
    "fluid_synth_all_sounds_off": (_INT, (_POINTER, _INT)),
    "fluid_synth_write_float": (_INT, (_POINTER, _INT, _POINTER, _INT, _INT, _POINTER, _INT, _INT)),
}
_LOG_LEVELS = 5
_SPARE_CHANNEL = 15
"""any but percussion's"""


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

    def __init__(self, soundfont: Path, rate: int = RATE, *, reverb: bool = True, keeps: bool = True) -> None:
        """A synthesiser that has played nothing yet.

        Args:
            soundfont: with the instruments.
            rate: of the sound, in Hz.
            reverb: whether it sounds in a room.
            keeps: whether the instruments that are read stay read for others.

        Raises:
            SynthError: the library or the sound font is not there, or is no sound font.
        """
        self.soundfont = soundfont
        self.rate = rate
        self._keeps = keeps
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
        if self._keeps:
            _instruments.keep(self.soundfont, _SPARE_CHANNEL, program)

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
                self.send(timeline[due].message)
                due += 1
            self._fill(channels, filled - position, stop - position)
            position = stop
            yield made

    def _fill(self, channels: list[int], start: int, stop: int) -> None:
        """Play into two arrays, whose addresses are given, from one frame to before another."""
        if stop > start:
            left, right = channels
            self._library.fluid_synth_write_float(self._synth, stop - start, left, start, 1, right, start, 1)

    def send(self, message: mido.Message) -> None:
        """Hear a message, of those that say what sounds."""
        library, synth = self._library, self._synth
        if message.type == "note_on" and message.velocity:
            if message.channel not in self._channels:
                self.change_program(message.channel, 0)
            library.fluid_synth_noteon(synth, message.channel, message.note, message.velocity)
        elif message.type in ("note_on", "note_off"):
            library.fluid_synth_noteoff(synth, message.channel, message.note)
        elif message.type == "program_change":
            self.change_program(message.channel, message.program)
        elif message.type == "control_change":
            library.fluid_synth_cc(synth, message.channel, message.control, message.value)
        elif message.type == "pitchwheel":
            library.fluid_synth_pitch_bend(synth, message.channel, message.pitch + 8192)

    def note(self, channel: int, pitch: int, velocity: int, held: int) -> Samples:
        """One note by itself, from its beginning until it is heard no more.

        Args:
            channel: whose instrument and controllers it has.
            pitch: MIDI's number.
            velocity: 1-127.
            held: frames until it is let go, to whole grains.
        """
        step = round(_TAIL_STEP_S * self.rate / _GRAIN) * _GRAIN
        self.send(mido.Message("note_on", channel=channel, note=pitch, velocity=velocity))
        pieces = [self._made(max(1, round(held / _GRAIN)) * _GRAIN)]
        self.send(mido.Message("note_off", channel=channel, note=pitch))
        loudest = float(np.abs(pieces[0]).max())
        for _ in range(round(_MAX_TAIL_S / _TAIL_STEP_S)):
            pieces.append(self._made(step))
            loudest = max(loudest, float(np.abs(pieces[-1]).max()))
            if np.abs(pieces[-1]).max() <= loudest * _INAUDIBLE:
                break
        pieces[-1] *= np.linspace(1, 0, step, dtype=np.float32)
        self._library.fluid_synth_all_sounds_off(self._synth, channel)
        return np.concatenate(pieces, axis=1)

    def _made(self, frames: int) -> Samples:
        made = np.empty((2, frames), np.float32)
        self._fill([row.ctypes.data for row in made], 0, frames)
        return made

    def change_program(self, channel: int, program: int) -> None:
        """Give a channel an instrument, which is read if nobody has read it lately."""
        if self._keeps:
            _instruments.keep(self.soundfont, channel, program)
        self._library.fluid_synth_program_change(self._synth, channel, program)
        self._channels.add(channel)


class _KeptInstruments:
    """The instruments that were played last: FluidSynth's cache has those that some synthesiser holds, and this is one.

    To read an instrument takes 10-50 ms, the drums 90: as long as to play half a minute.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._holder: Synth | None = None
        self._channels: OrderedDict[tuple[bool, int], int] = OrderedDict()

    def keep(self, soundfont: Path, channel: int, program: int) -> None:
        """Hold an instrument, and forget that which was played least lately."""
        kind = (channel == _PERCUSSION, program)
        with self._lock:
            if self._holder is None or self._holder.soundfont != soundfont:
                if self._holder is not None:
                    self._holder.close()
                self._holder = Synth(soundfont, keeps=False)
                self._channels.clear()
            if kind in self._channels:
                self._channels.move_to_end(kind)
                return
            used = set(self._channels.values())
            free = _PERCUSSION if kind[0] else next(c for c in range(_MAX_KEPT + 1) if c not in used)
            self._channels = OrderedDict((k, c) for k, c in self._channels.items() if c != free)
            self._channels[kind] = free
            self._holder.change_program(free, program)
            if len(self._channels) > _MAX_KEPT:
                self._channels.popitem(last=False)


_instruments = _KeptInstruments()
