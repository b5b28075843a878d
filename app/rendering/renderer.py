"""ABC → MIDI → sound, and ABC → score: a few renders at once, each result made once and kept."""

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Generator, Iterator
from contextlib import AbstractContextManager, asynccontextmanager, contextmanager
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import BinaryIO, Self

import numpy as np
from numpy.typing import NDArray

from app.abc import musicxml
from app.abc.dances import dance_of
from app.abc.harmony import PlacedChord, placed, with_chords
from app.abc.playing_order import with_parts_in_order
from app.abc.reader import read
from app.abc.score import Score
from app.abc.transpose import transposed
from app.errors import DISK_FULL, BusyError, DeadlineError, LiltError, NotationError, RenderError
from app.operations import metrics, tracing
from app.operations.concurrency_limit import ConcurrencyLimit, in_thread
from app.rendering import abc2midi_text, encode, external_tools, sandbox, seal, timidity
from app.rendering.arrangement import Arrangement, arrange
from app.rendering.backing import Backing
from app.rendering.cache import Cache, Kept, key_of
from app.rendering.formats import Format, Kind
from app.rendering.input_filter import DRAWN_NOTES, PLAYED_NOTES, Admitted, admit, admit_set, with_left_out
from app.rendering.performance import Performance
from app.rendering.sandbox import Confinement
from app.rendering.shared_file import Abandoned, Making
from app.rendering.synth import Synth, SynthError
from app.rendering.synthesizer import Synthesizer
from app.rendering.tune_set import as_one_score, joined, speeds
from app.settings import Settings

_RECIPE = 10  # raised whenever the same request makes other bytes than before
_SYNTHESIS_CPU_S, _SYNTHESIS_WALL_S = 60.0, 300.0
_READINGS_WAIT = 8  # times as many as renders: each is a fiftieth of one


@dataclass(frozen=True)
class RenderOptions:
    """How a tune is rendered; see Arrangement for what is None."""

    arrangement: Arrangement = field(default_factory=Arrangement)
    transpose: int = 0
    """semitones"""
    chords: bool = True
    """whether chord symbols are played"""


@dataclass(frozen=True)
class Rendering:
    """A made file, or one in the making that its reader has joined; open, as it may be renamed or deleted meanwhile."""

    file: BinaryIO
    making: Making | None = None
    length: int | None = None
    """of a file that was kept, without what the cache has put behind it"""

    @property
    def size(self) -> int | None:
        """Its length in bytes, where that is known already."""
        return self.making.length if self.making is not None else self.length

    async def read(self, start: int, stop: int | None) -> AsyncIterator[bytes]:
        """Bytes from `start` to before `stop`."""
        left = stop - start if stop is not None else None
        async for chunk in self._all(start):
            yield chunk if left is None else chunk[:left]
            if left is not None:
                left -= len(chunk)
                if left <= 0:
                    return

    async def _all(self, start: int) -> AsyncIterator[bytes]:
        if self.making is not None:
            async for chunk in self.making.read(self.file, start):
                yield chunk
            return
        self.file.seek(start)
        left = (self.length or 0) - start
        while left > 0 and (chunk := self.file.read(min(left, 256 * 1024))):
            left -= len(chunk)
            yield chunk

    def leave(self) -> None:
        """Say that it is read no more."""
        self.file.close()
        if self.making is not None:
            self.making.leave()


@dataclass(frozen=True)
class Job:
    """An admitted tune and what is wanted of it; `name` is the same for the same bytes."""

    tunes: tuple[Admitted, ...]
    """one, or a set"""
    format: Format
    options: RenderOptions
    name: str

    @property
    def title(self) -> str | None:
        """The tune's, or those of all."""
        return " - ".join(tune.title for tune in self.tunes if tune.title) or None

    @property
    def left_out(self) -> list[str]:
        """What of the text is neither played nor drawn, by line: what the input filter names, and what was skipped."""
        found = [(fault.line or 0, fault.message.rsplit(": ", 1)[-1]) for fault in self.tunes[0].dropped]
        found += [(fault.line or 0, fault.message) for tune in self.tunes for fault in tune.skipped]
        return [f"line {line}: {name}" for line, name in sorted(found, key=lambda each: each[0])]


