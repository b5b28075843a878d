"""What a training run or a published version has learnt, opened for judging, sampling and publishing."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from model_store.manifest import ModelConfig
from model_store.store import Checkpoint, Store
from model_store.vocabulary import Vocabulary
from training.errors import CheckpointError, RunError
from training.learning.model import model_config
from training.learning.run_folder import RunFolder
from training.learning.tempering import tempered, with_bias


@dataclass(frozen=True)
class Trained:
    """Weights by the model store's names, and what they mean."""

    name: str
    network: ModelConfig
    vocabulary: Vocabulary
    weights: Mapping[str, NDArray[np.float32]]


def open_trained(path: Path) -> Trained:
    """What a run folder, or a version folder of a model store, holds.

    Raises:
        RunError: the path is neither.
        CheckpointError: the run has no weights yet, or they are damaged.
        StoreError: the version does not verify.
    """
    if (path / "run.json").is_file():
        return from_run(RunFolder.open(path))
    checkpoint = open_version(path)
    manifest = checkpoint.manifest
    return Trained(f"{manifest.name}/{manifest.version}", manifest.model, checkpoint.vocabulary, checkpoint.weights())


def open_version(path: Path) -> Checkpoint:
    """A version folder of a model store.

    Raises:
        RunError: the path is none; the text takes it for one that might have been a run folder as well.
        StoreError: the version does not verify.
    """
    version = path.resolve()
    if (version / "manifest.json").is_file() and version.name.isdigit():
        return Store(version.parent.parent).load(version.parent.name, int(version.name))
    raise RunError(
        f"{path}: neither a run folder (run.json) nor a version in a model store (NAME/VERSION/manifest.json)"
    )


def from_run(run: RunFolder) -> Trained:
    """The best weights of a run, as its recipe has them published."""
    vocabulary, config = run.vocabulary(), run.config()
    network = model_config(config, len(vocabulary))
    weights: Mapping[str, NDArray[np.float32]] = run.best_weights()
    if {name: tensor.shape for name, tensor in weights.items()} != network.weight_shapes():
        raise CheckpointError(f"{run.best}: its tensors are not those of this run's network")
    weights = tempered(weights, config.temperature)
    bias = run.character_bias()
    return Trained(run.path.name, network, vocabulary, weights if bias is None else with_bias(weights, bias))
