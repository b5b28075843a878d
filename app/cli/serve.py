"""`lilt serve`: runs the service."""

import signal
from collections.abc import Callable

import click

from app import settings as settings_
from app.operations import freed_memory, logs, shared_metrics
from app.settings import Settings

_START_FAILED = 3  # exit status, as uvicorn has it


@click.command("serve")
@click.option("--port", metavar="PORT", help="Where to listen; 0 takes a free one. [LILT_PORT, 8000]")
@click.option("--host", metavar="ADDRESS", help="Of this machine; 0.0.0.0 for all. [LILT_HOST, 127.0.0.1]")
@click.option("--model-store", metavar="FOLDER", help="Whose models to serve. [LILT_MODEL_STORE, Lilt's own]")
def command(**given: str | None) -> int:
    """Run the service until Ctrl-C.

    All other settings are variables LILT_*, or stand in a file .env in the working folder; docs/deploy.md lists them.
    """
    settings = settings_.load(**{name: value for name, value in given.items() if value is not None})
    logs.configure(settings.log_format, has_processes=settings.workers > 1)
    freed_memory.give_back()
    if settings.workers > 1:
        with shared_metrics.folder():
            status = _by_workers(settings)
        if status < 0:
            signal.raise_signal(-status)  # as uvicorn does, which serves alone
        return status
    from app.api import listen

    with listen.bound(settings) as sockets:
        from app.api.application import create_app
        from app.api.server import serve

        return 0 if serve(create_app(settings), settings, sockets) else _START_FAILED


def _by_workers(settings: Settings) -> int:
    from app.api import listen

    with listen.bound(settings) as sockets:
        from app.api import workers

        return workers.serve(settings, sockets, _run_worker)


def _run_worker(serve: Callable[..., bool], *arguments: object) -> int:
    from app.cli.main import status_of

    return status_of(lambda: 0 if serve(*arguments) else _START_FAILED)
