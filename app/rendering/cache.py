"""A bounded cache of rendered files on disk, each named by the hash of all that it was made from; LRU eviction.

An entry is complete or absent: it is written under a temporary name, sealed with a hash of its content and its name,
and renamed. So a process that dies leaves at most a temporary file that the next start removes, an entry that is
deleted while it is being read stays whole for its reader, and one that was truncated or altered is detected when it is
opened. Several processes may share a folder. Usage is counted as entries come and go; the folder is listed in a thread
of its own: at the start, for eviction, and at intervals for the changes of other processes.
"""

import contextlib
import hashlib
import json
import logging
import os
import re
import shutil
import stat
import threading
import time
from array import array
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

import numpy as np
from numpy.typing import NDArray

from app.errors import SetupError
from app.operations import metrics
from app.rendering import seal

logger = logging.getLogger(__name__)

MAX_ENTRIES = 200_000
"""each file takes an inode too; this is 15 % of the inodes of a usual file system of 20 GB"""

_ENTRY = re.compile(r"[0-9a-f]{64}\.[a-z0-9]{1,16}")
"""files with other names in the folder are not ours, and left alone"""
_UNFINISHED = "unfinished-"
_ABANDONED_S = 600.0  # longer than any render takes
_NAMESPACE = Path("/proc/self/ns/pid").stat().st_ino
"""the PID namespace, within which process ids are valid: several containers may share a folder"""
_BLOCK = 512  # bytes that st_blocks counts in, on any file system
_LOW_WATER = 0.9  # share of a bound to evict down to, so that the folder is not listed again for the next few files
_LIST_AFTER_S, _LIST_SHARE = 60.0, 0.01  # interval of listing, and the largest share of the time that it may take
_FILES_PER_PAUSE, _PAUSE_S = 256, 0.002  # files between pauses that let requests run
_MAX_KNOWN = 4096


class CacheFolderError(SetupError):
    """The cache folder is not private to the service's user."""


@dataclass(frozen=True)
class Kept:
    """A finished file, open at its start, and the length of its content; the hash follows after it."""

    file: BinaryIO
    length: int


@dataclass(frozen=True)
class _Usage:
    size: int = 0
    """bytes on disk"""
    entries: int = 0

    def __add__(self, other: "_Usage") -> "_Usage":
        return _Usage(self.size + other.size, self.entries + other.entries)

    def is_within(self, max_kept: "_Usage") -> bool:
        return self.size <= max_kept.size and self.entries <= max_kept.entries


def key_of(parts: Mapping[str, object]) -> str:
    """The cache key of what is made from these parts: 64 hexadecimal digits."""
    return hashlib.sha256(json.dumps(parts, sort_keys=True, ensure_ascii=True).encode()).hexdigest()


def ensure_private_folder(folder: Path) -> None:
    """Create a folder that only this user can access, or check that an existing one is.

    Raises:
        CacheFolderError: it is another user's, others have access, or it is not a folder.
    """
    where = f"LILT_CACHE={folder}"
    try:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        found = folder.lstat()
    except FileExistsError:
        raise CacheFolderError(f"{where}: that is no folder; it is made where it is not there") from None
    except OSError as error:
        raise CacheFolderError(f"{where}: it cannot be made ({error.strerror})") from None
    if stat.S_ISLNK(found.st_mode):
        raise CacheFolderError(f"{where}: that is a symbolic link; name the folder that it leads to")
    if found.st_uid != os.geteuid():
        raise CacheFolderError(
            f"{where}: it belongs to user {found.st_uid}, and the service runs as user {os.geteuid()}; a folder of its "
            "own is allowed, and made where it is not there"
        )
    if found.st_mode & 0o077:
        raise CacheFolderError(
            f"{where}: others may look into it (mode {stat.S_IMODE(found.st_mode):04o}, and 0700 is allowed); name a "
            f"folder that is not there yet, such as {folder / 'lilt'}"
        )


