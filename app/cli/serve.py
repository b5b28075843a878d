"""`lilt serve`: runs the service."""

import click

from app import settings as settings_
from app.operations import freed_memory, logs

_START_FAILED = 3  # exit status, as uvicorn has it


@click.command("serve")
@click.option("--port", metavar="PORT", help="Where to listen; 0 takes a free one. [LILT_PORT, 8000]")
@click.option("--host", metavar="ADDRESS", help="Of this machine; 0.0.0.0 for all. [LILT_HOST, 127.0.0.1]")
@click.option("--model-store", metavar="FOLDER", help="Whose models to serve. [LILT_MODEL_STORE, Lilt's own]")
def command(**given: str | None) -> int:
    """Run the service until Ctrl-C.

    All other settings are variables LILT_*, or stand in a file .env in the working folder; the README lists them.
    """
    settings = settings_.load(**{name: value for name, value in given.items() if value is not None})
    logs.configure(settings.log_format)
    freed_memory.give_back()
    from app.api import listen

    with listen.bound(settings) as sockets:
        from app.api.application import create_app
        from app.api.server import serve

        return 0 if serve(create_app(settings), settings, sockets) else _START_FAILED
