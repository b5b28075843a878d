"""The command line: `python -m app` serves; `bulk` makes many tunes into one file; `key` makes an API key.

Each command imports what it needs and no more, for the service is to be ready soon.
"""

import argparse
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from app import settings as settings_
from app.errors import LiltError, SetupError
from app.operations import logs
from app.settings import Settings, SettingsError
from model_store.errors import StoreError

if TYPE_CHECKING:
    from app.generation.bulk import Drawing

_START_FAILED = 3  # exit status, as uvicorn has it


def main(arguments: list[str] | None = None, drawing: "Drawing | None" = None) -> int:
    """Run a command; one that cannot succeed says why in one line and returns 2. `drawing` is `bulk.run`'s."""
    options = _parser().parse_args(arguments)
    logs.configure("auto")
    try:
        if options.command == "key":
            return _key(options.label)
        settings = settings_.load()
        logs.configure(settings.log_format)
        return _bulk(options, settings, drawing) if options.command == "bulk" else _serve(settings)
    except SettingsError as error:
        for line in error.lines:
            print(f"error: {line}", file=sys.stderr)
    except (StoreError, SetupError, LiltError, OSError) as error:
        print(f"error: {error}", file=sys.stderr)
    return 2


def _serve(settings: Settings) -> int:
    from app.api import listen

    with listen.bound(settings) as sockets:
        from app.api.application import create_app
        from app.api.server import serve

        return 0 if serve(create_app(settings), settings, sockets) else _START_FAILED


def _key(label: str) -> int:
    from app.api import api_keys

    key, line = api_keys.make(label)
    print(f"the key, shown this once: {key}\nthe line for LILT_API_KEYS_FILE: {line}")
    return 0


def _bulk(options: argparse.Namespace, settings: Settings, drawing: "Drawing | None") -> int:
    from app.api import preflight
    from app.generation import bulk
    from app.generation.bulk import BulkJob
    from app.generation.model_registry import Models, names
    from app.generation.originality import Judgement
    from app.inference.decoder import FEW

    wishes = {name: getattr(options, name) for name in BulkJob.__dataclass_fields__}
    job = BulkJob(**wishes | {"originality": options.originality and Judgement(options.originality)})
    preflight.check_room(settings, len(names(settings)), renders=0, few=FEW)
    models = Models(settings)
    models.start()
    try:
        progress = bulk.run(job, models, options.out, drawing)
    except KeyboardInterrupt:
        print(f"interrupted; the same command goes on with {options.out}", file=sys.stderr)
        return 130
    finally:
        for model in models.all():
            model.engine.close()
    print(f"{options.out}: {progress.written} tunes from {progress.next_seed - job.seed} drawn")
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m app", description="Serve, or make many tunes.")
    commands = parser.add_subparsers(dest="command")
    commands.add_parser(
        "serve", help="run the service (the default); LILT_* variables, or those in .env, are its settings"
    )
    key = commands.add_parser("key", help="make an API key, and the line that lets it in")
    key.add_argument("label", help="whose it is; several keys may have one label")
    make = commands.add_parser("bulk", help="make many tunes into one file; the same command resumes")
    make.add_argument("--count", type=_whole, required=True, help="tunes to write")
    make.add_argument("--out", type=Path, required=True, help="a tunebook, or JSON lines if the name ends in .jsonl")
    make.add_argument("--start-string", default="X:1\n")
    make.add_argument("--length", type=_whole, default=2000, help="most characters of a tune (default: 2000)")
    make.add_argument("--temperature", type=float, default=1.0)
    make.add_argument("--seed", type=_whole, default=1, help="of the first tune (default: 1)")
    make.add_argument("--model", help="the name of a model (default: the service's)")
    for field in ("key", "meter", "rhythm"):
        make.add_argument(f"--{field}", help=f"the tunes' {field}")
    make.add_argument(
        "--originality",
        choices=["original", "echoes"],
        help="write only tunes that are original, or at the worst echo a tune that the model was trained on",
    )
    make.add_argument(
        "--best-of", type=_best_of, default=1, metavar="N", help="draw so many for each tune; the critic chooses one"
    )
    make.add_argument("--free", dest="constrained", action="store_false", help="do not hold tunes to the grammar")
    return parser


def _whole(text: str) -> int:
    if not text.isdecimal() or not int(text):
        raise argparse.ArgumentTypeError(f"{text!r} is not a whole number from 1 up")
    return int(text)


def _best_of(text: str) -> int:
    from app.generation.jobs import MAX_BEST_OF

    if _whole(text) > MAX_BEST_OF:
        raise argparse.ArgumentTypeError(f"{text} is more than {MAX_BEST_OF}")
    return int(text)


if __name__ == "__main__":
    sys.exit(main())
