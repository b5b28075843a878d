"""Makes a job's score: the tunes as they are drawn, as ABC or MusicXML, and of that by the engraver SVG, PNG or PDF."""

from pathlib import Path

from app.abc import score_writer
from app.abc.harmony import with_chords
from app.abc.playing_order import with_parts_in_order
from app.abc.reader import read
from app.abc.score import Score
from app.abc.transpose import transposed
from app.errors import NotationError
from app.interchange import musicxml_writer
from app.operations.concurrency_limit import in_thread
from app.rendering import external_tools
from app.rendering.backing import Backing
from app.rendering.formats import Format
from app.rendering.input_filter import DRAWN_NOTES, Admitted
from app.rendering.render_job import Job, RenderOptions
from app.rendering.sandbox import Confinement
from app.rendering.tune_set import as_one_score


async def make_score(job: Job, folder: Path, confinement: Confinement) -> bytes:
    """The score's file.

    Args:
        job: what to draw.
        folder: a private one, for the engraver.
        confinement: what `sandbox.choose` found.

    Raises:
        NotationError: it cannot be transposed or printed so, or has too many notes.
        RenderError: the engraver made nothing of it.
        BusyError: the system has no room for a program.
        DeadlineError: a time limit was hit.
    """
    if job.format is Format.ABC:
        return await in_thread(lambda: _abc(job))
    written = await in_thread(lambda: _musicxml(job))
    if job.format is Format.MUSICXML:
        return written
    return await external_tools.engrave(written, job.format.extension, folder, confinement)


def _abc(job: Job) -> bytes:
    drawn = [_drawn(tune, job.options) for tune in job.tunes]
    return "\n".join(score_writer.write(score, number) for number, score in enumerate(drawn, 1)).encode()


def _musicxml(job: Job) -> bytes:
    scores = [with_parts_in_order(_drawn(tune, job.options)) for tune in job.tunes]
    score = scores[0] if len(scores) == 1 else as_one_score(scores)
    if excess := DRAWN_NOTES.excess(musicxml_writer.drawn_notes(score), ""):
        raise NotationError(f"it has {excess}")
    return musicxml_writer.write(score)


def _drawn(tune: Admitted, options: RenderOptions) -> Score:
    """The tune as it is to be drawn: transposed, and with the chords of who accompanies it."""
    has_chords = options.arrangement.backing is not Backing.NONE
    return transposed(read(with_chords(tune.abc, tune.score)) if has_chords else tune.score, options.transpose)