@dataclass(frozen=True)
class Chorded:
    """A tune with its chords written in, and where they are."""

    abc: str
    chords: tuple[PlacedChord, ...]


class Renderer:
    """Renders tunes, a few at once.

    Args:
        soundfont: that tunes are heard in.
        confinement: what `sandbox.choose` found.
        cache: where made files are kept.
        at_once: renders that may run together.
        max_waiting: renders queued before new ones are turned away.
        max_duration_s: the longest performance that is synthesised.
        synthesizer: `fluidsynth` or `timidity`; `auto` takes timidity where FluidSynth's library is missing.
    """

    def __init__(
        self,
        soundfont: Path,
        confinement: Confinement,
        cache: Cache,
        *,
        at_once: int,
        max_waiting: int,
        max_duration_s: float,
        synthesizer: str = "auto",
    ) -> None:
        self.confinement = confinement
        self.synthesizer = Synthesizer.choose(synthesizer)
        self._cache = cache
        self._turns = ConcurrencyLimit(at_once, max_waiting, "renders")
        self.readings = ConcurrencyLimit(at_once, _READINGS_WAIT * max_waiting, "texts")
        """turns at reading a stranger's text; who has one waits for nothing else"""
        self._max_duration_s = max_duration_s
        self._makings: dict[str, Making] = {}
        self._wanted_font = soundfont
        self._soundfont = self.synthesizer.font(soundfont)

    @classmethod
    def of(cls, settings: Settings, folder: Path) -> Self:
        """What the settings make of it, with a folder that keeps what was made.

        Raises:
            SandboxError: the sandbox that LILT_SANDBOX asks for does not work here.
            CacheFolderError: the folder is not private to this user.
        """
        return cls(
            settings.soundfont,
            sandbox.choose(settings.sandbox),
            Cache(folder, settings.max_cache_mb * 1024 * 1024),
            at_once=settings.max_renders,
            max_waiting=settings.max_waiting_renders,
            max_duration_s=60 * settings.max_render_minutes,
            synthesizer=settings.synthesizer,
        )

    def settle(self) -> None:
        """Wait for what the cache does by itself, before its folder is removed."""
        self._cache.settle()

    def missing(self) -> list[str]:
        """What this machine lacks to render: programs, libraries and the sound font."""
        has_abc2midi = Path(external_tools.ABC2MIDI).is_file()
        return ([] if has_abc2midi else [external_tools.ABC2MIDI]) + self.synthesizer.missing(self._wanted_font)

    async def check_synthesizer(self, midi: bytes) -> None:
        """Play a little.

        Raises:
            SynthError: the sound font cannot be played from.
            LiltError: timidity does not play.
        """
        if self.synthesizer is Synthesizer.FLUIDSYNTH:
            Synth(self._soundfont).close()
            return
        with self.private_folder() as folder:
            run = timidity.Run(midi, folder, self._soundfont, self.confinement, encode.SCOUT_RATE)
            await run.finish()
            if not np.abs(run.whole()).max() > 0:
                raise SynthError(f"{self._soundfont}: timidity plays nothing from it")

    def private_folder(self) -> AbstractContextManager[Path]:
        """A folder to run a program in."""
        return self._cache.private_folder()

    async def job(self, abc: str, format_: Format, options: RenderOptions) -> Job:
        """What is to be made of a stranger's text.

        Raises:
            NotationError: the input filter refuses it.
            BusyError: too many texts are waiting to be read.
        """
        max_s = self._max_duration_s / max(1, options.arrangement.repeats)
        try:
            tempo = options.arrangement.tempo
            tunes = await self.readings.run(lambda: admit_set(abc, max_duration_s=max_s, tempo=tempo))
        except NotationError:
            metrics.FILTER_REFUSALS.inc()
            raise
        font = self._soundfont.stat() if self._soundfont.is_file() else None
        parts = {
            "recipe": _RECIPE,
            "abc": [tune.abc for tune in tunes],
            "format": format_,
            "options": asdict(options),
            "synthesizer": self.synthesizer,
            "font": (str(self._soundfont), font.st_size, font.st_mtime_ns) if font else None,
        }
        return Job(tunes, format_, options, f"{key_of(parts)}.{format_.extension}")

    async def chords(self, abc: str) -> Chorded:
        """A stranger's tune with chords that suit it.

        Raises:
            NotationError: the input filter refuses it.
            BusyError: too many texts are waiting to be read.
        """

        def find() -> Chorded:
            tune = admit(abc, max_duration_s=self._max_duration_s)
            chorded = with_chords(tune.abc, tune.score)
            return Chorded(with_left_out(chorded, tune.abc, abc), placed(tune.score))

        return await self.readings.run(find)

    def is_kept(self, job: Job) -> bool:
        """Whether a job's file is there already."""
        return self._cache.has(job.name)

    async def render(self, job: Job, *, whole: bool = False) -> Rendering:
        """The file of a job: kept from before, or in the making by now, or begun here.

        Args:
            job: what to make.
            whole: whether to wait for its last byte, even where it could be read as it grows.

        Raises:
            NotationError: it cannot be transposed so.
            RenderError: nothing could be made of it, or it would last too long.
            BusyError: too many renders are waiting, or the system has no room for a program.
            DeadlineError: a time limit was hit.
        """
        if job.name not in self._makings and self.is_kept(job) and (kept := await self._kept(job)):
            metrics.CACHE_LOOKUPS.labels("hit").inc()
            return Rendering(kept.file, length=kept.length)
        making = self._makings.get(job.name)
        is_new = making is None or making.is_abandoned
        metrics.CACHE_LOOKUPS.labels("miss" if is_new else "joined").inc()
        if making is None or making.is_abandoned:
            making = self._begin(job)
        making.join()
        try:
            file = making.path.open("rb")  # by now: when it is done it may be deleted at any time
        except BaseException:
            self._leave(making)
            raise
        try:
            await making.until(done=whole or not job.format.grows)
        except BaseException:
            file.close()
            self._leave(making)
            raise
        return Rendering(file, making)

    async def _kept(self, job: Job) -> Kept | None:
        """What the cache has; closed again where nobody waits for it any more."""
        opening = asyncio.ensure_future(asyncio.to_thread(self._cache.open, job.name))
        try:
            return await asyncio.shield(opening)
        except asyncio.CancelledError:
            opening.add_done_callback(_close)
            raise

    def _leave(self, making: Making) -> None:
        making.leave()
        if making.is_abandoned:  # perhaps before its work began, which else would do it
            self._cache.discard(making.path)

    def _begin(self, job: Job) -> Making:
        self._turns.check_room()
        making = Making(self._cache.begin(job.name))
        with self._giving_room():
            making.path.touch()
        self._makings[job.name] = making

        async def work(making: Making) -> None:
            outcome = "made"
            try:
                with self._giving_room():
                    async with self._turns.turn():
                        await self._make_sealed(job, making)
                    making.path = self._cache.finish(making.path, job.name)
            except BaseException as error:
                outcome = _outcome(error)
                self._cache.discard(making.path)
                raise
            finally:
                metrics.RENDERS.labels(job.format, outcome).inc()
                if self._makings.get(job.name) is making:
                    del self._makings[job.name]

        making.start(work)
        return making

    @contextmanager
    def _giving_room(self) -> Iterator[None]:
        """Where the disk is full, give some of it back for the next."""
        try:
            yield
        except OSError as error:
            if error.errno in DISK_FULL:
                self._cache.make_room()
            raise

    async def _make_sealed(self, job: Job, making: Making) -> None:
        with metrics.RENDER_DURATION.labels(job.format).time(), tracing.step("render", _traced(job)):
            await self._make(job, making)
            making.length = making.path.stat().st_size  # whoever reads it stops there, before the seal
            await asyncio.to_thread(seal.add, making.path, job.name)

    async def _make(self, job: Job, making: Making) -> None:
        if job.format.kind is Kind.SCORE:
            with self.private_folder() as folder:
                making.path.write_bytes(await self._score(job, folder))
        elif job.format.kind is Kind.MIDI:
            performance = await self._performance(job)
            making.path.write_bytes(await in_thread(performance.as_midi))
        elif self.synthesizer is Synthesizer.TIMIDITY:
            await self._synthesize(job, making, await self._performance(job), None)
        else:
            async with self._synths(job) as synths:
                await self._synthesize(job, making, await self._performance(job), synths)

    @asynccontextmanager
    async def _synths(self, job: Job) -> AsyncIterator["asyncio.Future[encode.Synths]"]:
        """FluidSynth with the instrument that the tune most likely has, made ready while abc2midi runs."""
        wanted, score = job.options.arrangement.program, job.tunes[0].score
        program = dance_of(score.rhythm, score.meter).program if wanted is None else wanted
        accompanied = job.options.arrangement.backing is not Backing.NONE
        made = asyncio.ensure_future(
            asyncio.to_thread(lambda: encode.Synths.of(self._soundfont, program, accompanied=accompanied))
        )
        try:
            yield made
        finally:
            await asyncio.gather(made, return_exceptions=True)
            if not made.cancelled() and not made.exception():
                await in_thread(made.result().close)

    async def _synthesize(
        self, job: Job, making: Making, performance: Performance, synths: "asyncio.Future[encode.Synths] | None"
    ) -> None:
        """Play a performance into the file: by FluidSynth, or where there is none, by timidity."""
        frames = encode.frames_of(performance.timeline)
        if job.format is Format.WAV:
            making.length = len(encode.wav_header(frames)) + 4 * frames
        deadline = time.monotonic() + _SYNTHESIS_WALL_S

        cpu_from = list[float]()  # when its thread began; its processor time counts, however busy the machine is

        def check() -> None:
            making.check()
            if not cpu_from:
                cpu_from.append(time.thread_time())
            if time.thread_time() > cpu_from[0] + _SYNTHESIS_CPU_S or time.monotonic() > deadline:
                raise DeadlineError("synthesis took too long over this tune")

        def write(blocks: Generator[NDArray[np.int16]]) -> None:
            encode.write(blocks, frames, making.path, job.format.extension, making.grown)

        with tracing.step("synthesis"):
            try:
                if synths is None:
                    await self._play_by_timidity(performance, frames, check, write)
                else:
                    ready = await synths
                    await in_thread(
                        lambda: write(encode.render(performance.timeline, performance.accompanists, ready, check))
                    )
            except Abandoned:
                raise asyncio.CancelledError from None

    async def _play_by_timidity(
        self,
        performance: Performance,
        frames: int,
        check: Callable[[], None],
        write: Callable[[Generator[NDArray[np.int16]]], None],
    ) -> None:
        """The sound, written while it is made, and beside it a coarse rendition of its beginning for its loudness."""
        with self.private_folder() as folder, self.private_folder() as scout_folder:
            midi = await in_thread(performance.as_midi)
            run = timidity.Run(midi, folder, self._soundfont, self.confinement)
            running = asyncio.create_task(run.finish())
            try:
                midi = await in_thread(performance.beginning(encode.SCOUTED_S).as_midi)
                scout = timidity.Run(midi, scout_folder, self._soundfont, self.confinement, encode.SCOUT_RATE)
                await scout.finish()
                gain = await in_thread(lambda: encode.gain_of(scout.whole(), encode.SCOUT_RATE))
                played = run.blocks(frames, encode.BLOCK)
                await in_thread(lambda: write(encode.finished(played, gain, frames, check)))
                await running
            finally:
                running.cancel()
                await asyncio.gather(running, return_exceptions=True)

    async def _performance(self, job: Job) -> Performance:
        """A tune as it is wanted, or all of a set."""
        scores = [tune.score for tune in job.tunes]
        wanted = job.options.arrangement
        tempos = [wanted.tempo] if len(scores) == 1 else [wanted.tempo or speed for speed in speeds(scores)]
        made: list[Performance] = []
        for index, (tune, tempo) in enumerate(zip(job.tunes, tempos, strict=True)):
            one = replace(wanted, tempo=tempo, click=wanted.click and not index)
            left = PLAYED_NOTES.max_allowed - sum(performance.notes for performance in made)
            made.append(await self._arranged(tune, job.options, one, left, goes_on=index + 1 < len(scores)))
        performance = made[0]
        if len(made) > 1:
            performance = await in_thread(lambda: joined(made, scores, wanted.repeats))
        if performance.duration_s > self._max_duration_s:
            raise RenderError(
                f"it would last {performance.duration_s:,.0f} seconds; {self._max_duration_s:,.0f} are allowed"
            )
        return performance

    async def _arranged(
        self, tune: Admitted, options: RenderOptions, wanted: Arrangement, max_notes: int, *, goes_on: bool
    ) -> Performance:
        """A tune as abc2midi plays it, arranged as is wanted."""
        chords = options.chords and wanted.backing is Backing.NONE
        score = await in_thread(lambda: transposed(tune.score, options.transpose))
        with self.private_folder() as folder:
            abc = await in_thread(lambda: abc2midi_text.write(score, chords=chords))
            content = await external_tools.to_midi(abc, folder, self.confinement)
        try:
            performance = await in_thread(
                lambda: arrange(content, tune.score, wanted, options.transpose, max_notes, goes_on=goes_on)
            )
        except ValueError as error:
            raise RenderError(f"abc2midi made a file that is {error}") from None
        if not performance.notes:
            faults = tune.faults
            raise RenderError("there is not a note in this tune" + external_tools.first_of(faults), faults=faults)
        return performance

    async def _score(self, job: Job, folder: Path) -> bytes:
        written = await in_thread(lambda: _musicxml(job))
        if job.format is Format.MUSICXML:
            return written
        return await external_tools.engrave(written, job.format.extension, folder, self.confinement)