class Cache:
    """A folder with a bound on the bytes and the number of finished files; the least recently used are evicted.

    No method blocks for long but `open`, which may read a whole file: call that in a thread.

    Args:
        folder: made if it is not there.
        max_bytes: counted in blocks, as the disk does; 0 keeps nothing for longer than it is being read.
        max_entries: files.

    Raises:
        CacheFolderError: it is not private to this user.
    """

    def __init__(self, folder: Path, max_bytes: int, max_entries: int = MAX_ENTRIES) -> None:
        self._folder = folder
        self.max_bytes = max_bytes
        self._max_kept = _Usage(max_bytes, max_entries)
        self._lock = threading.Lock()
        self._serial = 0
        self._kept = _Usage()
        self._delta = _Usage()
        """change in usage since the listing of the folder began"""
        self._known: dict[str, tuple[int, int, int]] = {}
        """verified entries, by name: inode, size and time of modification when they were verified"""
        self._eviction: threading.Thread | None = None
        self._shrink_to: float = 1.0
        self._list_at = 0.0
        ensure_private_folder(folder)
        self._remove_abandoned()
        self._evict_if_due()

    def has(self, name: str) -> bool:
        """Whether there is a finished file."""
        return (self._folder / name).exists()

    def open(self, name: str) -> Kept | None:
        """A finished file, which counts as used now; None if there is none that is as it was when it was finished."""
        path = self._folder / name
        try:
            file = path.open("rb")
        except FileNotFoundError:
            return None
        try:
            length = self._verified(file, name)
        except BaseException:
            file.close()
            raise
        if length is None:
            file.close()
            logger.warning("removed a corrupt file from the cache: %s", name)
            with contextlib.suppress(FileNotFoundError):
                self._remove(path, _size(path.stat()))
            return None
        return Kept(file, length)

    def begin(self, name: str) -> Path:
        """Where to make a file, to be sealed and given to `finish`, or to `discard`."""
        with self._lock:
            self._serial += 1
            return self._folder / f"{_UNFINISHED}{os.getpid()}-{_NAMESPACE}-{self._serial}-{name}"

    @contextmanager
    def private_folder(self) -> Iterator[Path]:
        """A folder to make something in; it goes afterwards, or at the next start if this process dies before."""
        folder = self.begin("folder")
        folder.mkdir(mode=0o700)
        try:
            yield folder
        finally:
            shutil.rmtree(folder, ignore_errors=True)

    def finish(self, made: Path, name: str) -> Path:
        """Add a file that was sealed under its name; eviction follows soon after if a bound is exceeded."""
        path = self._folder / name
        now = time.time_ns()  # finer than the kernel's own stamp
        os.utime(made, ns=(now, now))
        status = made.stat()
        replaced = _size_of(path)
        made.replace(path)
        self._remember(name, status)
        with self._lock:
            self._count(_Usage(_size(status) - (replaced or 0), 1 if replaced is None else 0))
        self._evict_if_due()
        return path

    def make_room(self) -> None:
        """Evict half of the cache soon, as the disk is full."""
        with self._lock:
            self._shrink_to = 0.5
        self._evict_if_due()

    def discard(self, made: Path) -> None:
        """Delete an unfinished file."""
        made.unlink(missing_ok=True)

    def settle(self) -> None:
        """Wait until eviction has ended."""
        while (thread := self._eviction) is not None:
            thread.join()

    def _verified(self, file: BinaryIO, name: str) -> int | None:
        """The length of a file's content, None if it is corrupt; marks the file as used."""
        is_known = self._known.get(name) == _identity(os.fstat(file.fileno()))
        if not is_known and not seal.verify(file, name):
            return None
        now = time.time_ns()
        os.utime(file.fileno(), ns=(now, now))
        status = os.fstat(file.fileno())
        self._remember(name, status)
        return seal.length(status.st_size)

    def _remember(self, name: str, status: os.stat_result) -> None:
        with self._lock:
            self._known.pop(name, None)
            self._known[name] = _identity(status)
            if len(self._known) > _MAX_KNOWN:
                del self._known[next(iter(self._known))]

    def _count(self, more: _Usage) -> None:
        """Add to the usage; call it with the lock held."""
        self._delta += more
        self._kept += more
        metrics.CACHE_BYTES.set(self._kept.size)
        metrics.CACHE_ENTRIES.set(self._kept.entries)

    def _remove(self, path: Path, size: int) -> None:
        """Raises FileNotFoundError: another process was first."""
        path.unlink()
        with self._lock:
            self._known.pop(path.name, None)
            self._count(_Usage(-size, -1))

    def _evict_if_due(self) -> None:
        """Start the thread that lists the folder and evicts, if it is due and not running."""
        with self._lock:
            if self._eviction is None and self._is_due():
                thread = threading.Thread(target=self._evict_in_thread, name="cache", daemon=True)
                try:
                    thread.start()
                except RuntimeError as error:  # no room for a thread; the next file that is finished asks again
                    logger.warning("cannot start the eviction thread of the cache: %s", error)
                else:
                    self._eviction = thread

    def _is_due(self) -> bool:
        return not self._kept.is_within(self._max_kept) or self._shrink_to < 1 or time.monotonic() >= self._list_at

    def _evict_in_thread(self) -> None:
        """List the folder and evict; again where a bound was exceeded meanwhile."""
        while True:
            begun = time.monotonic()
            has_changed = False
            try:
                has_changed = self._list_and_evict()
            except Exception:  # the folder is gone, or the disk fails: renders say so by themselves
                logger.exception("eviction from the cache failed")
            with self._lock:
                took = time.monotonic() - begun
                self._list_at = time.monotonic() + max(_LIST_AFTER_S, took / _LIST_SHARE)
                if not (has_changed and self._is_due()):
                    self._eviction = None
                    return

    def _list_and_evict(self) -> bool:
        """Recount the usage and evict down to the bounds; False if nothing was added or deleted meanwhile."""
        with self._lock:
            share, self._shrink_to = self._shrink_to, 1.0
            self._delta = _Usage()
        times, sizes = array("q"), array("q")
        for entry in _entries(self._folder):
            with contextlib.suppress(OSError):  # it has gone since
                status = entry.stat(follow_symlinks=False)
                times.append(status.st_mtime_ns)
                sizes.append(_size(status))
        listed = _Usage(int(np.asarray(sizes).sum()), len(sizes))
        with self._lock:
            delta, self._kept = self._delta, listed
            self._count(delta)  # at worst counted twice, until the next time
        if share == 1 and listed.is_within(self._max_kept):
            return delta != _Usage()
        size = min(self._max_kept.size * _LOW_WATER, listed.size * share)
        max_kept = _Usage(round(size), round(self._max_kept.entries * _LOW_WATER))
        spared = 1 if self._max_kept.size else 0
        return self._evict(_evict_until(np.asarray(times), np.asarray(sizes), max_kept, spared), max_kept)

    def _evict(self, until_ns: int, max_kept: _Usage) -> bool:
        """Delete files last used at a time or before, until the usage is within the bounds."""
        has_deleted = False
        for entry in _entries(self._folder):
            if self._kept.is_within(max_kept):
                break
            with contextlib.suppress(OSError):  # what another process was first to delete
                status = entry.stat(follow_symlinks=False)
                if status.st_mtime_ns <= until_ns:  # and was not used since
                    self._remove(Path(entry.path), _size(status))
                    has_deleted = True
        return has_deleted

    def _remove_abandoned(self) -> None:
        """Remove the temporary files of processes that have died."""
        with os.scandir(self._folder) as entries:
            unfinished = [Path(entry.path) for entry in entries if entry.name.startswith(_UNFINISHED)]
        for path in unfinished:
            with contextlib.suppress(OSError, ValueError):
                process, namespace = map(int, path.name.removeprefix(_UNFINISHED).split("-")[:2])
                if namespace == _NAMESPACE:
                    is_abandoned = process == os.getpid() or not Path(f"/proc/{process}").exists()
                else:
                    is_abandoned = time.time() - path.stat().st_mtime > _ABANDONED_S
                if is_abandoned:
                    shutil.rmtree(path) if path.is_dir() else path.unlink()
                    logger.info("removed an abandoned temporary file: %s", path.name)


