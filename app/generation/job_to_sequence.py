"""Makes a sequence for the engine of a job: text becomes ids, what is asked for a constraint and a planner."""

from collections.abc import Callable
from dataclasses import dataclass, replace

from app.abc.tunebook import TuneCounter
from app.errors import CharacterError, Fault, RequestError
from app.generation.jobs import GenerationJob
from app.generation.model_registry import ServedModel
from app.generation.network_text import NetworkText
from app.grammar import Cursor, DrawnHeader, Grammar, Request
from app.inference.sequence import Sequence
from model_store.errors import UnknownCharacterError
from model_store.vocabulary import Vocabulary

_BETWEEN_TUNES = "\n\n"

_PENDING = "."
"""Reads to the grammar as any mark that is not read: a note has to follow."""


@dataclass(frozen=True)
class Prepared:
    """A sequence that continues a start string, what is read of it, and what was wrong with it."""

    sequence: Sequence
    start: NetworkText
    faults: tuple[Fault, ...] = ()


def prepare(model: ServedModel, job: GenerationJob) -> Prepared:
    """A job as a sequence; a start string of which nothing is read stands for the gap before a tune.

    Raises:
        CharacterError: the start string holds a character outside the vocabulary, where it could not be left out.
        RequestError: this model cannot write what is asked for, or a title has no place after the start string.
    """
    vocabulary = model.checkpoint.vocabulary
    if job.title is not None:
        _check_title(job.title, job.start_string)
    start = NetworkText.of(job.prompt, vocabulary.characters)
    try:
        prompt = vocabulary.encode(start.read or _BETWEEN_TUNES)
    except UnknownCharacterError as error:
        raise _unknown_character(error.character, start.place_of(error.position)) from None
    seed = job.sampling.seed if job.sampling.temperature else None
    planner = model.planning.planner(seed, job.wishes.form) if model.planning else None
    if job.constrained and model.grammar:
        headers = model.planning.headers(seed, job.wishes, start.read) if model.planning else None
        cursor = _begin(model.grammar, job, start, headers, can_be_pending=_PENDING in vocabulary.characters)
        faults = tuple(_placed(fault, start) for fault in cursor.faults)
        sequence = Sequence(prompt, job.length, job.sampling, constraint=cursor, planner=planner)
        return Prepared(sequence, start, faults)
    if job.wishes != Request():
        raise RequestError(
            "this model's characters cannot write what the grammar asks for, so nothing can be asked of it"
        )
    stops = _stop_after(job.tunes, start.read, vocabulary)
    return Prepared(Sequence(prompt, job.length, job.sampling, stops, planner=planner), start)


def _begin(
    grammar: Grammar, job: GenerationJob, start: NetworkText, headers: DrawnHeader | None, *, can_be_pending: bool
) -> Cursor:
    cursor = grammar.begin(start.read, job.wishes, job.length, job.tunes, headers)
    if not start.is_pending or not can_be_pending:
        return cursor
    pending = grammar.begin(start.read + _PENDING, job.wishes, job.length, job.tunes, headers)
    return pending if len(pending.faults) == len(cursor.faults) else cursor


def _placed(fault: Fault, start: NetworkText) -> Fault:
    """A fault at its place in the text, of which less was read."""
    if fault.position is None or start.read == start.text:
        return fault
    place = start.place_of(fault.position)
    line_begins = start.text.rfind("\n", 0, place) + 1
    return replace(fault, position=place, line=start.text.count("\n", 0, place) + 1, column=place - line_begins + 1)


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


def _unknown_character(character: str, position: int) -> CharacterError:
    return CharacterError(
        f"the model does not know the character {character!r} at position {position}",
        faults=(Fault(f"unknown character {character!r}", field="start_string", position=position),),
    )


def _stop_after(tunes: int | None, start_string: str, vocabulary: Vocabulary) -> Callable[[int], bool]:
    """A stop rule: true after that many whole tunes beyond the start string."""
    if tunes is None:
        return lambda _: False
    counter = TuneCounter()
    for character in start_string:
        counter.feed(character)
    goal = counter.finished + tunes
    return lambda id_: counter.feed(vocabulary.characters[id_]) and counter.finished >= goal
