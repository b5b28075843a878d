"""What a run goes on from: a published version, whose network may be told more in it, or teach one of fewer units."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from model_store.store import Checkpoint, Store
from model_store.vocabulary import Vocabulary
from training.errors import ConfigError
from training.learning.config import TrainingConfig
from training.learning.tempering import tempered

Tensors = dict[str, NDArray[Any]]

_SHAPE = ("embedding_dim", "lookback", "pointer_dim", "run_dim", "place_dim")


@dataclass(frozen=True)
class Start:
    """A published version, as a run has it: its name and version, its vocabulary, its weights.

    `temperature` is what its logits were divided by when it was published.
    """

    model: str
    vocabulary: Vocabulary
    weights: Mapping[str, NDArray[np.float32]]
    temperature: float = 1.0

    def as_learnt(self) -> Mapping[str, NDArray[np.float32]]:
        """The weights before their logits were divided, as a run goes on with them: what it makes is divided again."""
        return tempered(self.weights, 1 / self.temperature)


def find(name: str, store: Path) -> Checkpoint:
    """The version that `NAME` (its current one) or `NAME/VERSION` names.

    Raises:
        StoreError: there is none, or it does not verify.
        ConfigError: that is no such name.
    """
    name, slash, version = name.partition("/")
    if slash and not version.isdecimal():
        raise ConfigError(f"--from {name}/{version}: write NAME or NAME/VERSION")
    checkpoints = Store(store)
    return checkpoints.load(name, int(version) if slash else checkpoints.current(name))


def start_of(checkpoint: Checkpoint) -> Start:
    manifest = checkpoint.manifest
    temperature = float(str(manifest.training.get("temperature", 1.0)))
    return Start(f"{manifest.name}/{manifest.version}", checkpoint.vocabulary, checkpoint.weights(), temperature)


def shaped_like(config: TrainingConfig, checkpoint: Checkpoint) -> TrainingConfig:
    """The settings with the network's shape taken from a version; told a plan, or what matches, where either is.

    A network that it teaches has as many units as the settings say, and is told what it is.

    Raises:
        ConfigError: the version does not say how it was shaped, its network is of another kind, or it is to teach one
            of more units.
    """
    said = checkpoint.manifest.training
    units = checkpoint.manifest.model.lstm_units
    if config.distillation and config.lstm_units > units:
        raise ConfigError(f"lstm_units: {config.lstm_units} is more than {checkpoint.manifest.name} has, {units}")
    names = _SHAPE if config.distillation else (*_SHAPE, "lstm_units")
    try:
        shape: dict[str, Any] = {name: said.get(name, getattr(TrainingConfig, name)) for name in names}
        may_learn = not config.distillation
        plan = bool(shape["lookback"]) and (bool(said.get("plan", False)) or (config.plan and may_learn))
        match = plan and (bool(said.get("match", False)) or (config.match and may_learn))
        return replace(config, **shape, plan=plan, match=match)
    except (TypeError, ValueError) as error:
        raise ConfigError(f"{checkpoint.manifest.name}: not a network that can be gone on from ({error})") from None


def widen(weights: Mapping[str, NDArray[np.float32]], initial: Tensors) -> Tensors:
    """Weights for a network that may be told more: what they lack begins as in `initial`, and says nothing yet.

    Raises:
        ConfigError: they are another network's.
    """
    widened = initial | dict(weights)
    for name, axis in (("lstm_0/kernel", 0), ("dense/kernel", 1), ("dense/bias", 0)):
        lacking = max(0, initial[name].shape[axis] - widened[name].shape[axis])
        widths = [(0, lacking if each == axis else 0) for each in range(widened[name].ndim)]
        widened[name] = np.pad(widened[name], widths)
    if {name: tensor.shape for name, tensor in widened.items()} != {n: t.shape for n, t in initial.items()}:
        raise ConfigError("the version that is gone on from has a network of another shape than this run's")
    return widened
