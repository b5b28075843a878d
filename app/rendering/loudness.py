"""How loud sound is, and how to keep it even: ITU-R BS.1770-4 in NumPy, and a limiter for its peaks."""

from collections.abc import Iterable, Iterator

import numpy as np
from numpy.typing import NDArray

from app.rendering.synth import Samples

TARGET_LUFS = -16.0
CEILING = 10 ** (-2.0 / 20)  # of samples; what lies between two of them, and what an encoder adds, stays below −1 dB
_STEP_S = 0.1
_STEPS_A_BLOCK = 4
_STEPS_AT_ONCE = 32
_ABSOLUTE_GATE, _RELATIVE_GATE = -70.0, -10.0
_OFFSET = -0.691

# The two filters of BS.1770 as analogue prototypes' parameters, so that they hold at any rate (libebur128's way).
_SHELF_HZ, _SHELF_DB, _SHELF_Q, _SHELF_POWER = (
    1681.974450955533,
    3.999843853973347,
    0.7071752369554196,
    0.4996667741545416,
)
_HIGHPASS_HZ, _HIGHPASS_Q = 38.13547087602444, 0.5003270373238773


def _weighting(frequencies: NDArray[np.floating], rate: int) -> NDArray[np.float64]:
    """The squared magnitude of the K weighting at frequencies in hertz."""
    z = np.exp(-2j * np.pi * frequencies / rate)

    def response(b: tuple[float, float, float], a: tuple[float, float, float]) -> NDArray[np.complex128]:
        return np.asarray((b[0] + b[1] * z + b[2] * z**2) / (a[0] + a[1] * z + a[2] * z**2))

    k = np.tan(np.pi * _SHELF_HZ / rate)
    high = 10 ** (_SHELF_DB / 20)
    band = high**_SHELF_POWER
    shelf = response(
        (high + band * k / _SHELF_Q + k * k, 2 * (k * k - high), high - band * k / _SHELF_Q + k * k),
        (1 + k / _SHELF_Q + k * k, 2 * (k * k - 1), 1 - k / _SHELF_Q + k * k),
    )
    k = np.tan(np.pi * _HIGHPASS_HZ / rate)
    a0 = 1 + k / _HIGHPASS_Q + k * k
    highpass = response((1.0, -2.0, 1.0), (1.0, 2 * (k * k - 1) / a0, (1 - k / _HIGHPASS_Q + k * k) / a0))
    return np.asarray(np.abs(shelf * highpass) ** 2)


def integrated_lufs(blocks: Iterable[Samples], rate: int) -> float:
    """The gated loudness of samples [2, n] that come in blocks; minus infinity for silence."""
    step = round(_STEP_S * rate)
    found: list[NDArray[np.float64]] = []
    held = np.zeros((2, 0), np.float32)
    for block in blocks:
        held = np.concatenate((held, block), axis=1)
        whole = held.shape[1] // step * step
        found.append(_power_of_steps(held[:, :whole], step, rate))
        held = held[:, whole:]
    lacks = _STEPS_A_BLOCK - sum(map(len, found))
    if lacks > 0:
        found.append(_power_of_steps(np.pad(held, ((0, 0), (0, lacks * step - held.shape[1]))), step, rate))
    power = np.lib.stride_tricks.sliding_window_view(np.concatenate(found), _STEPS_A_BLOCK).mean(axis=1)
    with np.errstate(divide="ignore"):
        levels = _OFFSET + 10 * np.log10(power)
        loud = levels > _ABSOLUTE_GATE
        if not loud.any():
            return float("-inf")
        gate = _OFFSET + 10 * np.log10(power[loud].mean()) + _RELATIVE_GATE
        return float(_OFFSET + 10 * np.log10(power[loud & (levels > gate)].mean()))


def _power_of_steps(samples: Samples, step: int, rate: int) -> NDArray[np.float64]:
    """The weighted power of so many frames after so many, both channels together; a few at a time, for the memory."""
    weights = _weighting(np.fft.rfftfreq(step, 1 / rate), rate) * 2
    pieces = samples[:, : samples.shape[1] // step * step].reshape(2, -1, step)
    found = [np.zeros(0)]
    for first in range(0, pieces.shape[1], _STEPS_AT_ONCE):
        spectrum = np.fft.rfft(pieces[:, first : first + _STEPS_AT_ONCE], axis=2)
        found.append(((spectrum.real**2 + spectrum.imag**2) @ weights).sum(axis=0) / step**2)
    return np.concatenate(found)


class Limiter:
    """Keeps samples under a ceiling by turning the gain down ahead of a peak and up after it, smoothly.

    The gain that each hop of 64 frames needs, its least over a window, the mean of that: never above what is needed.
    """

    HOP = 64
    WINDOW = 32  # hops: 46 ms at 44.1 kHz

    def __init__(self, ceiling: float = CEILING) -> None:
        self._ceiling = ceiling

    def run(self, blocks: Iterator[Samples]) -> Iterator[Samples]:
        """The blocks, as many frames as came in, a window later."""
        ahead = self.WINDOW * self.HOP
        held = np.zeros((2, 0), np.float32)
        needed = np.ones(self.WINDOW)  # the gains of the hops before `held`
        for block in blocks:
            held = np.concatenate((held, block), axis=1)
            hops = (held.shape[1] - ahead) // self.HOP
            if hops > 0:
                ready, needed = self._apply(held, needed, hops)
                yield ready
                held = held[:, hops * self.HOP :]
        if held.shape[1]:
            length = held.shape[1]
            hops = -(-length // self.HOP)
            padded = np.pad(held, ((0, 0), (0, hops * self.HOP + ahead - length)))
            yield self._apply(padded, needed, hops)[0][:, :length]

    def _apply(self, held: Samples, needed: NDArray[np.float64], hops: int) -> tuple[Samples, NDArray[np.float64]]:
        """The first `hops` hops under the ceiling, and the gains that the next call needs to know."""
        window = self.WINDOW
        heard = held[:, : (hops + window) * self.HOP]
        peaks = np.abs(heard).max(axis=0).reshape(-1, self.HOP).max(axis=1)
        gains = np.concatenate((needed, np.minimum(1.0, self._ceiling / np.maximum(peaks, 1e-9))))
        least = np.lib.stride_tricks.sliding_window_view(gains, window).min(axis=1)
        smooth = np.lib.stride_tricks.sliding_window_view(least, window - 1).mean(axis=1)
        # The edges before and after hop j are smooth[j + 1] and the next: each term of both means looks at hop j.
        edges = smooth[1 : hops + 2]
        ramp = np.arange(self.HOP) / self.HOP
        curve = (edges[:-1, None] + (edges[1:] - edges[:-1])[:, None] * ramp).reshape(-1)
        kept = gains[hops : hops + window]
        return (held[:, : hops * self.HOP] * curve).astype(np.float32), kept
