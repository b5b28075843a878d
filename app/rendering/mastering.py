"""Masters sound: brings it to an even loudness, holds its peaks down, smooths its ends and makes it 16-bit samples."""

from collections.abc import Callable, Generator, Iterable, Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from app.rendering.loudness import TARGET_LUFS, Limiter, integrated_lufs
from app.rendering.synth import RATE, Samples

_FADE_IN_S, _FADE_OUT_S = 0.002, 0.6
_MAX_GAIN = 100.0
_TURNS_FROM_S, _TURNS_FOR_S = 10.0, 20.0  # so slowly that even 2 dB are not heard as a change


@dataclass(frozen=True)
class Gain:
    """By how much sound is made louder: from its beginning, and once all of it was heard."""

    first: float
    of_all: Callable[[], float] | None = None
    """asked some seconds after the beginning; None where `first` is by all of it"""


def mastered(
    blocks: Iterator[Samples], gain: Gain, frames: int, check: Callable[[], None]
) -> Generator[NDArray[np.int16]]:
    """Sound brought to its loudness, its peaks held down and its ends smoothed.

    Args:
        blocks: as it was played, `frames` altogether.
        gain: what makes it as loud as it should be.
        frames: of all.
        check: called at each block; what it raises ends the work.
    """
    position = 0
    for block in Limiter().run(_made_louder(blocks, gain)):
        check()
        yield _as_int16(_smooth_ends(block, position, frames))
        position += block.shape[1]


def gain_of(heard: Iterable[Samples], rate: int) -> float:
    """What brings sound to the target, by the loudness of a quick rendition of it."""
    found = integrated_lufs(heard, rate)
    return float(min(_MAX_GAIN, 10 ** ((TARGET_LUFS - found) / 20))) if np.isfinite(found) else 1.0


def _made_louder(blocks: Iterator[Samples], gain: Gain) -> Iterator[Samples]:
    """The blocks by the first gain, which turns slowly into that of all."""
    position, of_all = 0, gain.first
    has_turned = gain.of_all is None
    for block in blocks:
        end = position + block.shape[1]
        if not has_turned and gain.of_all is not None and end > _TURNS_FROM_S * RATE:
            of_all, has_turned = gain.of_all(), True
        turned = np.clip((np.arange(position, end) / RATE - _TURNS_FROM_S) / _TURNS_FOR_S, 0, 1)
        yield np.asarray(block * (gain.first * (of_all / gain.first) ** turned), np.float32)
        position = end


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
