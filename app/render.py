"""ABC → MIDI → audio: abc2midi and timidity, each in the sandbox."""

import asyncio
import re
import signal
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from app import midi, sandbox
from app.errors import BusyError, DeadlineError, Fault, RenderError
from app.gate import admit
from app.sandbox import Completed, Confinement, Limits

ABC2MIDI = "/usr/bin/abc2midi"
TIMIDITY = "/usr/bin/timidity"

_MIB = 1024 * 1024
_ABC2MIDI_LIMITS = Limits(cpu_s=2, wall_s=5, address_space=256 * _MIB, file_size=_MIB)
_TIMIDITY_LIMITS = Limits(cpu_s=60, wall_s=90, address_space=512 * _MIB, file_size=128 * _MIB)
_MOST_NOTES = 20_000
_EMPTY_WAV_BYTES = 44  # a header without samples
_COMPLAINT = re.compile(r"(Error|Warning) in line-char (\d+)-(\d+) : (.*)")


class Format(StrEnum):
    WAV = "wav"
    MIDI = "midi"

    @property
    def media_type(self) -> str:
        return {"wav": "audio/wav", "midi": "audio/midi"}[self]

    @property
    def extension(self) -> str:
        return {"wav": "wav", "midi": "mid"}[self]


@dataclass(frozen=True)
class RenderOptions:
    """How a tune is played; None leaves it to the tune."""

    tempo: float | None = None  # quarter notes a minute
    program: int | None = None  # General MIDI, 0–127
    transpose: int = 0  # semitones


class Renderer:
    """Renders tunes, a few at once.

    Args:
        soundfont: an SF2 file.
        confinement: what `sandbox.probe` found.
        at_once: renders that may run together.
        max_waiting: renders queued before new ones are turned away.
        max_duration_s: the longest performance that is synthesised.
    """

    def __init__(
        self, soundfont: Path, confinement: Confinement, *, at_once: int, max_waiting: int, max_duration_s: float
    ) -> None:
        self.confinement = confinement
        self._soundfont = soundfont
        self._slots = asyncio.Semaphore(at_once)
        self._waiting = 0
        self._max_waiting = max_waiting
        self._max_duration_s = max_duration_s

    def missing(self) -> list[str]:
        """What this machine lacks to render: programs and the sound font, by path."""
        return [str(path) for path in (Path(ABC2MIDI), Path(TIMIDITY), self._soundfont) if not path.is_file()]

    async def render(self, abc: str, format_: Format, options: RenderOptions) -> bytes:
        """One tune as a file.

        Raises:
            NotationError: the text is not one tune that may be rendered.
            RenderError: abc2midi or timidity made nothing of it, or it would last too long.
            BusyError: too many renders are waiting.
            DeadlineError: a time limit was hit.
        """
        tune = admit(abc, max_duration_s=self._max_duration_s, tempo=options.tempo).abc
        async with self._slot():
            with tempfile.TemporaryDirectory(prefix="lilt-") as name:
                folder = Path(name)
                score = await self._to_midi(tune, folder, options)
                return score if format_ is Format.MIDI else await self._to_wav(score, folder)

    @asynccontextmanager
    async def _slot(self) -> AsyncIterator[None]:
        if self._slots.locked() and self._waiting >= self._max_waiting:
            raise BusyError(f"{self._waiting} renders are waiting already", retry_after_s=2)
        self._waiting += 1
        try:
            await self._slots.acquire()
        finally:
            self._waiting -= 1
        try:
            yield
        finally:
            self._slots.release()

    async def _to_midi(self, tune: str, folder: Path, options: RenderOptions) -> bytes:
        (folder / "tune.abc").write_text(tune, "utf-8")
        completed = await sandbox.run(
            [ABC2MIDI, "tune.abc", "-o", "tune.mid"], folder, _ABC2MIDI_LIMITS, self.confinement
        )
        faults = complaints(completed.output)
        _check(completed, "abc2midi", faults)
        made = folder / "tune.mid"
        if not made.is_file():
            raise RenderError("abc2midi made no music of this tune" + _first(faults), faults=faults)
        try:
            score = await asyncio.to_thread(midi.adjust, made.read_bytes(), **vars(options))
            performance = await asyncio.to_thread(midi.inspect, score)
        except ValueError as error:
            raise RenderError(f"abc2midi made a file that is {error}" + _first(faults), faults=faults) from None
        if not performance.notes:
            raise RenderError("there is not a note in this tune" + _first(faults), faults=faults)
        if performance.duration_s > self._max_duration_s:
            raise RenderError(
                f"it would last {performance.duration_s:,.0f} seconds; {self._max_duration_s:,.0f} are allowed"
            )
        if performance.notes > _MOST_NOTES:
            raise RenderError(f"it has {performance.notes:,} notes as played; {_MOST_NOTES:,} are allowed")
        return score

    async def _to_wav(self, score: bytes, folder: Path) -> bytes:
        (folder / "tune.mid").write_bytes(score)
        (folder / "timidity.cfg").write_text(f'soundfont "{self._soundfont}"\n', "utf-8")
        completed = await sandbox.run(
            [TIMIDITY, "-c", "timidity.cfg", "-A300", "-Ow", "-o", "tune.wav", "tune.mid"],
            folder,
            _TIMIDITY_LIMITS,
            self.confinement,
            readable=(self._soundfont,),
        )
        _check(completed, "timidity", ())
        made = folder / "tune.wav"
        if completed.exit_code or not made.is_file() or made.stat().st_size <= _EMPTY_WAV_BYTES:
            raise RenderError("timidity made no sound of this tune")
        return made.read_bytes()


def complaints(output: bytes) -> tuple[Fault, ...]:
    """abc2midi's messages that name a place, each with its line and column."""
    found = _COMPLAINT.findall(output.decode("utf-8", errors="replace"))
    return tuple(
        Fault(f"{kind.lower()}: {text.strip()}", line=int(line), column=int(column) + 1)
        for kind, line, column, text in found[:20]
    )


def _first(faults: tuple[Fault, ...]) -> str:
    return f"; line {faults[0].line}, column {faults[0].column}: {faults[0].message}" if faults else ""


def _check(completed: Completed, program: str, faults: tuple[Fault, ...]) -> None:
    if completed.timed_out or completed.signal == signal.SIGXCPU:
        raise DeadlineError(f"{program} took too long over this tune")
    if completed.signal is not None:
        raise RenderError(f"{program} could not cope with this tune (signal {completed.signal})", faults=faults)
