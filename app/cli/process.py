"""What commands share that make tunes in this process: settings, one model and its engine, a quiet log."""

import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, TypeVar

import click

from app import settings as settings_
from app.api import preflight
from app.errors import SetupError
from app.generation.model_registry import Models, ServedModel, names
from app.inference.decoder import FEW
from app.operations import logs, stderr_filter
from app.settings import Settings

_Function = TypeVar("_Function", bound=Callable[..., Any])


def model_store(function: _Function) -> _Function:
    """The option `--model-store`."""
    return click.option("--model-store", metavar="FOLDER", help="Where the models are. [LILT_MODEL_STORE, Lilt's own]")(
        function
    )


def settings(model_store: str | None = None) -> Settings:
    """The settings, and a log of what is wrong alone."""
    found = settings_.load(workers="1", **({} if model_store is None else {"model_store": model_store}))
    logs.configure(found.log_format, logging.WARNING)
    return found


@contextmanager
def models(settings: Settings) -> Iterator[Models]:
    """All models of the settings, their engines running.

    Raises:
        StoreError: there are none, or one cannot be used.
        StartupError: there is no room for the threads that they need.
    """
    preflight.check_files(settings)
    preflight.check_room(settings, len(names(settings)), renders=0, few=FEW)
    with stderr_filter.without(*stderr_filter.LITERT):
        found = Models(settings)
        found.start()
    try:
        yield found
    finally:
        for model in found.all():
            model.engine.close()


@contextmanager
def model(settings: Settings, name: str | None) -> Iterator[ServedModel]:
    """One of them, alone; the default one if none is named.

    Raises:
        SetupError: the store has none of this name.
        StoreError: it cannot be used.
    """
    available = names(settings)
    if name is not None and name not in available:
        raise SetupError(f"--model {name}: {settings.model_store} has {', '.join(available)}")
    with models(settings.model_copy(update={"models": (name or available[0],)})) as found:
        yield found.all()[0]
