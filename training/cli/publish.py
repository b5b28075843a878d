"""`publish`: puts a run's best weights into a model store."""

import argparse
import os
from pathlib import Path

from model_store.manifest import CRITIC_FILE
from model_store.store import Store
from training.cli.arguments import CRITIC_TUNES, add_sample, whole
from training.cli.command import Command
from training.errors import ConfigError, RunError
from training.learning.run_folder import RunFolder

STORE = Path("model_store/checkpoints")


def _add(command: argparse.ArgumentParser) -> None:
    command.add_argument("run", type=Path, metavar="RUN")
    command.add_argument("--name", required=True, help="the checkpoint's name: a-z, 0-9, - and _")
    command.add_argument(
        "--store",
        type=Path,
        help=f"the model store, which may be new (default: LILT_MODEL_STORE, or {STORE} if it is there)",
    )
    command.add_argument("--again", action="store_true", help="even if the same weights have been published before")
    command.add_argument("--tunes", type=whole, default=200, help="tunes to judge, if that is still to be done")
    add_sample(command)
    told = f"tunes to draw for a critic, which chooses among several, to learn from; 0: none (default: {CRITIC_TUNES})"
    command.add_argument("--critic", type=whole, default=CRITIC_TUNES, metavar="TUNES", help=told)
    command.add_argument("--note", default="", help="a sentence for the model card")


def _run(options: argparse.Namespace) -> int:
    from training.evaluation.critic import LEAST
    from training.evaluation.weights_source import from_run
    from training.publishing.publish import publish

    run, store = RunFolder.open(options.run), _store(options.store)
    published = Store(store).version_with(options.name, from_run(run).weights)
    if published and not options.again:
        raise RunError(
            f"{options.run}: its weights are published already, as {options.name}/{published}; --again publishes them "
            "once more"
        )
    checkpoint = publish(run, options.name, store, options.tunes, options.note, options.sample, options.critic)
    manifest = checkpoint.manifest
    print(f"published {manifest.name} version {manifest.version} in {checkpoint.folder}")
    if options.critic and CRITIC_FILE not in manifest.files:
        print(f"note: without a critic, which needs {LEAST} tunes that were learnt from: `best_of` is refused for it")
    return 0


def _store(given: Path | None) -> Path:
    """Where to publish.

    Raises:
        ConfigError: nothing says where.
    """
    if given is not None:
        return given
    if "LILT_MODEL_STORE" in os.environ:
        return Path(os.environ["LILT_MODEL_STORE"])
    if not STORE.is_dir():
        raise ConfigError(f"there is no {STORE} here: name a model store by --store FOLDER or LILT_MODEL_STORE")
    return STORE


COMMAND = Command("publish", "put a run's best weights into a model store", _add, _run)
