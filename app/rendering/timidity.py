"""Plays MIDI through timidity, the lab notebook's synthesiser: in the sandbox, its samples read while it makes them."""

import threading
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

import numpy as np
import soundfile

from app.errors import BusyError, DeadlineError, RenderError, SetupError
from app.operations import tracing
from app.rendering import sandbox
from app.rendering.sandbox import Completed, Confinement, Limits
from app.rendering.synth import RATE, Samples

TIMIDITY = Path("/usr/bin/timidity")
DEFAULT_FONT = Path("/usr/share/sounds/sf2/default-GM.sf2")
"""timidity reads no SF3, which LILT_SOUNDFONT is as a rule"""

_MIB = 1024 * 1024
_MIDI, _WAV, _CONFIG = "tune.mid", "tune.wav", "timidity.cfg"
_LINK = "xawmidi-timidity"
"""A name by which it sets out with its windowed interface, to be told of the plain one by its arguments. The plain one
counts faults of the system's configuration, which on Debian names a font that is not installed and in the sandbox is
not there at all, and because of a fault it sleeps for a second before it plays; the other does not count."""
_LIMITS = Limits(cpu_s=60, wall_s=300, address_space=512 * _MIB, file_size=128 * _MIB)
_AMPLIFICATION = 150  # per cent: one voice peaks at a fifth of full scale; what follows sets the loudness
_HEADER = 44  # bytes of a WAV file
_FRAME = 4  # bytes of one in 16-bit stereo
_LOOK_S = 0.01  # between two looks at a file that has not grown
_RETRY_AFTER_S = 2


def font(wanted: Path) -> Path:
    """The sound font that timidity plays from: the one that is wanted if it can read it."""
    return wanted if wanted.suffix.lower() == ".sf2" else DEFAULT_FONT


class Run:
    """One run of timidity over a MIDI file, whose sound can be read as it is made.

    Args:
        midi: the file's content.
        folder: a private one.
        soundfont: an SF2 file.
        confinement: what `sandbox.choose` found.
        rate: of the sound, in Hz.
    """

    def __init__(
        self,
        midi: bytes,
        folder: Path,
        soundfont: Path,
        confinement: Confinement,
        rate: int = RATE,
    ) -> None:
        if any(character in str(soundfont) for character in '"\n'):
            raise SetupError(f"LILT_SOUNDFONT={soundfont!s}: timidity reads no path with quotes or line ends")
        (folder / _MIDI).write_bytes(midi)
        (folder / _CONFIG).write_text(f'soundfont "{soundfont}"\n')
        (folder / _LINK).symlink_to(TIMIDITY)
        self._argv = [
            f"./{_LINK}", "-id", "-c", _CONFIG, "-Ow", "-s", str(rate), f"-A{_AMPLIFICATION}",
            "-o", _WAV, _MIDI,
        ]  # fmt: skip
        self._folder = folder
        self._readable = (soundfont.resolve(),)
        self._confinement = confinement
        self._ended = threading.Event()

    async def finish(self) -> None:
        """Run to the end.

        Raises:
            RenderError: it made no sound, or needed too much memory.
            DeadlineError: it took too long.
            BusyError: it could not be started, or the system killed it.
        """
        with tracing.step("timidity") as span:
            try:
                completed = await sandbox.run(self._argv, self._folder, _LIMITS, self._confinement, self._readable)
            except sandbox.ScarceError:
                raise BusyError("timidity could not be started; try again", retry_after_s=_RETRY_AFTER_S) from None
            finally:
                self._ended.set()
            span.set_attribute("lilt.outcome", completed.outcome)
        _check(completed)

    def whole(self) -> Samples:
        """All of the sound, once it has ended."""
        samples, _ = soundfile.read(self._folder / _WAV, dtype="float32", always_2d=True)
        return np.ascontiguousarray(samples.T)

    def blocks(self, frames: int, block: int) -> Iterator[Samples]:
        """Its sound as it is made, in blocks of at most `block` frames; cut or filled with silence to `frames`."""
        path = self._folder / _WAV
        while not path.exists() and not self._ended.is_set():
            self._ended.wait(_LOOK_S)
        position = 0
        if path.exists():
            with path.open("rb") as file:
                file.seek(_HEADER)
                for content in self._growing(file, block * _FRAME):
                    samples = np.frombuffer(content, "<i2").reshape(-1, 2).T.astype(np.float32) / np.float32(32768)
                    samples = samples[:, : frames - position]
                    position += samples.shape[1]
                    yield samples
                    if position == frames:
                        return
        while position < frames:
            size = min(block, frames - position)
            position += size
            yield np.zeros((2, size), np.float32)

    def _growing(self, file: BinaryIO, size: int) -> Iterator[bytes]:
        held = b""
        while True:
            has_ended = self._ended.is_set()
            held += file.read(size - len(held))
            if len(held) == size or (has_ended and len(held) >= _FRAME):
                whole = len(held) - len(held) % _FRAME
                yield held[:whole]
                held = held[whole:]
            elif has_ended:
                return
            else:
                self._ended.wait(_LOOK_S)


def _check(completed: Completed) -> None:
    if completed.outcome in ("timeout", "cpu_limit"):
        raise DeadlineError("timidity took too long over this tune")
    if completed.outcome in ("unstarted", "killed"):
        raise BusyError("timidity could not be run; try again", retry_after_s=_RETRY_AFTER_S)
    if completed.exit_code:
        raise RenderError("timidity made no sound of this tune")
