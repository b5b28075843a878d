"""Renders jobs, a few at once: asks the cache, queues what must be made, and makes it once for all who wait."""

import asyncio
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from app.abc.harmony import PlacedChord, placed, with_chords
from app.errors import DISK_FULL, BusyError, DeadlineError, LiltError, NotationError
from app.operations import metrics, tracing
from app.operations.concurrency_limit import ConcurrencyLimit, in_thread
from app.rendering import external_tools, sandbox, seal
from app.rendering.cache import Cache, Kept
from app.rendering.claims import Claims
from app.rendering.formats import Format, Kind
from app.rendering.input_filter import admit, admit_set, with_left_out
from app.rendering.lent_files import LentFiles
from app.rendering.make_score import make_score
from app.rendering.make_sound import SoundMaker
from app.rendering.perform import Performer
from app.rendering.render_job import Job, RenderOptions
from app.rendering.sandbox import Confinement
from app.rendering.shared_file import Making, Rendering
from app.rendering.synthesizer import Synthesizer
from app.rendering.tags import Tags
from app.settings import Settings

_LONG_S = 180.0  # of sound; most tunes last a third of it, played once
_LOOK_AGAIN_S = 0.02  # whether another process has made a file
_MIN_LENT_BYTES = 256 * 1024 * 1024  # two of the longest sounds, however small the cache is
_READINGS_WAIT = 8  # times as many as renders: each is a fiftieth of one


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
        claims: shared with other processes of the service, where there are any.
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
        claims: Claims | None = None,
    ) -> None:
        self.confinement = confinement
        self.synthesizer = Synthesizer.choose(synthesizer)
        self._cache = cache
        self._lent = LentFiles(max(_MIN_LENT_BYTES, cache.max_bytes))
        self._turns = ConcurrencyLimit(at_once, max_waiting, "renders")
        self.readings = ConcurrencyLimit(at_once, _READINGS_WAIT * max_waiting, "texts")
        """turns at reading a stranger's text; who has one waits for nothing else"""
        self._max_duration_s = max_duration_s
        self._makings: dict[str, Making] = {}
        self._claims = claims
        self._wanted_font = soundfont
        self._soundfont = self.synthesizer.font(soundfont)
        self._performer = Performer(cache.private_folder, confinement, max_duration_s)
        self._sound = SoundMaker(self.synthesizer, self._soundfont, confinement, cache.private_folder)

    @classmethod
    def of(cls, settings: Settings, folder: Path, claims: Claims | None = None) -> Self:
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
            claims=claims,
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
        await self._sound.check(midi)

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
        return Job.of(tunes, format_, options, self.synthesizer, self._soundfont)

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
        while True:
            if job.name not in self._makings and self.is_kept(job) and (kept := await self._kept(job)):
                metrics.CACHE_LOOKUPS.labels("hit").inc()
                return self._lent.lend(Rendering(kept.file, length=kept.length))
            making = self._makings.get(job.name)
            is_new = making is None or making.is_abandoned
            if not is_new or self._may_make(job):
                break
            await asyncio.sleep(_LOOK_AGAIN_S)
        metrics.CACHE_LOOKUPS.labels("miss" if is_new else "joined").inc()
        if making is None or making.is_abandoned:
            making = self._begin(job)
        making.join()
        try:
            file = making.path.open("rb")  # by now: when it is done it may be deleted at any time
        except BaseException:
            self._leave(job, making)
            raise
        try:
            await making.until(done=whole or not job.format.grows)
        except BaseException:
            file.close()
            self._leave(job, making)
            raise
        return self._lent.lend(Rendering(file, making))

    async def _kept(self, job: Job) -> Kept | None:
        """What the cache has; closed again where nobody waits for it any more."""
        opening = asyncio.ensure_future(asyncio.to_thread(self._cache.open, job.name))
        try:
            return await asyncio.shield(opening)
        except asyncio.CancelledError:
            opening.add_done_callback(_close)
            raise

    def _leave(self, job: Job, making: Making) -> None:
        making.leave()
        if making.is_abandoned:  # perhaps before its work began, which else would do it
            self._cache.discard(making.path)
            self._forget(job, making)

    def _forget(self, job: Job, making: Making) -> None:
        if self._makings.get(job.name) is making:
            del self._makings[job.name]
            self._give_back(job)

    def _may_make(self, job: Job) -> bool:
        """Whether no other process makes it, nor has by now."""
        if self._claims is None:
            return True
        if not self._claims.take(job.name):
            return False
        if self.is_kept(job):
            self._claims.give_back(job.name)
            return False
        return True

    def _give_back(self, job: Job) -> None:
        if self._claims:
            self._claims.give_back(job.name)

    def _begin(self, job: Job) -> Making:
        is_long = job.lasts_s > _LONG_S
        self._lent.keep_within_bound()
        try:
            self._turns.check_room(is_long=is_long)
            making = Making(self._cache.begin(job.name))
            with self._giving_room():
                making.path.touch()
        except BaseException:
            self._give_back(job)
            raise
        self._makings[job.name] = making

        async def work(making: Making) -> None:
            outcome = "made"
            try:
                with self._giving_room():
                    async with self._turns.turn(is_long=is_long):
                        await self._make_sealed(job, making)
                    making.path = self._cache.finish(making.path, job.name)
            except BaseException as error:
                outcome = _outcome(error)
                self._cache.discard(making.path)
                raise
            finally:
                metrics.RENDERS.labels(job.format, outcome).inc()
                self._forget(job, making)

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
                self._lent.make_room()
            raise

    async def _make_sealed(self, job: Job, making: Making) -> None:
        with metrics.RENDER_DURATION.labels(job.format).time(), tracing.step("render", _traced(job)):
            await self._make(job, making)
            making.length = making.path.stat().st_size  # whoever reads it stops there, before the seal
            await asyncio.to_thread(seal.add, making.path, job.name)

    async def _make(self, job: Job, making: Making) -> None:
        if job.format.kind is Kind.SOUND:
            await self._sound.make(job, making, self._performer.perform(job))
        elif job.format.kind is Kind.MIDI:
            performance = await self._performer.perform(job)
            title = Tags.of([tune.score for tune in job.tunes]).title
            making.path.write_bytes(await in_thread(lambda: performance.as_midi(title)))
        else:
            with self.private_folder() as folder:
                making.path.write_bytes(await make_score(job, folder, self.confinement))


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
