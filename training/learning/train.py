"""One training run, from its first step or from where it was left, to its last."""

import logging
import signal
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from types import FrameType

import numpy as np
import tensorflow as tf
from tqdm import tqdm  # type: ignore[import-untyped]
from tqdm.contrib.logging import logging_redirect_tqdm  # type: ignore[import-untyped]

from training import atomic_file
from training.errors import WorkerError
from training.evaluation.heldout_loss import Scorer
from training.learning import curves
from training.learning.config import TrainingConfig
from training.learning.curves import SMOOTHING
from training.learning.input_pipeline import Batches, open_batches
from training.learning.learner import Learner, fastest_precision
from training.learning.run_folder import History, Progress, Row, RunFolder
from training.learning.start import Start
from training.learning.unit_pruning import Weights, prune
from training.learning.workers import Workers

logger = logging.getLogger(__name__)

_READ_TO_PRUNE = (0, 40, 80)
"""The steps whose batches say which units a pupil needs least."""


@dataclass(frozen=True)
class Outcome:
    """How a run ended; `signal` if one ended it."""

    progress: Progress
    signal: int | None = None


def train(run: RunFolder) -> Outcome:
    """Take a run to its last step, or to the signal that stops it.

    Goes on from the run's checkpoint if it has one. Saves every `checkpoint_every` steps or `checkpoint_seconds`,
    whichever comes first, and when it ends. Of several workers all do the same, and the chief alone writes.

    Raises:
        TrainingError: the run's files are damaged, its corpus is too small, or another worker was lost.
    """
    try:
        return _train(run)
    except tf.errors.OpError as error:
        if Workers.from_environment().count == 1:
            raise
        raise WorkerError(f"another worker was lost ({type(error).__name__}); start all again with --resume") from None


def _train(run: RunFolder) -> Outcome:
    corpus = run.corpus()
    sides, vocabulary, start = corpus.sides, run.vocabulary(), run.start()
    config = run.config()
    teacher = start.as_learnt() if start and config.distillation else None
    config = fastest_precision(config, len(vocabulary), teacher)
    learner = Learner(config, len(vocabulary), teacher=teacher)
    batches = open_batches(sides.train, corpus.text, vocabulary, config, corpus.extras, run.drawn())
    scorer = Scorer(sides.validation, vocabulary, learner.network.inputs, with_plans=config.plan)
    without_plans = Scorer(sides.validation, vocabulary, learner.network.inputs) if config.plan else None
    sizes = f"{len(sides.train)} train, {len(sides.validation)} validation, {len(sides.test)} test"
    logger.info("%d tunes (%s), %d characters in the vocabulary", len(corpus.tunes), sizes, len(vocabulary))
    logger.info("recipe %s: %d parameters, on %s", config.recipe, learner.parameters, learner.description)

    progress, history = Progress(), History()
    if run.checkpoint.exists():
        progress, tensors, history = run.load_progress()
        learner.restore(tensors)
        logger.info("resumed after step %d", progress.step)
    else:
        if start:
            learner.begin_from(_pruned(start, config, learner, batches) if teacher else start.as_learnt())
            logger.info("from %s", start.model)
        logger.info("untrained: %.3f nats per character", scorer.score(learner.weights()).nats_per_character)

    saved_at = time.monotonic()
    with _catch_signals() as caught, _progress_bar(config.steps, progress.step) as bar:
        is_asked, has_stalled = False, _has_stalled(progress, config)
        while progress.step < config.steps and not is_asked and not has_stalled:
            loss = learner.learn(batches.batch(progress.step), progress.step)
            progress = replace(progress, step=progress.step + 1)
            validation = None
            if progress.step % config.validate_every == 0 or progress.step == config.steps:
                weights = learner.weights()
                validation = scorer.score(weights).nats_per_character
                if validation < progress.best_loss:
                    progress = replace(progress, best_loss=validation, best_step=progress.step)
                    if learner.workers.is_chief:
                        run.save_best(weights)
                logger.info("step %d: loss %.4f, validation %.4f", progress.step, loss, validation)
                if without_plans:
                    logger.info("  not told the plans: %.4f", without_plans.score(weights).nats_per_character)
            history.rows.append(Row(progress.step, loss, validation))
            bar.advance(loss, config.batch_size * config.sequence_length)
            is_due = (
                progress.step % config.checkpoint_every == 0 or time.monotonic() - saved_at > config.checkpoint_seconds
            )
            is_asked, has_stalled, is_due = learner.agree(bool(caught), _has_stalled(progress, config), is_due)
            if is_due:
                _save(run, progress, learner, history)
                saved_at = time.monotonic()
    _save(run, progress, learner, history)
    if learner.workers.is_chief:
        if not run.best.exists():
            run.save_best(learner.weights())
        atomic_file.write(run.png, curves.draw(history, f"{run.path.name} ({config.recipe})"))
    return Outcome(progress, caught[0] if caught else signal.SIGTERM if is_asked else None)


def _pruned(start: Start, config: TrainingConfig, learner: Learner, batches: Batches) -> Weights:
    """What is left of a teacher's weights when it has as many units as its pupil."""
    rows = np.concatenate([batches.batch(step).inputs for step in _READ_TO_PRUNE])
    return prune(start.as_learnt(), learner.network.inputs, rows, config.lstm_units)


def _save(run: RunFolder, progress: Progress, learner: Learner, history: History) -> None:
    tensors = learner.tensors()
    if learner.workers.is_chief:
        run.save_progress(progress, tensors, history)


def _has_stalled(progress: Progress, config: TrainingConfig) -> bool:
    """Whether the validation loss has not fallen for `patience` looks."""
    looks = progress.step // config.validate_every - progress.best_step // config.validate_every
    return 0 < config.patience <= looks


@contextmanager
def _catch_signals() -> Iterator[list[int]]:
    """A list that SIGINT and SIGTERM are put into, so that a run ends between two steps; a second ends it at once."""
    caught: list[int] = []
    before = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}

    def catch(number: int, _: FrameType | None) -> None:
        caught.append(number)
        for each, handler in before.items():
            signal.signal(each, handler)

    for number in before:
        signal.signal(number, catch)
    try:
        yield caught
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


class _ProgressBar:
    """Loss, characters per second and time left, on a terminal or in a log."""

    def __init__(self, bar: "tqdm[None]") -> None:
        self._bar = bar
        self._begun = time.monotonic()
        self._characters = 0
        self._loss: float | None = None

    def advance(self, loss: float, characters: int) -> None:
        self._loss = loss if self._loss is None else SMOOTHING * self._loss + (1 - SMOOTHING) * loss
        self._characters += characters
        rate = self._characters / max(1e-9, time.monotonic() - self._begun)
        self._bar.set_postfix_str(f"loss {self._loss:.3f}, {rate:,.0f} char/s", refresh=False)
        self._bar.update()


@contextmanager
def _progress_bar(total: int, done: int) -> Iterator[_ProgressBar]:
    interval_s = 0.1 if sys.stderr.isatty() else 10.0
    with logging_redirect_tqdm(), tqdm(total=total, initial=done, unit="step", mininterval=interval_s) as bar:
        yield _ProgressBar(bar)
