"""Draws tunes from a candidate as the service does, freely or held to the grammar, the same for the same seeds."""

from collections.abc import Sequence as Many
from dataclasses import dataclass

from app.abc.tunebook import TuneCounter
from app.errors import VocabularyError
from app.generation.planning import Planning
from app.grammar import Cursor, DrawnHeader, Grammar
from app.inference.completion import FinishReason
from app.inference.decoder import Decoder, LiteRTDecoder
from app.inference.engine import Engine
from app.inference.sampler import SamplingParams
from app.inference.sequence import Sequence
from model_store.lexicon import Lexicon
from model_store.vocabulary import Vocabulary
from training.corpora.corpus import SEPARATOR
from training.evaluation.candidate import Candidate

MAX_BATCH = 64
MAX_CHARACTERS = 1500


@dataclass(frozen=True)
class Draw:
    """What a seed gave: the characters' ids, and the tune without the blank lines around it if it ended in time."""

    seed: int
    ids: tuple[int, ...]
    tune: str | None


def draw_as_served(candidate: Candidate, seeds: Many[int]) -> list[str]:
    """The tunes of those seeds that end in time, temperature 1, nothing asked: as the service makes them."""
    decoder = LiteRTDecoder(candidate.graph, MAX_BATCH, characters=candidate.vocabulary.characters)
    grammar = grammar_of(candidate.vocabulary, candidate.lexicon)
    drawn = draw(decoder, candidate.vocabulary, seeds, 1.0, grammar, candidate.planning)
    return [each.tune for each in drawn if each.tune is not None]


def grammar_of(vocabulary: Vocabulary, lexicon: Lexicon | None = None) -> Grammar | None:
    """None for a model whose characters cannot write a tune as the grammar has it."""
    try:
        return Grammar(vocabulary, lexicon)
    except VocabularyError:
        return None


def held(grammar: Grammar, headers: DrawnHeader | None = None) -> Cursor:
    """The grammar at the beginning of a tune of which nothing was asked."""
    return grammar.begin("", length=MAX_CHARACTERS, headers=headers)


def draw(
    decoder: Decoder,
    vocabulary: Vocabulary,
    seeds: Many[int],
    temperature: float,
    grammar: Grammar | None = None,
    planning: Planning | None = None,
) -> list[Draw]:
    """One tune for each seed, after a blank line.

    Args:
        decoder: not stepped by anyone else meanwhile.
        grammar: what the tunes are held to; None: they are drawn freely.
        planning: what draws each tune's plan and, with a grammar, its header; None: it has none.
    """
    prompt = vocabulary.encode(SEPARATOR)
    engine = Engine(decoder, max_waiting=len(seeds))
    try:
        waiting = []
        for seed in seeds:
            params, counter = SamplingParams(temperature, seed=seed), TuneCounter()
            sequence = Sequence(
                prompt,
                MAX_CHARACTERS,
                params,
                stop=lambda id_, counter=counter: counter.feed(vocabulary.characters[id_]),  # type: ignore[misc]
                constraint=held(grammar, planning.headers(seed) if planning else None) if grammar else None,
                planner=planning.planner(seed) if planning else None,
            )
            waiting.append(engine.submit(sequence).done)
        finished = [future.result() for future in waiting]
    finally:
        engine.close()
    return [
        Draw(
            seed=seed,
            ids=each.new_ids,
            tune=vocabulary.decode(each.new_ids).strip("\n") if each.finish_reason is FinishReason.TUNES else None,
        )
        for seed, each in zip(seeds, finished, strict=True)
    ]
