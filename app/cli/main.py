"""The command `lilt`: finds a subcommand, runs it, and turns its errors into one line and an exit status.

Each subcommand is a module of its own that is imported when it is run, for the service is to be ready soon.
"""

import difflib
import importlib
import os
import sys
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import click

from app.cli import own_packages
from app.errors import LiltError, SetupError
from app.operations import logs
from app.settings import SettingsError
from app.version import VERSION

if TYPE_CHECKING:
    from app.generation.bulk import Drawing

FAILED = 2
"""exit status of a command that could not do what was asked"""
_INTERRUPTED = 130


@dataclass(frozen=True)
class _Command:
    """Where a subcommand is, and what the list of commands says of it."""

    module: str
    told: str


_COMMANDS = {
    "serve": _Command("serve", "run the service"),
    "tune": _Command("tune", "make a tune, as ABC, MIDI, sound or a score"),
    "render": _Command("render", "make a tune of a file into MIDI, sound or a score"),
    "check": _Command("check", "say what is wrong in files of ABC"),
    "import": _Command("import_file", "make ABC of MusicXML or MIDI"),
    "bulk": _Command("bulk", "make many tunes into one file"),
    "instruments": _Command("instruments", "list the instruments that --program takes"),
    "key": _Command("key", "make an API key"),
    "store": _Command("pass_on", "list the models of a store, roll back, copy"),
    "train": _Command("pass_on", "train a model on tunebooks"),
    "evaluate": _Command("pass_on", "say what a model is like, beside real tunes"),
    "publish": _Command("pass_on", "put a trained model into a store"),
    "sample": _Command("pass_on", "print tunes of a run"),
    "judge": _Command("pass_on", "hold the tunes of a file beside real ones"),
    "corpus": _Command("pass_on", "report on tunebooks"),
    "critic": _Command("pass_on", "train what chooses among a model's tunes"),
    "export": _Command("pass_on", "write a run's weights and decoders"),
    "completion": _Command("completion", "print a shell's completion script"),
}

_EXAMPLES = """\b
Examples:
  lilt serve --port 8000
  lilt tune --key Ador --rhythm reel --seed 7 -o tune.mp3
  lilt render tune.abc -o tune.pdf
  lilt import tune.mxl -o tune.abc
  lilt bulk --count 1000 --rhythm jig --out jigs.abc
  lilt train --from irish --corpus my-tunes/ --run runs/mine

Settings are variables LILT_*, or stand in a file .env in the working folder. `lilt COMMAND --help` has the options.
"""


class _Lazy(click.Group):
    """A group whose commands are imported when they are run."""

    def list_commands(self, _: click.Context) -> list[str]:
        return list(_COMMANDS)

    def get_command(self, _: click.Context, name: str) -> click.Command | None:
        if name not in _COMMANDS:
            return None
        module = importlib.import_module(f"app.cli.{_COMMANDS[name].module}")
        command: click.Command = module.command(name) if _COMMANDS[name].module == "pass_on" else module.command
        return command

    def resolve_command(
        self, context: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        name = args[0]
        if name not in _COMMANDS and not name.startswith("-"):
            near = difflib.get_close_matches(name, _COMMANDS, n=2)
            hint = f"did you mean {' or '.join(near)}?" if near else f"there are {', '.join(_COMMANDS)}"
            context.fail(f"{name!r} is not a command; {hint}")
        return super().resolve_command(context, args)

    def format_commands(self, _: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl([(name, command.told) for name, command in _COMMANDS.items()])


@click.group(
    "lilt",
    cls=_Lazy,
    help=f"Make new folk tunes.\n\n{_EXAMPLES}",
    no_args_is_help=True,
    context_settings={"help_option_names": ["-h", "--help"]},
)
@click.version_option(VERSION, prog_name="Lilt", message="%(prog)s %(version)s")
def group() -> None:
    """`lilt` without a command says what there is."""


def main() -> None:
    """The script `lilt`."""
    sys.exit(run(sys.argv[1:]))


def run(arguments: list[str], name: str = "lilt", drawing: "Drawing | None" = None) -> int:
    """Run a command and return its exit status; one that cannot succeed says why in one line.

    Args:
        name: what the usage calls this command.
        drawing: `bulk.run`'s.
    """
    logs.configure("auto")
    try:
        own_packages.check("model_store")
    except SetupError as error:
        click.echo(f"error: {error}", err=True)
        return FAILED
    return status_of(lambda: group.main(arguments, name, standalone_mode=False, obj=drawing))


def status_of(work: Callable[[], Any]) -> int:
    """The exit status of some work; where it cannot succeed, why is said in one line."""
    from model_store.errors import StoreError

    try:
        status = work()
    except click.ClickException as error:
        error.show()
        return error.exit_code
    except click.Abort:
        return _INTERRUPTED
    except SettingsError as error:
        for line in error.lines:
            click.echo(f"error: {line}", err=True)
        return FAILED
    except BrokenPipeError:  # `lilt check … | head`: nobody reads on
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return FAILED
    except OSError as error:
        where = f"{error.filename}: " if error.filename else ""
        click.echo(f"error: {where}{error.strerror or error}", err=True)
        return FAILED
    except (StoreError, SetupError, LiltError) as error:
        click.echo(f"error: {error}", err=True)
        return FAILED
    return status if isinstance(status, int) else 0
