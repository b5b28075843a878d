"""`lilt instruments`: lists the instruments of General MIDI, by number and name."""

import click

from app.rendering.general_midi import NAMES


@click.command("instruments")
def command() -> None:
    """List the instruments of General MIDI: --program takes them by number or name."""
    for number, name in enumerate(NAMES):
        click.echo(f"{number:3} {name}")
