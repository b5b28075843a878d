"""`lilt completion`: prints what makes a shell complete commands, options and their values."""

import click
from click.shell_completion import get_completion_class

_NAME = "lilt"


@click.command("completion")
@click.argument("shell", type=click.Choice(["bash", "zsh", "fish"]))
@click.pass_context
def command(context: click.Context, shell: str) -> None:
    """Print a shell's completion script.

    \b
    bash:  lilt completion bash >>~/.bashrc
    zsh:   lilt completion zsh >>~/.zshrc
    fish:  lilt completion fish >~/.config/fish/completions/lilt.fish
    """
    kind = get_completion_class(shell)
    assert kind is not None  # noqa: S101  # the three are click's own
    click.echo(kind(context.find_root().command, {}, _NAME, f"_{_NAME.upper()}_COMPLETE").source())
