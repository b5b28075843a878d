"""Finds a subcommand, runs it, and turns its errors into one line and an exit status."""

import argparse
import logging
import os
import sys

from model_store.errors import StoreError
from training.cli import corpus, critic, evaluate, export, judge, picture, publish, sample, train
from training.cli.command import Command
from training.errors import TrainingError

_MODULES = (train, evaluate, judge, critic, sample, picture, export, publish, corpus)
_FAILED = 2
"""exit status of a command that could not do what was asked"""


def main(arguments: list[str] | None = None, prog: str = "python -m training") -> int:
    """Run one command; the exit status is 2 for an error that the user can mend."""
    options = _parser(prog).parse_args(arguments)
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")  # TensorFlow's own notes say nothing of the run
    logging.basicConfig(level=logging.WARNING, format="%(message)s", stream=sys.stderr)
    logging.getLogger("training").setLevel(logging.INFO)
    logging.getLogger("tensorflow").setLevel(logging.ERROR)  # its advice on retracing is for us, not for the user
    command: Command = options.command
    try:
        command.prepare()
        return command.run(options)
    except (TrainingError, StoreError) as error:
        print(f"error: {error}", file=sys.stderr)
        return _FAILED


def _parser(prog: str) -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog=prog, description="Train, judge and publish tune models.")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    for module in _MODULES:
        command = module.COMMAND
        own = commands.add_parser(command.name, help=command.told)
        command.add_arguments(own)
        own.set_defaults(command=command)
    return parser