def _musicxml(job: Job) -> bytes:
    scores = [with_parts_in_order(_drawn(tune, job.options)) for tune in job.tunes]
    score = scores[0] if len(scores) == 1 else as_one_score(scores)
    if excess := DRAWN_NOTES.excess(musicxml.drawn_notes(score), ""):
        raise NotationError(f"it has {excess}")
    return musicxml.write(score)


def _drawn(tune: Admitted, options: RenderOptions) -> Score:
    """The tune as it is to be drawn: transposed, and with the chords of who accompanies it."""
    has_chords = options.arrangement.backing is not Backing.NONE
    return transposed(read(with_chords(tune.abc, tune.score)) if has_chords else tune.score, options.transpose)


def _traced(job: Job) -> dict[str, str | int]:
    program = job.options.arrangement.program
    return {"lilt.format": job.format.value} | ({} if program is None else {"lilt.program": program})


def _close(opening: "asyncio.Future[Kept | None]") -> None:
    if not opening.cancelled() and not opening.exception() and (kept := opening.result()):
        kept.file.close()


def _outcome(error: BaseException) -> str:
    if isinstance(error, asyncio.CancelledError):
        return "abandoned"
    if isinstance(error, DeadlineError):
        return "timeout"
    return "refused" if isinstance(error, LiltError) and not isinstance(error, BusyError) else "failed"
