"""Text in, text out: a start string through the engine and back into tunes."""

import asyncio
import secrets
from dataclasses import dataclass

from app.decoder import Decoder, LiteRTDecoder
from app.engine import Engine, Sequence
from app.errors import CharacterError, DeadlineError, Fault
from app.notation import TuneCounter, split_tunes
from app.sampling import SamplingParams
from app.schemas import MAX_SEED, GeneratedTune, GenerateRequest, GenerateResponse, ModelId
from app.settings import Settings
from model_store.errors import CheckpointNotFoundError, UnknownCharacterError
from model_store.manifest import DECODER_FILE
from model_store.store import Checkpoint, Store
from model_store.vocabulary import Vocabulary

_BETWEEN_TUNES = "\n\n"


@dataclass(frozen=True)
class ServedModel:
    """A checkpoint and the engine that runs it."""

    checkpoint: Checkpoint
    engine: Engine

    @property
    def id(self) -> ModelId:
        manifest = self.checkpoint.manifest
        return ModelId(name=manifest.name, version=manifest.version, hash=manifest.digest)


def choose_model(store: Store, name: str | None) -> str:
    """The name to serve: the one asked for, or the only one there is.

    Raises:
        CheckpointNotFoundError: the store is empty, or holds several and none was asked for.
    """
    if name is not None:
        return name
    names = store.names()
    if len(names) != 1:
        have = f"holds {', '.join(names)}: set LILT_MODEL to one of them" if names else "holds no checkpoint"
        raise CheckpointNotFoundError(f"model store {store.root} {have}")
    return names[0]


def load_decoder(checkpoint: Checkpoint, settings: Settings) -> Decoder:
    """The decoder that the settings ask for; TensorFlow is imported for `keras` alone."""
    if settings.decoder == "keras":
        from app.keras_decoder import KerasDecoder

        return KerasDecoder(checkpoint, settings.max_batch)
    return LiteRTDecoder(checkpoint.path(DECODER_FILE), settings.max_batch)


async def generate(model: ServedModel, request: GenerateRequest, timeout_s: float) -> GenerateResponse:
    """Continue the start string until it has the tunes or the length that the request asks for.

    Raises:
        CharacterError: the start string holds a character outside the vocabulary.
        BusyError: too much is waiting already.
        DeadlineError: it took longer than `timeout_s`.
        DecoderError: the decoder failed.
    """
    vocabulary = model.checkpoint.vocabulary
    seed = secrets.randbelow(MAX_SEED + 1) if request.seed is None else request.seed
    params = SamplingParams(request.temperature, request.top_k, request.top_p, seed)
    sequence = make_sequence(vocabulary, request.start_string, request.length, params, request.tunes)
    try:
        async with asyncio.timeout(timeout_s):
            await asyncio.wrap_future(model.engine.submit(sequence))
    except TimeoutError:
        raise DeadlineError(f"{request.length} characters were not made in {timeout_s:g} seconds") from None
    abc = request.start_string + vocabulary.decode(sequence.new_ids)
    assert sequence.finish_reason is not None  # noqa: S101  # the engine resolves a sequence once it has finished
    return GenerateResponse(
        abc=abc,
        tunes=[GeneratedTune.of(tune) for tune in split_tunes(abc)],
        seed=seed,
        model=model.id,
        finish_reason=sequence.finish_reason,
        generated=len(sequence.new_ids),
    )


def make_sequence(
    vocabulary: Vocabulary, start_string: str, length: int, params: SamplingParams, tunes: int | None
) -> Sequence:
    """A sequence that continues a start string by `length` characters, or until it has made `tunes` whole tunes.

    An empty start string stands for the gap before a tune.

    Raises:
        CharacterError: the start string holds a character outside the vocabulary.
    """
    try:
        prompt = vocabulary.encode(start_string or _BETWEEN_TUNES)
    except UnknownCharacterError as error:
        raise CharacterError(
            str(error) + f"; it has {''.join(vocabulary.characters)!a}",
            faults=(Fault(f"unknown character {error.character!a}", field="start_string", position=error.position),),
        ) from None
    if tunes is None:
        return Sequence(prompt, length, params)
    counter = TuneCounter()
    for character in start_string:
        counter.feed(character)
    goal = counter.finished + tunes

    def has_enough(id_: int) -> bool:
        return counter.feed(vocabulary.characters[id_]) and counter.finished >= goal

    return Sequence(prompt, length, params, stop=has_enough)
