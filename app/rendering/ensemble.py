"""Plays a performance through FluidSynth: the tune by a synthesiser, accompaniment that repeats itself from samples."""

from collections.abc import Collection, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Self

from app.rendering.sampler import Sampler, parted, repeats_enough
from app.rendering.synth import RATE, Samples, Synth, Timed


class Ensemble:
    """Those who play one performance, once.

    Args:
        soundfont: with their instruments.
        rate: of the sound, in Hz.
        reverb: whether they play in a room.
        accompanied: whether there are any who accompany.
    """

    def __init__(self, soundfont: Path, rate: int = RATE, *, reverb: bool = True, accompanied: bool = False) -> None:
        """Raises SynthError: the library or the sound font is not there, or is no sound font."""
        self.rate = rate
        with ExitStack() as opened:
            self._tune = opened.enter_context(Synth(soundfont, rate, reverb=reverb))
            self._sampler = (
                Sampler(opened.enter_context(Synth(soundfont, rate, reverb=reverb))) if accompanied else None
            )
            self._synths = opened.pop_all()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Give their memory back."""
        self._synths.close()

    def read_program(self, program: int) -> None:
        """Read an instrument before a message asks for it."""
        self._tune.read_program(program)

    def play(
        self, timeline: tuple[Timed, ...], accompanists: Collection[int], duration_s: float, block: int
    ) -> Iterator[Samples]:
        """The sound of a timeline, in blocks of at most `block` frames, `duration_s` long altogether.

        Args:
            timeline: what is played.
            accompanists: channels of those who accompany.
            duration_s: of all, in seconds.
            block: frames.
        """
        tune, accompaniment = parted(timeline, accompanists)
        if self._sampler is None or not accompaniment or not repeats_enough(accompaniment, self.rate):
            yield from self._tune.play(timeline, duration_s, block)
            return
        parts = (self._tune.play(tune, duration_s, block), self._sampler.play(accompaniment, duration_s, block))
        for one, other in zip(*parts, strict=True):
            one += other
            yield one
