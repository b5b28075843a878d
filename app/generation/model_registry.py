"""The models that are served, one engine each; a new version takes over while running sequences end on theirs."""

import asyncio
import logging
from collections.abc import Iterator
from dataclasses import dataclass

from app.abc.lookback.columns import columns
from app.errors import VocabularyError
from app.generation.critic import Critic
from app.generation.menus import Menus
from app.generation.originality import Originality, originality
from app.generation.planning import Planning
from app.grammar import Grammar
from app.inference.decoder import FEW, Decoder, LiteRTDecoder
from app.inference.engine import Engine
from app.operations import metrics
from app.settings import Settings
from model_store.errors import CheckpointNotFoundError, InvalidCheckpointError, StoreError
from model_store.lexicon import Lexicon
from model_store.manifest import CRITIC_FILE, DECODER_FILE, PLANS_FILE, Manifest
from model_store.store import MANIFEST_FILE, Checkpoint, Store
from model_store.tune_index import TuneIndex

logger = logging.getLogger(__name__)

TUNES_LEARNT = 300
"""Training tunes that a grammar is shown while its engine has nothing to do; more would add little."""


@dataclass(frozen=True)
class ModelId:
    """Which model made a tune; `hash` is its manifest's digest."""

    name: str
    version: int
    hash: str


@dataclass(frozen=True)
class ServedModel:
    """A checkpoint and the engine that runs it."""

    checkpoint: Checkpoint
    engine: Engine
    grammar: Grammar | None
    """None for a model whose characters cannot write a tune as the grammar has it."""
    index: TuneIndex | None = None
    """None for a version that was published without one."""
    critic: Critic | None = None
    """Likewise."""
    planning: Planning | None = None
    """Likewise: its tunes have no plan then."""

    @property
    def id(self) -> ModelId:
        manifest = self.checkpoint.manifest
        return ModelId(name=manifest.name, version=manifest.version, hash=manifest.digest)

    @property
    def menus(self) -> Menus:
        """What can be asked of it."""
        return Menus.of(self.checkpoint.manifest.vocabulary) if self.grammar else Menus()

    def originality(self, abc: str) -> Originality | None:
        """What a tune has in common with the tunes that this model was trained on; None where that cannot be said."""
        return originality(abc, self.index) if self.index else None


def names(settings: Settings) -> tuple[str, ...]:
    """The models to serve, the default first.

    Raises:
        StoreError: there are none.
    """
    store = Store(settings.model_store)
    found = settings.models or tuple(store.names())
    if not found:
        raise CheckpointNotFoundError(f"model store {store.root}: it holds no checkpoint")
    if not settings.models and not store.has_manifest():
        detail = f"none of its folders, such as {found[0]}/{store.versions(found[0])[-1]}, has a {MANIFEST_FILE}"
        raise CheckpointNotFoundError(f"model store {store.root}: it holds no checkpoint: {detail}")
    return found


def load_decoders(checkpoint: Checkpoint, settings: Settings, few: int) -> tuple[Decoder, ...]:
    """What the settings make of it: an engine's decoder and its lanes; TensorFlow is imported for `keras` alone.

    Raises:
        InvalidCheckpointError: the file is what was published, and is no decoder, or has inputs not known here.
    """
    _check_inputs(checkpoint.manifest)
    if settings.decoder == "keras":
        from app.inference.keras_decoder import KerasDecoder

        return (KerasDecoder(checkpoint, settings.max_batch),)
    try:
        graph = checkpoint.path(DECODER_FILE)
        characters = checkpoint.manifest.vocabulary
        return LiteRTDecoder.for_engine(graph, settings.max_batch, settings.decoder_threads, few, characters)
    except (RuntimeError, ValueError, KeyError) as error:  # whoever published it sealed what is no decoder
        where = f"{checkpoint.manifest.name}/{checkpoint.manifest.version}/{DECODER_FILE}"
        raise InvalidCheckpointError(f"{where}: not a decoder's graph ({type(error).__name__})") from None


def _check_inputs(manifest: Manifest) -> None:
    known = [(column.name, column.factors) for column in columns(manifest.model.vocab_size)]
    for number, each in enumerate(manifest.model.inputs):
        if known[number : number + 1] != [(each.name, each.factors)]:
            raise InvalidCheckpointError(
                f"{manifest.name}/{manifest.version}: this Lilt does not compute its input {each.name}"
                f" of {' × '.join(map(str, each.factors))} values"
            )


