"""Makes a job's sound: a quick rendition is heard for its loudness, the real one mastered and encoded as it comes.

Of a long tune excerpts are heard before it begins, and all of it while it is sent.
By FluidSynth's library in this process, or by timidity in the sandbox.
"""

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Coroutine, Generator, Iterator
from contextlib import AbstractContextManager, asynccontextmanager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from app.abc.dances import dance_of
from app.errors import DeadlineError
from app.operations import tracing
from app.operations.concurrency_limit import in_thread
from app.rendering import encode, timidity
from app.rendering.backing import Backing
from app.rendering.ensemble import Ensemble
from app.rendering.formats import Format
from app.rendering.mastering import Gain, gain_of, mastered
from app.rendering.midi_events import Performance
from app.rendering.render_job import Job
from app.rendering.sandbox import Confinement
from app.rendering.shared_file import Abandoned, Making
from app.rendering.synth import RATE, Samples, Synth, SynthError, Timed
from app.rendering.synthesizer import Synthesizer
from app.rendering.tags import Tags

TAIL_S = 1.5
SCOUT_RATE = 8_000  # Hz, of the quick rendition
_SCOUTED_S = 60.0  # before sound begins: most tunes whole, of longer ones excerpts, which may be 1 LU off
_BLOCK = 32_768  # frames
_SYNTHESIS_CPU_S, _SYNTHESIS_WALL_S = 60.0, 300.0

_Write = Callable[[Generator[NDArray[np.int16]]], None]


@dataclass(frozen=True)
class _Players:
    """Who plays one performance: the scout, heard first for its loudness alone, and those who are listened to."""

    soundfont: Path
    scout: Ensemble
    real: Ensemble

    @classmethod
    def of(cls, soundfont: Path, program: int, *, accompanied: bool) -> Self:
        """Both of them, an instrument read already: 25 ms of work that need not wait for the performance."""
        scout = _scout(soundfont, accompanied=accompanied)
        try:
            scout.read_program(program)
            return cls(soundfont, scout, Ensemble(soundfont, accompanied=accompanied))
        except BaseException:
            scout.close()
            raise

    def close(self) -> None:
        self.scout.close()
        self.real.close()

    def play(self, performance: Performance, check: Callable[[], None]) -> Generator[NDArray[np.int16]]:
        """The sound in blocks of 16-bit stereo samples [n, 2] at 44.1 kHz; what `check` raises at a block ends it."""
        frames = _frames_of(performance.timeline)
        gain = self._gain(performance, check)
        played = self.real.play(performance.timeline, performance.accompanists, frames / RATE, _BLOCK)
        yield from mastered(played, gain, frames, check)

    def _gain(self, performance: Performance, check: Callable[[], None]) -> Gain:
        excerpts = performance.excerpts(_SCOUTED_S)

        def of_all() -> float:
            with _scout(self.soundfont, accompanied=bool(performance.accompanists)) as scout:
                return _heard(scout, performance, check)

        return Gain(_heard(self.scout, excerpts, check), None if excerpts is performance else of_all)


def _scout(soundfont: Path, *, accompanied: bool) -> Ensemble:
    """Who plays quickly what is heard for its loudness alone."""
    return Ensemble(soundfont, SCOUT_RATE, reverb=False, accompanied=accompanied)


def _heard(scout: Ensemble, performance: Performance, check: Callable[[], None]) -> float:
    """The gain that a performance needs."""

    length_s = _frames_of(performance.timeline) / RATE

    def checked() -> Iterator[Samples]:
        for block in scout.play(performance.timeline, performance.accompanists, length_s, _BLOCK):
            check()
            yield block

    return gain_of(checked(), SCOUT_RATE)


class _Limits:
    """How long one synthesis may take, and whether anybody still wants it."""

    def __init__(self, making: Making) -> None:
        self._making = making
        self._deadline = time.monotonic() + _SYNTHESIS_WALL_S
        self._cpu_from: float | None = None

    def check(self) -> None:
        """Called in the thread that synthesises, whose processor time counts, however busy the machine is.

        Raises:
            Abandoned: nobody waits for it.
            DeadlineError: it took too long.
        """
        self._making.check()
        if self._cpu_from is None:
            self._cpu_from = time.thread_time()
        if time.thread_time() > self._cpu_from + _SYNTHESIS_CPU_S or time.monotonic() > self._deadline:
            raise DeadlineError("synthesis took too long over this tune")


