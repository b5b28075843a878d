"""Start-up checks of threads, files, folders and renderers; the first that fails ends the start with one line."""

import asyncio
import importlib.util
import logging
import os
import shutil
import tempfile
from pathlib import Path

from app.api import pages
from app.errors import LiltError, SetupError
from app.generation.model_registry import names
from app.inference.decoder import FEW_BESIDE_A_SERVER, power_of_two_sizes
from app.operations import process_limits
from app.rendering import external_tools, seccomp
from app.rendering.cache import ensure_private_folder
from app.rendering.renderer import Renderer
from app.rendering.sandbox import Confinement
from app.rendering.synth import SynthError
from app.rendering.synthesizer import Synthesizer
from app.settings import Settings

logger = logging.getLogger(__name__)

_MIB = 1024 * 1024
_MIN_FREE_BYTES = 16 * _MIB
"""free space of a folder that is rendered into; the longest render by default takes 106 MB, a usual one 8"""
_THREADS_PER_PROGRAM = 4
"""threads and processes: the one that waits for bubblewrap, bubblewrap, its init process, the program"""
_TRIAL = "X:1\nM:4/4\nL:1/8\nK:C\nCDEF GABc|\n"


class StartupError(SetupError):
    """The service cannot start with its settings or environment."""


def check(settings: Settings) -> None:
    """Check files, folders and the room for threads, before anything is loaded.

    Raises:
        StoreError: there is no checkpoint.
        CacheFolderError: the cache folder is not private to this user.
        StartupError: something is missing, or there is too little room.
    """
    check_files(settings)
    share = settings.of_one_worker()
    check_room(share, len(names(settings)), share.max_renders, FEW_BESIDE_A_SERVER, processes=settings.workers)
    check_folders(settings)


def check_room(settings: Settings, models: int, renders: int, few: int, *, processes: int = 1) -> None:
    """Check that the threads that will be needed can be started: a decoder crashes where it cannot start its own.

    Args:
        models: that are served.
        renders: that may run at once; 0 where nothing is served at all.
        few: sequences that an engine steps together, before it shares them out.
        processes: that need as much each.

    Raises:
        StartupError: there is not even room for one request at a time.
    """
    loaded = _threads_of_a_decoder(settings, few)
    programs = _programs_of_a_render(settings)
    min_needed = models * (loaded + 1) + (1 + programs if renders else 0)
    workers = min(32, (os.cpu_count() or 1) + 4)  # asyncio's own number of them
    cache = 1
    max_needed = models * (loaded + 1) + loaded + workers + renders * programs + cache if renders else min_needed
    min_needed, max_needed = processes * min_needed, processes * max_needed
    found = process_limits.startable(max_needed)
    if found >= max_needed:
        return
    why = "; ".join(process_limits.limits()) or "no limit of this process explains it"
    if found < min_needed:
        raise StartupError(f"{min_needed} more threads and processes are needed, and {found} can be started: {why}")
    logger.warning(
        "under load %d more threads and processes are needed, and %d can be started: %s", max_needed, found, why
    )


def _programs_of_a_render(settings: Settings) -> int:
    """Threads and processes beside the thread of its own: timidity plays, and beside it a quick rendition."""
    at_once = 2 if Synthesizer.choose(settings.synthesizer) is Synthesizer.TIMIDITY else 1
    return at_once * _THREADS_PER_PROGRAM


def _threads_of_a_decoder(settings: Settings, few: int) -> int:
    if settings.decoder == "keras":  # TensorFlow's two pools of workers, which all models share
        return 2 * len(os.sched_getaffinity(0)) + 1
    threads, max_batch = settings.decoder_threads, settings.max_batch
    has_lanes = threads > 1 and max_batch > few
    helpers = len(power_of_two_sizes(min(max_batch, few))) * (threads - 1)
    return helpers + (threads if has_lanes else 0)


def check_files(settings: Settings) -> None:
    """Check that the files and folders that settings name exist, but for the cache and the key file, checked on use.

    Raises:
        StartupError: one is missing.
    """
    if not settings.model_store.is_dir():
        raise StartupError(f"LILT_MODEL_STORE={settings.model_store}: there is no such folder")
    if "soundfont" in settings.model_fields_set and not settings.soundfont.is_file():
        raise StartupError(f"LILT_SOUNDFONT={settings.soundfont}: there is no such file; an SF2 or SF3 file is allowed")
    if settings.decoder == "keras" and importlib.util.find_spec("tensorflow") is None:
        raise StartupError("LILT_DECODER=keras: TensorFlow is not installed here; `litert` needs none")


def check_folders(settings: Settings) -> None:
    """Check that the folders that the service writes to are writable and have space.

    Raises:
        CacheFolderError: the cache folder is not private to this user.
        StartupError: one cannot be written to, or has too little space left.
    """
    ensure_private_folder(settings.cache)
    _check_folder("LILT_CACHE", settings.cache, may_grow=settings.max_cache_mb * _MIB)
    _check_folder("TMPDIR", Path(tempfile.gettempdir()))


def check_renderers(settings: Settings, renderer: Renderer) -> None:
    """Render one bar, and warn of missing programs and files; call it in a thread without an event loop.

    Raises:
        StartupError: something does not work, or is missing and required.
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
        held = "alone" if seccomp.missing() else "and seccomp"
        logger.warning("renderers run under limits %s: no file of this user's is hidden from them", held)
    else:
        logger.info("renderers run under %s", renderer.confinement)
    logger.info("%s plays", renderer.synthesizer)


def _check_folder(name: str, folder: Path, may_grow: int = 0) -> None:
    try:
        with tempfile.TemporaryFile(dir=folder) as file:
            file.write(b"\0" * 4096)
            file.flush()
    except OSError as error:
        raise StartupError(f"{name}={folder}: it cannot be written to ({error.strerror})") from None
    free = shutil.disk_usage(folder).free
    if free < _MIN_FREE_BYTES:
        raise StartupError(f"{name}={folder}: {free // _MIB} MiB are left there; {_MIN_FREE_BYTES // _MIB} are needed")
    if free < may_grow:
        logger.warning("%s: %s has %d MiB left, less than it may grow to", name, folder, free // _MIB)


def _try(renderer: Renderer) -> None:
    """One bar through abc2midi in its sandbox, and the synthesiser tried."""
    try:
        asyncio.run(_play_a_bar(renderer))
    except SynthError as error:
        raise StartupError(f"LILT_SOUNDFONT: {error}") from None


async def _play_a_bar(renderer: Renderer) -> None:
    program = "abc2midi"
    try:
        with renderer.private_folder() as folder:
            midi = await external_tools.to_midi(_TRIAL, folder, renderer.confinement)
        program = renderer.synthesizer
        await renderer.check_synthesizer(midi)
    except LiltError as error:
        raise StartupError(f"{program} under {renderer.confinement}: {error.detail}") from None
