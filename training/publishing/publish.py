"""Puts a run's best weights into a model store, with its decoder graph, index of tunes and model card."""

import platform
import tempfile
from contextlib import suppress
from importlib.metadata import version
from pathlib import Path

from pydantic import ValidationError

from model_store.manifest import (
    CARD_FILE,
    CRITIC_FILE,
    DECODER_FILE,
    LEXICON_FILE,
    PLANS_FILE,
    TUNES_FILE,
    Defaults,
    Draft,
)
from model_store.store import Checkpoint, Store
from training.errors import ConfigError, TooFewTunesError
from training.evaluation import critic
from training.evaluation.candidate import open_candidate
from training.evaluation.evaluate import evaluation_of
from training.evaluation.weights_source import from_run
from training.learning.run_folder import RunFolder
from training.publishing.export import decoder_graph
from training.publishing.lexicon import lexicon_of
from training.publishing.model_card import card
from training.publishing.plans import plans_of_run
from training.publishing.tune_index import index_of, learnt_tunes

LIBRARIES = ("tensorflow", "keras", "numpy", "ai-edge-litert")


def publish(
    run: RunFolder, name: str, store: Path, tunes: int, note: str = "", sample_size: int = 0, critic_tunes: int = 0
) -> Checkpoint:
    """Publish a run as the next version of a name.

    Args:
        tunes: how many tunes to judge, if the run has not been evaluated since it last learnt.
        sample_size: how many of them to hold beside real ones, likewise.
        critic_tunes: how many to draw for a critic to learn from; 0 publishes none, nor do too few tunes of its own.
        note: what else a reader of the card should know of this run.

    Raises:
        ConfigError: the name is not one that a store takes.
        TrainingError: the run has no weights, or they are damaged.
        StoreError: the store does not take it.
    """
    trained, config, corpus = from_run(run), run.config(), run.corpus()
    try:
        empty = Draft(
            name=name,
            model=trained.network,
            vocabulary=trained.vocabulary.characters,
            corpora=corpus.records,
            training={},
            metrics={},
            libraries={"python": platform.python_version()} | {library: version(library) for library in LIBRARIES},
            defaults=Defaults(start_string="X:1\n"),
        )
    except ValidationError as error:
        raise ConfigError(f"--name {name}: {error.errors()[0]['msg']}") from None
    evaluation = evaluation_of(run, tunes, sample_size)
    training = config.to_json() | {"best_step": evaluation.step}
    if start := run.start():
        training["from"] = start.model
    draft = empty.model_copy(update={"training": training, "metrics": evaluation.metrics()})
    files = {
        DECODER_FILE: decoder_graph(trained.weights, inputs=trained.network.inputs),
        TUNES_FILE: index_of(run).to_bytes(),
        LEXICON_FILE: lexicon_of(learnt_tunes(run)).to_bytes(),
        CARD_FILE: card(draft, config, corpus.sides, evaluation, note).encode(),
    }
    if plans := plans_of_run(run, trained):
        files[PLANS_FILE] = plans.to_bytes()
    if critic_tunes:
        with tempfile.TemporaryDirectory(prefix="lilt-critic-") as folder, suppress(TooFewTunesError):
            files[CRITIC_FILE] = critic.of(open_candidate(run.path, Path(folder)), critic_tunes).to_bytes()
    return Store(store).publish(draft, trained.weights, files)
