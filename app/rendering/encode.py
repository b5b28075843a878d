"""Makes a performance into a sound file: synthesised, brought to an even loudness, its ends smoothed, encoded."""

import errno
import os
import struct
from collections.abc import Callable, Collection, Generator, Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Self

import numpy as np
import soundfile
from numpy.typing import NDArray

from app.rendering.ensemble import Ensemble
from app.rendering.loudness import TARGET_LUFS, Limiter, integrated_lufs
from app.rendering.mp3_stream import encode_mp3
from app.rendering.read_ahead import read_ahead
from app.rendering.synth import RATE, Samples, Timed

TAIL_S = 1.5
SCOUT_RATE = 8_000  # Hz, of the quick rendition whose loudness is measured before the real one begins
SCOUTED_S = 60.0  # most tunes whole: their first 20 s alone differ by 0.3 LU (one standard deviation)
_FADE_IN_S, _FADE_OUT_S = 0.002, 0.6
BLOCK = 32_768  # frames
_MAX_GAIN = 100.0
_SYSTEM_ERROR = 2  # libsndfile's SF_ERR_SYSTEM
_QUALITY = {"ogg": ("OGG", "VORBIS", 0.5), "flac": ("FLAC", "PCM_16", 0.3)}
"""libsndfile's container, coding and compression level (0 keeps most, or is fastest); about 100 kbit/s when lossy"""


@dataclass(frozen=True)
class Synths:
    """Who plays one performance: the scout, heard first for its loudness alone, and those who are listened to."""

    scout: Ensemble
    real: Ensemble

    @classmethod
    def of(cls, soundfont: Path, program: int, *, accompanied: bool) -> Self:
        """Both of them, an instrument read already: 25 ms of work that need not wait for the performance.

        Args:
            soundfont: with the instruments.
            program: of the instrument that the tune most likely has.
            accompanied: whether somebody accompanies it.

        Raises:
            SynthError: the library or the sound font is not there, or is no sound font.
        """
        scout = Ensemble(soundfont, SCOUT_RATE, reverb=False, accompanied=accompanied)
        try:
            scout.read_program(program)
            return cls(scout, Ensemble(soundfont, accompanied=accompanied))
        except BaseException:
            scout.close()
            raise

    def close(self) -> None:
        """Give their memory back."""
        self.scout.close()
        self.real.close()


def frames_of(timeline: tuple[Timed, ...]) -> int:
    """How many frames a performance takes, its tail included."""
    last = max((timed.at_s for timed in timeline), default=0.0)
    return round((last + TAIL_S) * RATE)


def render(
    timeline: tuple[Timed, ...], accompanists: Collection[int], synths: Synths, check: Callable[[], None]
) -> Generator[NDArray[np.int16]]:
    """The sound of a performance, in blocks of 16-bit stereo samples [n, 2] at 44.1 kHz.

    Args:
        timeline: what is played.
        accompanists: channels of those who accompany.
        synths: that have played nothing before.
        check: called at each block; what it raises ends the work.
    """
    frames = frames_of(timeline)
    gain = _gain(timeline, accompanists, synths.scout, check)
    yield from finished(synths.real.play(timeline, accompanists, frames / RATE, BLOCK), gain, frames, check)


def finished(
    blocks: Iterator[Samples], gain: float, frames: int, check: Callable[[], None]
) -> Generator[NDArray[np.int16]]:
    """Sound brought to its loudness, its peaks held down and its ends smoothed.

    Args:
        blocks: as it was played, `frames` altogether.
        gain: by which it is made louder.
        frames: of all.
        check: called at each block; what it raises ends the work.
    """
    position = 0
    for block in Limiter().run(block * gain for block in blocks):
        check()
        yield _as_int16(_smooth_ends(block, position, frames))
        position += block.shape[1]


def gain_of(beginning: Samples, rate: int) -> float:
    """What brings sound to the target, by the loudness of its beginning as a quick rendition has it."""
    found = integrated_lufs(beginning, rate)
    return float(min(_MAX_GAIN, 10 ** ((TARGET_LUFS - found) / 20))) if np.isfinite(found) else 1.0


def _gain(
    timeline: tuple[Timed, ...], accompanists: Collection[int], scout: Ensemble, check: Callable[[], None]
) -> float:
    length = min(frames_of(timeline) / RATE, SCOUTED_S)
    blocks = []
    for block in scout.play(timeline, accompanists, length, BLOCK):
        check()
        blocks.append(block)
    return gain_of(np.concatenate(blocks, axis=1), scout.rate)


def _smooth_ends(block: Samples, position: int, frames: int) -> Samples:
    """The block without a click at the sound's beginning or end: both rise from and fall to nought."""
    fade_in, fade_out = round(_FADE_IN_S * RATE), round(_FADE_OUT_S * RATE)
    if position >= fade_in and position + block.shape[1] < frames - fade_out:
        return block
    at = np.arange(position, position + block.shape[1])
    rise = np.clip(at / fade_in, 0, 1)
    fall = np.clip((frames - 1 - at) / fade_out, 0, 1)
    return np.asarray(block * (rise * np.sin(fall * np.pi / 2) ** 2), np.float32)


def _as_int16(block: Samples) -> NDArray[np.int16]:
    return np.asarray(np.clip(np.rint(block.T * 32767), -32768, 32767), "<i2")


def wav_header(frames: int) -> bytes:
    """The 44 bytes before 16-bit stereo samples in a RIFF WAVE file."""
    size = frames * 4
    return struct.pack(
        "<4sI4s4sIHHIIHH4sI", b"RIFF", 36 + size, b"WAVE", b"fmt ", 16, 1, 2, RATE, RATE * 4, 4, 16, b"data", size
    )


def write(
    blocks: Generator[NDArray[np.int16]], frames: int, path: Path, extension: str, grown: Callable[[], None]
) -> None:
    """Write blocks to a file as they come, calling `grown` after each: `wav`, `mp3`, `ogg` or `flac`.

    The blocks are made in a thread of their own, since to encode them takes as long as to make them.

    Raises:
        OSError: the disk is full.
    """
    with closing(read_ahead(blocks)) as made:
        _write(made, frames, path, extension, grown)


def _write(
    blocks: Iterator[NDArray[np.int16]], frames: int, path: Path, extension: str, grown: Callable[[], None]
) -> None:
    if extension in ("wav", "mp3"):
        pieces = encode_mp3(blocks, frames) if extension == "mp3" else _wav(blocks, frames)
        with path.open("wb", buffering=0) as file:
            for piece in pieces:
                if file.write(piece) < len(
                    piece
                ):  # a full disk takes what it can, and complains of the next piece only
                    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
                grown()
        return
    try:
        _encode(blocks, path, extension, grown)
    except soundfile.LibsndfileError as error:
        if error.code != _SYSTEM_ERROR:
            raise
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC)) from None  # what else a local file may fail for


def _wav(blocks: Iterator[NDArray[np.int16]], frames: int) -> Iterator[bytes]:
    yield wav_header(frames)
    for block in blocks:
        yield block.tobytes()


def _encode(blocks: Iterator[NDArray[np.int16]], path: Path, extension: str, grown: Callable[[], None]) -> None:
    container, coding, level = _QUALITY[extension]
    with soundfile.SoundFile(path, "w", RATE, 2, format=container, subtype=coding, compression_level=level) as encoder:
        for block in blocks:
            encoder.write(block.astype(np.float32) / 32768)
            grown()