class SoundMaker:
    """Makes sound files.

    Args:
        synthesizer: who plays.
        soundfont: in which tunes are heard.
        confinement: what `sandbox.choose` found.
        private_folder: makes a folder to run a program in.
    """

    def __init__(
        self,
        synthesizer: Synthesizer,
        soundfont: Path,
        confinement: Confinement,
        private_folder: Callable[[], AbstractContextManager[Path]],
    ) -> None:
        self._synthesizer = synthesizer
        self._soundfont = soundfont
        self._confinement = confinement
        self._private_folder = private_folder

    async def check(self, midi: bytes) -> None:
        """Play a little.

        Raises:
            SynthError: the sound font cannot be played from.
            LiltError: timidity does not play.
        """
        if self._synthesizer is Synthesizer.FLUIDSYNTH:
            Synth(self._soundfont).close()
            return
        with self._private_folder() as folder:
            run = timidity.Run(midi, folder, self._soundfont, self._confinement, SCOUT_RATE)
            await run.finish()
            if not np.abs(run.whole()).max() > 0:
                raise SynthError(f"{self._soundfont}: timidity plays nothing from it")

    async def make(self, job: Job, making: Making, performing: Coroutine[Any, Any, Performance]) -> None:
        """Write a job's sound.

        Args:
            job: what is wanted.
            making: the file.
            performing: what is to be played, which players are made ready beside.

        Raises:
            LiltError: what performing raised, or it took too long.
            OSError: the disk is full.
        """
        if self._synthesizer is Synthesizer.TIMIDITY:
            performance = await performing
            with _synthesizing():
                await self._play_by_timidity(performance, _Limits(making), _writer(performance, job, making))
            return
        async with self._players(job) as players:
            performance = await performing
            with _synthesizing():
                ready, limits, write = await players, _Limits(making), _writer(performance, job, making)
                await in_thread(lambda: write(ready.play(performance, limits.check)))

    @asynccontextmanager
    async def _players(self, job: Job) -> AsyncIterator["asyncio.Future[_Players]"]:
        """FluidSynth with the instrument that the tune most likely has, made ready while abc2midi runs."""
        wanted, score = job.options.arrangement.program, job.tunes[0].score
        program = dance_of(score.rhythm, score.meter).program if wanted is None else wanted
        accompanied = job.options.arrangement.backing is not Backing.NONE
        made = asyncio.ensure_future(
            asyncio.to_thread(lambda: _Players.of(self._soundfont, program, accompanied=accompanied))
        )
        try:
            yield made
        finally:
            await asyncio.gather(made, return_exceptions=True)
            if not made.cancelled() and not made.exception():
                await in_thread(made.result().close)

    async def _play_by_timidity(self, performance: Performance, limits: _Limits, write: _Write) -> None:
        """The sound, written while it is made, and beside it the quick rendition."""
        frames = _frames_of(performance.timeline)
        with self._private_folder() as folder:
            midi = await in_thread(performance.as_midi)
            run = timidity.Run(midi, folder, self._soundfont, self._confinement)
            running = asyncio.create_task(run.finish())
            excerpts, loop = performance.excerpts(_SCOUTED_S), asyncio.get_running_loop()

            def of_all() -> float:
                hearing = self._heard_by_timidity(performance)
                return asyncio.run_coroutine_threadsafe(hearing, loop).result()

            try:
                first = await self._heard_by_timidity(excerpts)
                gain = Gain(first, None if excerpts is performance else of_all)
                await in_thread(lambda: write(mastered(run.blocks(frames, _BLOCK), gain, frames, limits.check)))
                await running
            finally:
                running.cancel()
                await asyncio.gather(running, return_exceptions=True)

    async def _heard_by_timidity(self, performance: Performance) -> float:
        """The gain that a performance needs."""
        with self._private_folder() as folder:
            midi = await in_thread(performance.as_midi)
            scout = timidity.Run(midi, folder, self._soundfont, self._confinement, SCOUT_RATE)
            await scout.finish()
            return await in_thread(lambda: gain_of([scout.whole()], SCOUT_RATE))


def _frames_of(timeline: tuple[Timed, ...]) -> int:
    """How many frames a performance takes, its tail included."""
    last = max((timed.at_s for timed in timeline), default=0.0)
    return round((last + TAIL_S) * RATE)


def _writer(performance: Performance, job: Job, making: Making) -> _Write:
    """What writes the file, whose length is told where that is known before."""
    frames = _frames_of(performance.timeline)
    tags = Tags.of([tune.score for tune in job.tunes])
    if job.format is Format.WAV:
        making.length = len(encode.wav_header(frames)) + 4 * frames
    return lambda blocks: encode.write(blocks, frames, making.path, job.format.extension, making.grown, tags)


@contextmanager
def _synthesizing() -> Iterator[None]:
    """Traced; who abandons the file has cancelled its task."""
    with tracing.step("synthesis"):
        try:
            yield
        except Abandoned:
            raise asyncio.CancelledError from None
