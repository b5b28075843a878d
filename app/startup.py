"""What must hold before the service begins; the first thing that does not hold is told in one line."""

import asyncio
import logging
import shutil
import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from app import pages
from app.errors import LiltError
from app.render import Renderer
from app.rendering.synth import SynthError
from app.sandbox import Confinement
from app.settings import Settings

logger = logging.getLogger(__name__)

_MIB = 1024 * 1024
_LEAST_FREE = 16 * _MIB
"""of a folder that renders are made in; the longest one allowed by default takes 106 MB, a usual one 8"""
_TRIAL = "X:1\nM:4/4\nL:1/8\nK:C\nCDEF GABc|\n"


class StartupError(Exception):
    """The service cannot begin as it is set up."""


def check_folders(settings: Settings) -> None:
    """Write to where the service writes.

    Raises:
        StartupError: that cannot be done, or next to nothing is left there.
    """
    _check_folder("LILT_CACHE", settings.cache, may_grow=settings.max_cache_mb * _MIB)
    _check_folder("TMPDIR", Path(tempfile.gettempdir()))


def check_renderers(settings: Settings, renderer: Renderer) -> None:
    """Render, and warn of what is not there to do it.

    Raises:
        StartupError: something is there and does not work, or is not there and required.
    """
    missing = renderer.missing()
    if missing and settings.renderers == "required":
        raise StartupError(f"LILT_RENDERERS=required, and this is not installed: {', '.join(missing)}")
    for thing in missing:
        logger.warning("%s is not installed: tunes cannot be rendered", thing)
    if not missing:
        _try(renderer)
    for file in pages.missing_files():
        logger.warning("%s is not installed: the page lacks it", file)
    if renderer.confinement is Confinement.LIMITS:
        logger.warning("renderers run under limits alone: neither bubblewrap nor Landlock with seccomp works here")
    else:
        logger.info("renderers run under %s", renderer.confinement)


def _check_folder(name: str, folder: Path, may_grow: int = 0) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        with tempfile.TemporaryFile(dir=folder) as file:
            file.write(b"\0" * 4096)
            file.flush()
    except OSError as error:
        raise StartupError(f"{name}: {folder} is not a folder that can be written to ({error.strerror})") from None
    free = shutil.disk_usage(folder).free
    if free < _LEAST_FREE:
        raise StartupError(f"{name}: {folder} has {free // _MIB} MiB left; {_LEAST_FREE // _MIB} are needed")
    if free < may_grow:
        logger.warning("%s: %s has %d MiB left, less than it may grow to", name, folder, free // _MIB)


def _try(renderer: Renderer) -> None:
    """One bar through abc2midi in its sandbox, and the sound font read."""
    try:
        with renderer.private_folder() as folder, ThreadPoolExecutor(1) as thread:
            trial = renderer.to_midi(_TRIAL, folder, chords=True)
            thread.submit(asyncio.run, trial).result()  # in a thread, as who calls may have a loop of his own
        renderer.warm_up()
    except LiltError as error:
        raise StartupError(f"abc2midi under {renderer.confinement}: {error.detail}") from None
    except SynthError as error:
        raise StartupError(f"LILT_SOUNDFONT: {error}") from None
