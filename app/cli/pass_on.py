"""`lilt train`, `lilt store` and so on: hands a command line on to the package whose command it is.

`training` is imported by its name alone, when one of its commands is run: nothing of `app` needs it.
"""

import importlib
import logging
from collections.abc import Callable
from importlib.util import find_spec

import click

from app.cli import own_packages
from app.errors import SetupError


def command(name: str) -> click.Command:
    """The command of that name, which takes whatever its package does."""

    @click.command(
        name, context_settings={"ignore_unknown_options": True, "allow_interspersed_args": False}, add_help_option=False
    )
    @click.argument("arguments", nargs=-1, type=click.UNPROCESSED)
    def pass_on(arguments: tuple[str, ...]) -> int:
        try:
            if name == "store":
                return _main("model_store")(list(arguments), "lilt store")
            own_packages.check("training")
            if find_spec("training") is None:
                raise SetupError("training is not part of this image; the image lilt:train has it")
            logging.getLogger().handlers.clear()  # training says what it does in its own way
            return _main("training")([name, *arguments], "lilt")
        except SystemExit as ended:  # argparse's, after its own words
            return ended.code if isinstance(ended.code, int) else 1

    return pass_on


def _main(package: str) -> Callable[[list[str], str], int]:
    main: Callable[[list[str], str], int] = importlib.import_module(f"{package}.__main__").main
    return main
