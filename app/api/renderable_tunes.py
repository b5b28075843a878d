"""Filters tunes that the grammar did not write alone: they are `complete` only where `/render` takes them."""

from dataclasses import replace

from app.abc.tunebook import Tune
from app.errors import Fault, NotationError
from app.generation.answer import Answer, JudgedTune
from app.generation.counted_generation import Verify
from app.generation.jobs import GenerationJob, Job
from app.generation.network_text import NetworkText
from app.operations.concurrency_limit import ConcurrencyLimit
from app.rendering.input_filter import admit

_LOOKED_AT = 500  # characters


def verifier(job: Job, readings: ConcurrencyLimit, max_duration_s: float) -> Verify:
    """What takes `complete` from the tunes of a job's answer that could not be rendered, with the reason as a problem.

    Args:
        readings: turns at reading a stranger's text.
        max_duration_s: the longest performance that is rendered.
    """
    is_written_by_grammar = isinstance(job, GenerationJob) and job.constrained and _is_all_read(job.prompt)

    def is_in_doubt(tune: Tune) -> bool:
        return tune.complete and (not is_written_by_grammar or bool(tune.problems))

    def checked(judged: JudgedTune) -> JudgedTune:
        fault = _refusal(judged.tune.abc, max_duration_s) if is_in_doubt(judged.tune) else None
        if fault is None:
            return judged
        return replace(judged, tune=replace(judged.tune, complete=False, problems=(*judged.tune.problems, fault)))

    async def verify(answer: Answer) -> Answer:
        if not any(is_in_doubt(judged.tune) for judged in answer.tunes):
            return answer
        return await readings.run(lambda: replace(answer, tunes=tuple(map(checked, answer.tunes))), is_begun=True)

    return verify


def _is_all_read(start_string: str) -> bool:
    """Whether a network reads all of it; of a long one that is not looked at here, on the event loop."""
    return len(start_string) <= _LOOKED_AT and NetworkText.of(start_string, set(start_string)).read == start_string


def _refusal(abc: str, max_duration_s: float) -> Fault | None:
    """Why a tune cannot be rendered; None where it can."""
    try:
        score = admit(abc, max_duration_s=max_duration_s).score
    except NotationError as error:
        first = error.faults[0] if error.faults else Fault(error.detail)
        return replace(first, message=f"cannot be rendered: {first.message}")
    has_notes = any(chord.pitches for voice in score.voices for bar in voice.bars for chord in bar.chords)
    return None if has_notes else Fault("cannot be rendered: there is not a note in this tune")
