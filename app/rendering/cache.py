"""A bounded folder of made files, each under the hash of all that it was made from.

An entry is complete or absent: it is made under another name, sealed with a hash of its content and its name, and
renamed. So a process that dies leaves at most a file that the next start removes, an entry that is deleted while it is
being read stays whole for its reader, and one that something else has cut or altered is found out when it is opened.
Several processes may share a folder. What is kept is summed up as it comes and goes; the folder is listed in a thread
of its own: at the start, where something has to go, and now and then for what other processes do.
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
"""a file takes an inode and a place in a list too; 15 % of the inodes of a usual file system of 20 GB"""

_ENTRY = re.compile(r"[0-9a-f]{64}\.[a-z0-9]{1,16}")
"""what is named otherwise in the folder is somebody else's, and left alone"""
_UNFINISHED = "unfinished-"
_ABANDONED_S = 600.0  # longer than any render takes
_NAMESPACE = Path("/proc/self/ns/pid").stat().st_ino
"""within which a process's number means something: several containers may share a folder"""
_BLOCK = 512  # bytes that st_blocks counts in, on any file system
_LEFT = 0.9  # of a bound, after something had to go: so the folder is not listed again for the next few files
_LIST_AFTER_S, _LIST_SHARE = 60.0, 0.01  # how often to list it anyway, and how much of the time that may take
_BATCH, _PAUSE_S = 256, 0.002  # files that are looked at before requests have their turn
_MAX_KNOWN = 4096


class CacheFolderError(SetupError):
    """The folder is not one that the service's user has alone."""


@dataclass(frozen=True)
class Kept:
    """A finished file, open at its beginning, and its length; what stands in it after that is the seal."""

    file: BinaryIO
    length: int


@dataclass(frozen=True)
class _Sum:
    size: int = 0
    """bytes of the disk"""
    entries: int = 0

    def __add__(self, other: "_Sum") -> "_Sum":
        return _Sum(self.size + other.size, self.entries + other.entries)

    def is_within(self, max_kept: "_Sum") -> bool:
        return self.size <= max_kept.size and self.entries <= max_kept.entries


def key_of(parts: Mapping[str, object]) -> str:
    """A name for what these parts make: 64 hexadecimal digits."""
    return hashlib.sha256(json.dumps(parts, sort_keys=True, ensure_ascii=True).encode()).hexdigest()


