"""`lilt key`: makes an API key."""

import click

from app.api import api_keys


@click.command("key")
@click.argument("label")
def command(label: str) -> None:
    """Make an API key; the line of LILT_API_KEYS_FILE that lets it in is printed.

    LABEL says whose it is; several keys may have one label. The key itself is told on the standard error, this once.

    \b
    Examples:
      lilt key ann >>keys
      LILT_API_KEYS_FILE=keys lilt serve
    """
    made, line = api_keys.make(label)
    click.echo(f"the key, shown this once: {made}", err=True)
    click.echo(line)
