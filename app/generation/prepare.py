"""A job as a sequence for the engine: text becomes ids, wishes become a constraint."""

from collections.abc import Callable
from dataclasses import dataclass

from app.abc.tunebook import TuneCounter
from app.errors import CharacterError, Fault, RequestError
from app.generation.jobs import GenerationJob
from app.generation.model_registry import ServedModel
from app.grammar import Request
from app.inference.sequence import Sequence
from model_store.errors import UnknownCharacterError
from model_store.vocabulary import Vocabulary

_BETWEEN_TUNES = "\n\n"


@dataclass(frozen=True)
class Prepared:
    """A sequence that continues a start string, and what was wrong with the start string."""

    sequence: Sequence
    faults: tuple[Fault, ...] = ()


def prepare(model: ServedModel, job: GenerationJob) -> Prepared:
    """A job as a sequence; an empty start string stands for the gap before a tune.

    Raises:
        CharacterError: the start string holds a character outside the vocabulary.
        RequestError: this model cannot write what is asked for.
    """
    vocabulary = model.checkpoint.vocabulary
    try:
        prompt = vocabulary.encode(job.start_string or _BETWEEN_TUNES)
    except UnknownCharacterError as error:
        raise CharacterError(
            f"the model does not know the character {error.character!r} at position {error.position}",
            faults=(Fault(f"unknown character {error.character!r}", field="start_string", position=error.position),),
        ) from None
    if job.constrained and model.grammar:
        cursor = model.grammar.begin(job.start_string, job.wishes, job.length, job.tunes)
        return Prepared(Sequence(prompt, job.length, job.sampling, constraint=cursor), cursor.faults)
    if job.wishes != Request():
        raise RequestError(
            "this model's characters cannot write what the grammar asks for, so nothing can be asked of it"
        )
    return Prepared(Sequence(prompt, job.length, job.sampling, _stop_after(job.tunes, job.start_string, vocabulary)))


def _stop_after(tunes: int | None, start_string: str, vocabulary: Vocabulary) -> Callable[[int], bool]:
    """A stop rule: so many whole tunes after the start string."""
    if tunes is None:
        return lambda _: False
    counter = TuneCounter()
    for character in start_string:
        counter.feed(character)
    goal = counter.finished + tunes
    return lambda id_: counter.feed(vocabulary.characters[id_]) and counter.finished >= goal
