"""`train`: learns from tunebooks, into a run folder that it can go on with."""

import argparse
import logging
import sys
from pathlib import Path

from model_store.store import Checkpoint
from training.cli.arguments import OWN_STORE, add_corpus, whole
from training.cli.command import Command, load_tensorflow
from training.corpora import corpus
from training.errors import ConfigError, RunError
from training.learning.config import RECIPES, TrainingConfig
from training.learning.run_folder import RunFolder
from training.learning.start import find, shaped_like, start_of
from training.learning.workers import Workers

RUNS = Path("runs")


def _add(command: argparse.ArgumentParser) -> None:
    command.add_argument("--recipe", help=f"one of {', '.join(RECIPES)} (default: small; with --from: finetune)")
    add_corpus(command)
    command.add_argument("--run", type=Path, metavar="FOLDER", help="the run folder (default: runs/RECIPE)")
    command.add_argument(
        "--from",
        dest="start",
        metavar="NAME[/VERSION]",
        help="go on from a published version, whose vocabulary and shape the network then has",
    )
    command.add_argument("--store", type=Path, default=OWN_STORE, help="its model store (default: that of Lilt)")
    command.add_argument("--steps", type=whole, help="the length of the run")
    command.add_argument("--seed", type=whole)
    command.add_argument("--resume", action="store_true", help="go on with a run that was stopped or killed")
    command.add_argument(
        "--set", action="append", default=[], metavar="NAME=VALUE", help="replace one setting of the recipe"
    )


def _run(options: argparse.Namespace) -> int:
    overrides = _overrides(options)
    recipe = options.recipe or ("finetune" if options.start else "small")
    path: Path = options.run or RUNS / recipe
    workers = Workers.from_environment()
    if not workers.is_chief:
        load_tensorflow()
        from training.learning.learner import among_workers

        among_workers()  # the chief joins when the run is there
        run = RunFolder.open(path)
    elif options.resume:
        run = RunFolder.open(path)
        _extend(run, overrides)
    else:
        config = TrainingConfig.from_recipe(recipe, overrides)
        run = _create(path, config, options.corpus, find(options.start, options.store) if options.start else None)
    if workers.is_chief:
        _log_to(run.log)

    load_tensorflow()
    from training.learning.train import train  # here, so that a wrong option is told before TensorFlow is loaded

    logging.getLogger("training").info("run %s", run.path)
    outcome = train(run)
    done, best = outcome.progress.step, outcome.progress
    result = (
        f"best validation loss {best.best_loss:.4f} at step {best.best_step}" if best.best_step else "no validation yet"
    )
    if outcome.signal is not None:
        print(f"interrupted and saved at step {done}; {result}; go on with --run {run.path} --resume")
        return 128 + outcome.signal
    if run.config().calibration_rounds and workers.is_chief and run.character_bias() is None:
        from training.publishing.calibration import calibrate

        calibrate(run)
    print(f"finished at step {done}; {result}; curves in {run.png}")
    return 0


def _create(path: Path, config: TrainingConfig, names: list[str], checkpoint: Checkpoint | None) -> RunFolder:
    tunes = corpus.load(names, translate=config.translate)
    if checkpoint:
        config, tunes = shaped_like(config, checkpoint), tunes.within(checkpoint.vocabulary)
    for reject in tunes.rejects:
        print(f"not a tune: {reject}", file=sys.stderr)
    for drop in tunes.drops:
        print(f"left out: {drop}", file=sys.stderr)
    train = tunes.sides.train  # where there are too few to split, that is told before anything is written
    if not checkpoint:
        if config.distillation or config.drawn_tunes:
            raise ConfigError(f"recipe {config.recipe}: say by --from which version teaches it, and draws")
        return RunFolder.create(path, config, tunes)
    RunFolder.check_absent(path)  # before minutes of drawing
    drawn: list[str] = []
    if config.drawn_tunes:
        from training.evaluation.drawn_tunes import draw_tunes

        real = tunes.without_extras(train)
        drawn = draw_tunes(checkpoint, real, config.drawn_tunes, config.drawn_candidates)
    return RunFolder.create(path, config, tunes, start_of(checkpoint), drawn)


def _extend(run: RunFolder, overrides: dict[str, str]) -> None:
    """A resumed run keeps its settings; only its length may change, and with it the rest of its cosine."""
    if set(overrides) - {"steps"}:
        raise RunError(
            f"{run.path}: a resumed run keeps its settings; only steps may change, not {', '.join(overrides)}"
        )
    if overrides:
        values = run.config().to_json()
        steps = TrainingConfig.from_recipe("lab", overrides).steps
        run.write_config(TrainingConfig.from_json(values | {"steps": steps}))


def _log_to(path: Path) -> None:
    handler = logging.FileHandler(path, encoding="utf-8")
    handler.setFormatter(logging.Formatter("%(asctime)s %(message)s"))
    logging.getLogger("training").addHandler(handler)


def _overrides(options: argparse.Namespace) -> dict[str, str]:
    """Settings given on the command line, as text."""
    overrides: dict[str, str] = {}
    for setting in options.set:
        name, equals, value = setting.partition("=")
        if not equals:
            raise ConfigError(f"--set {setting}: write NAME=VALUE")
        overrides[name.strip()] = value.strip()
    for name in ("steps", "seed"):
        if (value := getattr(options, name)) is not None:
            overrides[name] = str(value)
    return overrides


COMMAND = Command("train", "train a model into a run folder", _add, _run, loads_tensorflow=False)
