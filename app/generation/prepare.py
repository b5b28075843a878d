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
        CharacterError: the start string or title holds a character outside the vocabulary.
        RequestError: this model cannot write what is asked for, or a title has no place after the start string.
    """
    vocabulary = model.checkpoint.vocabulary
    if job.title is not None:
        _check_title(job.title, job.start_string)
    try:
        prompt = vocabulary.encode(job.prompt or _BETWEEN_TUNES)
    except UnknownCharacterError as error:
        raise _unknown_character(error, job) from None
    if job.constrained and model.grammar:
        cursor = model.grammar.begin(job.prompt, job.wishes, job.length, job.tunes)
        return Prepared(Sequence(prompt, job.length, job.sampling, constraint=cursor), cursor.faults)
    if job.wishes != Request():
        raise RequestError(
            "this model's characters cannot write what the grammar asks for, so nothing can be asked of it"
        )
    return Prepared(Sequence(prompt, job.length, job.sampling, _stop_after(job.tunes, job.prompt, vocabulary)))


def _check_title(title: str, start_string: str) -> None:
    if not title.isprintable() or not title.strip() or "%" in title or "\\" in title:
        raise _refused_title(f"{title!a} is not a title; a title is one line of text without % and \\")
    *lines, last = start_string.split("\n")
    if lines and lines[-1].startswith("X:"):
        lines.pop()
    if last or (lines and lines[-1].strip()):
        raise _refused_title("a title needs a start string that is empty or ends with its X: line; or write T: into it")


def _refused_title(message: str) -> RequestError:
    return RequestError(message, faults=(Fault(message, field="title"),))


def _unknown_character(error: UnknownCharacterError, job: GenerationJob) -> CharacterError:
    field, position = "start_string", error.position
    if position >= len(job.start_string):
        field, position = "title", position - len(job.prompt) + len(f"{job.title}\n")
    what = "" if field == "start_string" else " of the title"
    return CharacterError(
        f"the model does not know the character {error.character!r} at position {position}{what}",
        faults=(Fault(f"unknown character {error.character!r}", field=field, position=position),),
    )


def _stop_after(tunes: int | None, start_string: str, vocabulary: Vocabulary) -> Callable[[int], bool]:
    """A stop rule: so many whole tunes after the start string."""
    if tunes is None:
        return lambda _: False
    counter = TuneCounter()
    for character in start_string:
        counter.feed(character)
    goal = counter.finished + tunes
    return lambda id_: counter.feed(vocabulary.characters[id_]) and counter.finished >= goal
