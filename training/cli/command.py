"""What a subcommand is to the command line: its name, arguments, and what has to be there before it runs."""

import argparse
import importlib
from collections.abc import Callable
from dataclasses import dataclass
from importlib.util import find_spec

from app.operations import stderr_filter
from training.errors import SetupError

EXTRA = ("tensorflow", "matplotlib", "sklearn")
"""The libraries of the extra `train`."""


@dataclass(frozen=True)
class Command:
    """A subcommand.

    Args:
        told: what the list of commands says of it.
        add_arguments: to its parser.
        run: with what the parser made of them; gives the exit status.
        libraries: that it imports later on; they are looked for before it runs.
        loads_tensorflow: whether that is imported before it runs, which takes seconds.
    """

    name: str
    told: str
    add_arguments: Callable[[argparse.ArgumentParser], None]
    run: Callable[[argparse.Namespace], int]
    libraries: tuple[str, ...] = EXTRA
    loads_tensorflow: bool = True

    def prepare(self) -> None:
        """Check that its libraries are installed, and load TensorFlow if it is needed at once.

        Raises:
            SetupError: one is not; the text says how to install it.
        """
        missing = [name for name in self.libraries if find_spec(name) is None]
        if missing:
            raise SetupError(
                f"{', '.join(missing)}: not installed; training needs it: `pip install 'lilt[train]'`, or in a "
                "checkout `make train`"
            )
        if self.loads_tensorflow:
            load_tensorflow()


def load_tensorflow() -> None:
    """Import it once, without what its libraries say of themselves."""
    with stderr_filter.without(*stderr_filter.TENSORFLOW):
        importlib.import_module("tensorflow")
