"""`lilt key`: makes an API key."""

import click

from app.api import api_keys


@click.command("key")
@click.argument("label")
def command(label: str) -> None:
    """Make an API key, and the line of LILT_API_KEYS_FILE that lets it in.

    LABEL says whose it is; several keys may have one label.
    """
    made, line = api_keys.make(label)
    click.echo(f"the key, shown this once: {made}\nthe line for LILT_API_KEYS_FILE: {line}")