def own_folder(folder: Path) -> None:
    """Make a folder that only this user can look into, or see that it is one.

    Raises:
        CacheFolderError: it is another user's, others may come in, or it is no folder at all.
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
    """A folder with at most so many bytes of finished files, and so many files; the ones longest unused go first.

    Its methods take no time, but for `open`, which may read a whole file: call that in a thread.

    Args:
        folder: made if it is not there.
        max_bytes: counted as the disk does, in blocks; nought keeps nothing for longer than it is being read.
        max_entries: files.

    Raises:
        CacheFolderError: it is not this user's alone.
    """

    def __init__(self, folder: Path, max_bytes: int, max_entries: int = MAX_ENTRIES) -> None:
        self._folder = folder
        self._max_kept = _Sum(max_bytes, max_entries)
        self._lock = threading.Lock()
        self._serial = 0
        self._kept = _Sum()
        self._since = _Sum()
        """what came and went while the folder is being listed"""
        self._known: dict[str, tuple[int, int, int]] = {}
        """entries whose content was as sealed, as they were then"""
        self._tidying: threading.Thread | None = None
        self._shrink_to: float = 1.0
        self._list_at = 0.0
        own_folder(folder)
        self._sweep()
        self._tidy_if_due()

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
            logger.warning("removed from the cache, since it was cut or altered: %s", name)
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
        """Take a file in that was sealed under its name; what is then too much goes soon after."""
        path = self._folder / name
        now = time.time_ns()  # finer than the kernel's own stamp
        os.utime(made, ns=(now, now))
        status = made.stat()
        replaced = _size_of(path)
        made.replace(path)
        self._know(name, status)
        with self._lock:
            self._count(_Sum(_size(status) - (replaced or 0), 1 if replaced is None else 0))
        self._tidy_if_due()
        return path

    def make_room(self) -> None:
        """Give half of what is kept back to a disk that is full, soon."""
        with self._lock:
            self._shrink_to = 0.5
        self._tidy_if_due()

    def discard(self, made: Path) -> None:
        """Forget what was being made."""
        made.unlink(missing_ok=True)

    def settle(self) -> None:
        """Wait until nothing more has to go."""
        while (thread := self._tidying) is not None:
            thread.join()

    def _verified(self, file: BinaryIO, name: str) -> int | None:
        """The length of what was sealed; None where something else is there now. It counts as used."""
        is_known = self._known.get(name) == _identity(os.fstat(file.fileno()))
        if not is_known and not seal.holds(file, name):
            return None
        now = time.time_ns()
        os.utime(file.fileno(), ns=(now, now))
        status = os.fstat(file.fileno())
        self._know(name, status)
        return seal.length(status.st_size)

    def _know(self, name: str, status: os.stat_result) -> None:
        with self._lock:
            self._known.pop(name, None)
            self._known[name] = _identity(status)
            if len(self._known) > _MAX_KNOWN:
                del self._known[next(iter(self._known))]

    def _count(self, more: _Sum) -> None:
        """Add to what is kept; the lock is held."""
        self._since += more
        self._kept += more
        metrics.CACHE_BYTES.set(self._kept.size)
        metrics.CACHE_ENTRIES.set(self._kept.entries)

    def _remove(self, path: Path, size: int) -> None:
        """Raises FileNotFoundError: another process was first."""
        path.unlink()
        with self._lock:
            self._known.pop(path.name, None)
            self._count(_Sum(-size, -1))

    def _tidy_if_due(self) -> None:
        """Start the thread that lists the folder, where there is a reason to and it does not run."""
        with self._lock:
            if self._tidying is None and self._is_due():
                thread = threading.Thread(target=self._tidy, name="cache", daemon=True)
                try:
                    thread.start()
                except RuntimeError as error:  # no room for a thread; the next file that is finished asks again
                    logger.warning("the cache is not tidied: %s", error)
                else:
                    self._tidying = thread

    def _is_due(self) -> bool:
        return not self._kept.is_within(self._max_kept) or self._shrink_to < 1 or time.monotonic() >= self._list_at

    def _tidy(self) -> None:
        """List the folder and delete what is too much; again where more has come meanwhile."""
        while True:
            begun = time.monotonic()
            has_changed = False
            try:
                has_changed = self._list_and_evict()
            except Exception:  # the folder is gone, or the disk fails: renders say so by themselves
                logger.exception("the cache could not be tidied")
            with self._lock:
                took = time.monotonic() - begun
                self._list_at = time.monotonic() + max(_LIST_AFTER_S, took / _LIST_SHARE)
                if not (has_changed and self._is_due()):
                    self._tidying = None
                    return

    def _list_and_evict(self) -> bool:
        """Sum up what is kept and delete what is too much; False if nothing came meanwhile or went."""
        with self._lock:
            share, self._shrink_to = self._shrink_to, 1.0
            self._since = _Sum()
        times, sizes = array("q"), array("q")
        for entry in _entries(self._folder):
            with contextlib.suppress(OSError):  # it has gone since
                status = entry.stat(follow_symlinks=False)
                times.append(status.st_mtime_ns)
                sizes.append(_size(status))
        listed = _Sum(int(np.asarray(sizes).sum()), len(sizes))
        with self._lock:
            came, self._kept = self._since, listed
            self._count(came)  # at worst counted twice, until the next time
        if share == 1 and listed.is_within(self._max_kept):
            return came != _Sum()
        size = min(self._max_kept.size * _LEFT, listed.size * share)
        max_kept = _Sum(round(size), round(self._max_kept.entries * _LEFT))
        spared = 1 if self._max_kept.size else 0
        return self._evict(_last_to_go(np.asarray(times), np.asarray(sizes), max_kept, spared), max_kept)

    def _evict(self, until_ns: int, max_kept: _Sum) -> bool:
        """Delete what was last used at a time or before, until no more is kept than may be."""
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

    def _sweep(self) -> None:
        """Remove what processes that are no more left unfinished."""
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
                    logger.info("removed an unfinished file: %s", path.name)


def _size(status: os.stat_result) -> int:
    """What a file takes of the disk, in bytes; some file systems say nought before they have written it."""
    return max(status.st_size, status.st_blocks * _BLOCK)


def _identity(status: os.stat_result) -> tuple[int, int, int]:
    return status.st_ino, status.st_size, status.st_mtime_ns


def _size_of(path: Path) -> int | None:
    try:
        return _size(path.stat())
    except OSError:
        return None


def _entries(folder: Path) -> Iterator[os.DirEntry[str]]:
    """Each finished file, with a pause now and then in which others have the processor."""
    with os.scandir(folder) as entries:
        for number, entry in enumerate(entries, 1):
            if number % _BATCH == 0:
                time.sleep(_PAUSE_S)
            if _ENTRY.fullmatch(entry.name):
                yield entry


def _last_to_go(times: NDArray[np.int64], sizes: NDArray[np.int64], max_kept: _Sum, spared: int) -> int:
    """When the youngest of those was used that must go, in nanoseconds; -1 where none must, or may.

    Args:
        times: when each file was last used.
        sizes: of each file, in bytes.
        max_kept: that may be kept.
        spared: of the youngest, whatever their size.
    """
    order = np.argsort(times)  # NumPy sorts without Python's lock
    left = sizes.sum() - np.cumsum(sizes[order])
    for_size = int(np.count_nonzero(left > max_kept.size)) + 1 if sizes.sum() > max_kept.size else 0
    must_go = min(max(for_size, len(order) - max_kept.entries), len(order) - spared)
    return int(times[order[must_go - 1]]) if must_go > 0 else -1
