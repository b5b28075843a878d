"""A run on disk: what it is, how far it got, what it found; every file in it is whole or absent.

run.json         settings; of a run that goes on from a published version, which
start.safetensors  the weights of that version
drawn.json       the tunes that it drew to learn from
corpus.json      the tunes, so that the run stands by itself
checkpoint.safetensors  all that a resumed run needs
best.safetensors        the weights with the lowest validation loss so far
character_bias.safetensors  what is added to the logits of these, once the run has been calibrated
losses.csv, losses.png  the curves
train.log               what was said
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from safetensors import SafetensorError, safe_open
from safetensors.numpy import save

from model_store.vocabulary import Vocabulary
from training import atomic_file
from training.corpora.corpus import Corpus
from training.errors import CheckpointError, RunError
from training.learning.config import TrainingConfig
from training.learning.start import Start

Tensors = dict[str, NDArray[Any]]

_BIAS = "bias"


@dataclass(frozen=True)
class Progress:
    """How far a run got: `step` steps done; the best validation loss (nats per character) and the step it was at."""

    step: int = 0
    best_loss: float = float("inf")
    best_step: int = 0


@dataclass(frozen=True)
class Row:
    """One step of the curves; `validation` only where it was measured."""

    step: int
    loss: float
    validation: float | None = None


@dataclass
class History:
    """The curves so far."""

    rows: list[Row] = field(default_factory=list)

    def to_csv(self) -> bytes:
        lines = [
            f"{row.step},{row.loss:.6f},{'' if row.validation is None else f'{row.validation:.6f}'}"
            for row in self.rows
        ]
        return ("\n".join(["step,loss,validation", *lines]) + "\n").encode()

    @classmethod
    def from_csv(cls, text: str, last_step: int) -> "History":
        """The rows up to a step."""
        cells = [line.split(",") for line in text.splitlines()[1:]]
        rows = [Row(int(step), float(loss), float(val) if val else None) for step, loss, val in cells]
        return cls([row for row in rows if row.step <= last_step])


class RunFolder:
    """The files of one run."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.log = path / "train.log"
        self.csv = path / "losses.csv"
        self.png = path / "losses.png"
        self.checkpoint = path / "checkpoint.safetensors"
        self.best = path / "best.safetensors"
        self._character_bias = path / "character_bias.safetensors"
        self._start = path / "start.safetensors"
        self._drawn = path / "drawn.json"
        self.evaluation = path / "evaluation.json"

    @classmethod
    def create(
        cls,
        path: Path,
        config: TrainingConfig,
        corpus: Corpus,
        start: Start | None = None,
        drawn: Sequence[str] = (),
    ) -> "RunFolder":
        """A new run.

        Args:
            start: what it goes on from, whose vocabulary holds all that the corpus is written in.
            drawn: the tunes that this drew to learn from.

        Raises:
            RunError: there is something at that path.
        """
        run = cls(path)
        cls.check_absent(path)
        path.mkdir(parents=True, exist_ok=True)
        atomic_file.write(path / "corpus.json", corpus.to_json())
        if start:
            metadata = {"model": start.model, "vocabulary": start.vocabulary.characters}
            metadata["temperature"] = repr(start.temperature)
            atomic_file.write(run._start, save(dict(start.weights), metadata))
        if drawn:
            atomic_file.write(run._drawn, json.dumps(list(drawn), ensure_ascii=False).encode())
        run.write_config(config)
        return run

    @staticmethod
    def check_absent(path: Path) -> None:
        """Refuse a path for a new run before anything is done for it.

        Raises:
            RunError: there is something at that path.
        """
        if path.exists() and (not path.is_dir() or any(path.iterdir())):
            raise RunError(f"{path}: exists already; go on with it by --resume, or name another folder by --run")

    @classmethod
    def open(cls, path: Path) -> "RunFolder":
        """An existing run.

        Raises:
            RunError: there is none.
        """
        if not (path / "run.json").is_file():
            raise RunError(f"{path}: not a run folder (it has no run.json)")
        return cls(path)

    def write_config(self, config: TrainingConfig) -> None:
        content = json.dumps({"config": config.to_json()}, indent=2) + "\n"
        atomic_file.write(self.path / "run.json", content.encode())

    def config(self) -> TrainingConfig:
        """The run's settings.

        Raises:
            RunError: run.json is damaged.
            ConfigError: it has settings that this code does not know.
        """
        try:
            return TrainingConfig.from_json(json.loads((self.path / "run.json").read_bytes())["config"])
        except (OSError, ValueError, KeyError) as error:
            raise RunError(f"{self.path / 'run.json'}: unreadable ({error})") from None

    def corpus(self) -> Corpus:
        """The run's tunes.

        Raises:
            RunError: corpus.json is missing or damaged.
        """
        try:
            return Corpus.from_json((self.path / "corpus.json").read_bytes())
        except (OSError, ValueError, KeyError) as error:
            raise RunError(f"{self.path / 'corpus.json'}: unreadable ({error})") from None

    def start(self) -> Start | None:
        """What the run goes on from, if anything.

        Raises:
            CheckpointError: it is damaged.
        """
        if not self._start.is_file():
            return None
        weights, metadata = read_tensors(self._start)
        vocabulary, temperature = Vocabulary(metadata.get("vocabulary", "\n")), float(metadata.get("temperature", 1))
        return Start(metadata.get("model", ""), vocabulary, weights, temperature)

    def drawn(self) -> tuple[str, ...]:
        """The tunes that what it goes on from drew to learn from.

        Raises:
            RunError: drawn.json is damaged.
        """
        if not self._drawn.is_file():
            return ()
        try:
            return tuple(json.loads(self._drawn.read_bytes()))
        except (OSError, ValueError) as error:
            raise RunError(f"{self._drawn}: unreadable ({error})") from None

    def vocabulary(self) -> Vocabulary:
        """The characters that it reads and writes: its corpus', or those of what it goes on from."""
        start = self.start()
        return start.vocabulary if start else self.corpus().vocabulary

    def save_progress(self, progress: Progress, tensors: Mapping[str, NDArray[Any]], history: History) -> None:
        """Everything needed to resume; the curves first, so that they are never behind the checkpoint."""
        atomic_file.write(self.csv, history.to_csv())
        metadata = {"step": str(progress.step), "best_loss": repr(progress.best_loss)}
        metadata["best_step"] = str(progress.best_step)
        atomic_file.write(self.checkpoint, save(dict(tensors), metadata))

    def load_progress(self) -> tuple[Progress, Tensors, History]:
        """The inverse of `save_progress`.

        Raises:
            CheckpointError: the checkpoint is missing, truncated or not one.
        """
        tensors, metadata = read_tensors(self.checkpoint)
        try:
            progress = Progress(int(metadata["step"]), float(metadata["best_loss"]), int(metadata["best_step"]))
            history = History.from_csv(self.csv.read_text(), progress.step)
        except (OSError, KeyError, ValueError) as error:
            raise CheckpointError(f"{self.checkpoint}: not a checkpoint of a run ({error})") from None
        return progress, tensors, history

    def save_best(self, weights: Mapping[str, NDArray[np.float32]]) -> None:
        """These have yet to be calibrated, if the recipe says so."""
        self._character_bias.unlink(missing_ok=True)
        atomic_file.write(self.best, save(dict(weights)))

    def save_character_bias(self, bias: NDArray[np.float32]) -> None:
        """What is added to the logit of each character, [V]; what was found of the network without it is void."""
        self.evaluation.unlink(missing_ok=True)
        atomic_file.write(self._character_bias, save({_BIAS: bias}))

    def character_bias(self) -> NDArray[np.float32] | None:
        """What is added to the logit of each character, [V]; None where the run has not been calibrated.

        Raises:
            CheckpointError: it is damaged.
        """
        if not self._character_bias.is_file():
            return None
        tensors = read_tensors(self._character_bias)[0]
        if tensors.keys() != {_BIAS} or tensors[_BIAS].shape != (len(self.vocabulary()),):
            raise CheckpointError(f"{self._character_bias}: not a number for each character of this run")
        return tensors[_BIAS]

    def best_weights(self) -> dict[str, NDArray[np.float32]]:
        """The weights to evaluate and publish.

        Raises:
            CheckpointError: there are none yet, or they are damaged.
        """
        return read_tensors(self.best)[0]


def read_tensors(path: Path) -> tuple[Tensors, dict[str, str]]:
    """A safetensors file's tensors and metadata.

    Raises:
        CheckpointError: it is missing, truncated or something else.
    """
    if not path.is_file():
        raise CheckpointError(f"{path}: no such checkpoint; the run has not saved one yet")
    try:
        with safe_open(path, framework="numpy") as file:
            return {name: file.get_tensor(name) for name in file.keys()}, file.metadata() or {}  # noqa: SIM118
    except (OSError, SafetensorError) as error:
        raise CheckpointError(f"{path}: truncated or damaged ({error})") from None
