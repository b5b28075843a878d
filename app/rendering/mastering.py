"""Masters sound: brings it to an even loudness, holds its peaks down, smooths its ends and makes it 16-bit samples."""

from collections.abc import Callable, Generator, Iterator

import numpy as np
from numpy.typing import NDArray

from app.rendering.loudness import TARGET_LUFS, Limiter, integrated_lufs
from app.rendering.synth import RATE, Samples

_FADE_IN_S, _FADE_OUT_S = 0.002, 0.6
_MAX_GAIN = 100.0


def mastered(
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


def gain_of(heard: Samples, rate: int) -> float:
    """What brings sound to the target, by the loudness of a quick rendition of it."""
    found = integrated_lufs(heard, rate)
    return float(min(_MAX_GAIN, 10 ** ((TARGET_LUFS - found) / 20))) if np.isfinite(found) else 1.0


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
