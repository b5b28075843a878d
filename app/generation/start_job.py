"""Starts a job: new tunes, the best of several that are drawn, or bars of a tune made anew."""

from app.generation.best_of import MAX_DRAWS, BestOf
from app.generation.continuation import Continuation
from app.generation.counted_generation import CountedGeneration, Verify
from app.generation.generation import Generation
from app.generation.infill import Infill
from app.generation.infill_candidates import CANDIDATES, MAX_PER_BAR
from app.generation.jobs import InfillJob, Job
from app.generation.model_registry import ServedModel
from app.operations.concurrency_limit import ConcurrencyLimit


async def begin(
    model: ServedModel, job: Job, deadline: float, readings: ConcurrencyLimit, verify: Verify | None = None
) -> Generation:
    """Start a job.

    Args:
        deadline: when it is to be done, by the event loop's clock.
        readings: turns at reading a stranger's text.
        verify: what the answer is passed through.

    Raises:
        CharacterError: the start string holds a character outside the vocabulary.
        NotationError: the text is not one tune.
        RequestError: what is asked for does not exist, or this model cannot write it.
        BusyError: too much is waiting already.
    """
    return CountedGeneration(await _begin(model, job, deadline, readings), model.id.name, verify)


async def _begin(model: ServedModel, job: Job, deadline: float, readings: ConcurrencyLimit) -> Generation:
    if isinstance(job, InfillJob):
        return await Infill.begin(model, job, deadline, readings)
    if job.avoid_copies or job.best_of > 1:
        return await BestOf.begin(model, job, deadline, readings)
    return await Continuation.begin(model, job, deadline, readings)


def max_characters(job: Job) -> int:
    """How many may be drawn for a job."""
    if isinstance(job, InfillJob):
        return CANDIDATES * MAX_PER_BAR * job.max_drawn_bars
    return job.length * max(job.best_of, MAX_DRAWS if job.avoid_copies else 1)
