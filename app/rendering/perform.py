"""Performs a job's tunes: each by abc2midi, arranged as is wanted, one after another."""

from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace
from pathlib import Path

from app.abc.transpose import transposed
from app.errors import RenderError
from app.operations.concurrency_limit import in_thread
from app.rendering import abc2midi_text, external_tools
from app.rendering.arrangement import Arrangement, arrange
from app.rendering.backing import Backing
from app.rendering.input_filter import PLAYED_NOTES, Admitted
from app.rendering.midi_events import Performance
from app.rendering.render_job import Job, RenderOptions
from app.rendering.sandbox import Confinement
from app.rendering.tune_set import joined, programs_of_set, speeds


@dataclass(frozen=True)
class Performer:
    """What it takes to perform."""

    private_folder: Callable[[], AbstractContextManager[Path]]
    """makes a folder to run a program in"""
    confinement: Confinement
    """what `sandbox.choose` found"""
    max_duration_s: float
    """of all tunes together"""

    async def perform(self, job: Job) -> Performance:
        """A tune as it is wanted, or all of a set.

        Raises:
            NotationError: it cannot be transposed so.
            RenderError: nothing could be made of it, or it would last too long.
            BusyError: the system has no room for a program.
            DeadlineError: a time limit was hit.
        """
        scores = [tune.score for tune in job.tunes]
        wanted = job.options.arrangement
        tempos = [wanted.tempo] if len(scores) == 1 else [wanted.tempo or speed for speed in speeds(scores)]
        made: list[Performance] = []
        if len(scores) > 1 and wanted.program is None:
            programs = programs_of_set(scores)
        else:
            programs = [wanted.program] * len(scores)
        for index, (tune, tempo) in enumerate(zip(job.tunes, tempos, strict=True)):
            one = replace(wanted, tempo=tempo, program=programs[index], click=wanted.click and not index)
            left = PLAYED_NOTES.max_allowed - sum(performance.notes for performance in made)
            made.append(await self._arranged(tune, job.options, one, left, goes_on=index + 1 < len(scores)))
        performance = made[0]
        if len(made) > 1:
            performance = await in_thread(lambda: joined(made, scores, wanted.repeats))
        if performance.duration_s > self.max_duration_s:
            raise RenderError(
                f"it would last {performance.duration_s:,.0f} seconds; {self.max_duration_s:,.0f} are allowed"
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