def _size(status: os.stat_result) -> int:
    """A file's usage on disk, in bytes; some file systems report no blocks before they have written it."""
    return max(status.st_size, status.st_blocks * _BLOCK)


def _identity(status: os.stat_result) -> tuple[int, int, int]:
    return status.st_ino, status.st_size, status.st_mtime_ns


def _size_of(path: Path) -> int | None:
    try:
        return _size(path.stat())
    except OSError:
        return None


def _entries(folder: Path) -> Iterator[os.DirEntry[str]]:
    """Each finished file, with pauses that let requests run."""
    with os.scandir(folder) as entries:
        for number, entry in enumerate(entries, 1):
            if number % _FILES_PER_PAUSE == 0:
                time.sleep(_PAUSE_S)
            if _ENTRY.fullmatch(entry.name):
                yield entry


def _evict_until(times: NDArray[np.int64], sizes: NDArray[np.int64], max_kept: _Usage, spared: int) -> int:
    """The last use of the newest file that has to be evicted, in nanoseconds; -1 where none has to, or may.

    Args:
        times: when each file was last used.
        sizes: of each file, in bytes.
        max_kept: the bounds.
        spared: how many of the newest stay, whatever their size.
    """
    order = np.argsort(times)  # NumPy sorts without Python's lock
    left = sizes.sum() - np.cumsum(sizes[order])
    for_size = int(np.count_nonzero(left > max_kept.size)) + 1 if sizes.sum() > max_kept.size else 0
    must_go = min(max(for_size, len(order) - max_kept.entries), len(order) - spared)
    return int(times[order[must_go - 1]]) if must_go > 0 else -1