class Models:
    """Loads the models that the settings name, or all that the store has; the first is the default.

    Args:
        few: sequences that are stepped together, before they are shared out among lanes.

    Raises:
        StoreError: the store has none, or one of them cannot be used in any version.
    """

    def __init__(self, settings: Settings, few: int = FEW) -> None:
        self._settings = settings
        self._few = few
        self._store = Store(settings.model_store)
        self._loaded = {name: self._load(name) for name in names(settings)}
        self._served: dict[str, ServedModel] = {}
        self._complaints: dict[str, str] = {}

    def start(self) -> None:
        """Start the engines."""
        self._served = {name: self._serve(*loaded) for name, loaded in self._loaded.items()}
        self._loaded.clear()
        logger.info("serving %s", ", ".join(f"{model.id.name}/{model.id.version}" for model in self.all()))

    def all(self) -> tuple[ServedModel, ...]:
        """Every model, the default first."""
        return tuple(self._served.values())

    def get(self, name: str | None) -> ServedModel | None:
        """The model of this name, the default for None; None if it is not loaded."""
        return self.all()[0] if name is None else self._served.get(name)

    async def refresh(self) -> None:
        """Serve what `current` names now; a version that does not verify is logged, and the model stays as it is."""
        for name, model in list(self._served.items()):
            try:
                current = await asyncio.to_thread(self._store.current, name)
                if current == model.id.version:
                    continue
                checkpoint = await asyncio.to_thread(self._store.load, name, current)
                decoders = await asyncio.to_thread(load_decoders, checkpoint, self._settings, self._few)
            except (StoreError, OSError) as error:
                if self._complaints.get(name) != str(error):  # once, however often it is looked at
                    logger.error("%s; still serving %s/%d", error, name, model.id.version)  # noqa: TRY400
                self._complaints[name] = str(error)
                continue
            self._complaints.pop(name, None)
            self._served[name] = self._serve(checkpoint, decoders)
            metrics.forget_model(model.id.name, model.id.version, model.id.hash)
            logger.info("now serving %s/%d", name, current)
            await asyncio.to_thread(model.engine.close)

    async def close(self) -> None:
        """Finish what was accepted, and end the engines."""
        await asyncio.gather(*(asyncio.to_thread(model.engine.close) for model in self.all()))

    def _load(self, name: str) -> tuple[Checkpoint, tuple[Decoder, ...]]:
        """The current version or, where that cannot be served, the newest other one that can."""
        decoders: dict[int, tuple[Decoder, ...]] = {}

        def prove(checkpoint: Checkpoint) -> None:
            decoders[checkpoint.manifest.version] = load_decoders(checkpoint, self._settings, self._few)

        checkpoint, fault = self._store.load_last_good(name, prove)
        if fault:
            logger.error("%s; serving %s/%d instead", fault, name, checkpoint.manifest.version)
        return checkpoint, decoders[checkpoint.manifest.version]

    def _serve(self, checkpoint: Checkpoint, decoders: tuple[Decoder, ...]) -> ServedModel:
        grammar, index = _grammar(checkpoint), _tune_index(checkpoint)
        lessons = grammar.learn(some_tunes(index)) if grammar and index else ()
        first, *lanes = decoders
        engine = Engine(first, self._settings.max_waiting, spare_work=lessons, lanes=tuple(lanes))
        return ServedModel(checkpoint, engine, grammar, index, _critic(checkpoint), _planning(checkpoint))


def some_tunes(index: TuneIndex) -> Iterator[str]:
    """From all over its books."""
    return (index.abc(tune) for tune in range(0, len(index), -(-len(index) // TUNES_LEARNT) or 1))


def _grammar(checkpoint: Checkpoint) -> Grammar | None:
    try:
        return Grammar(checkpoint.vocabulary, _lexicon(checkpoint))
    except VocabularyError as error:
        logger.warning("%s: %s: its tunes are not held to the grammar", checkpoint.manifest.name, error)
        return None


def _lexicon(checkpoint: Checkpoint) -> Lexicon | None:
    try:
        return checkpoint.lexicon()
    except StoreError as error:
        logger.error("%s: its titles and rhythms are any text", error)  # noqa: TRY400
        return None


def _tune_index(checkpoint: Checkpoint) -> TuneIndex | None:
    try:
        index = checkpoint.tune_index()
    except StoreError as error:
        logger.error("%s: its tunes are not held against those it was trained on", error)  # noqa: TRY400
        return None
    if index is not None:
        logger.info("%s: %d training tunes, %.1f MB", checkpoint.manifest.name, len(index), index.size / 1e6)
    return index


def _critic(checkpoint: Checkpoint) -> Critic | None:
    try:
        trees = checkpoint.critic()
        return Critic(trees, f"{checkpoint.path(CRITIC_FILE)}") if trees else None
    except StoreError as error:
        logger.error("%s: none of its tunes can be chosen among several", error)  # noqa: TRY400
        return None


def _planning(checkpoint: Checkpoint) -> Planning | None:
    try:
        plans = checkpoint.plans()
        return Planning(plans, f"{checkpoint.path(PLANS_FILE)}") if plans else None
    except StoreError as error:
        logger.error("%s: its tunes have no plan", error)  # noqa: TRY400
        return None
