"""Sets a job going in the way that suits it."""

from app.generation.continuation import Continuation
from app.generation.copy_avoidance import MAX_DRAWS, CopyAvoidance
from app.generation.counted import Counted
from app.generation.generation import Generation
from app.generation.infill import Infill
from app.generation.infill_candidates import CANDIDATES, MAX_PER_BAR
from app.generation.jobs import InfillJob, Job
from app.generation.model_registry import ServedModel


async def begin(model: ServedModel, job: Job, deadline: float) -> Generation:
    """Set a job going; it is to be done by `deadline`, by the event loop's clock.

    Raises:
        CharacterError: the start string holds a character outside the vocabulary.
        NotationError: the text is not one tune.
        RequestError: what is asked for does not exist, or this model cannot write it.
        BusyError: too much is waiting already.
    """
    return Counted(await _begin(model, job, deadline), model.id.name)


async def _begin(model: ServedModel, job: Job, deadline: float) -> Generation:
    if isinstance(job, InfillJob):
        return await Infill.begin(model, job, deadline)
    if job.avoid_copies:
        return await CopyAvoidance.begin(model, job, deadline)
    return await Continuation.begin(model, job, deadline)


def max_characters(job: Job) -> int:
    """How many may be drawn for a job."""
    if isinstance(job, InfillJob):
        return CANDIDATES * MAX_PER_BAR * len(job.bars)
    return job.length * (MAX_DRAWS if job.avoid_copies else 1)
