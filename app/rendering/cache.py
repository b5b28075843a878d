"""A bounded folder of made files, each under the hash of all that it was made from.

An entry is complete or absent: it is made under another name and renamed. So a process that dies leaves at most a file
that the next start removes, several processes may share a folder, and an entry that is deleted while it is being read
stays whole for its reader.
"""

import contextlib
import hashlib
import json
import logging
import os
import shutil
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

from app.operations import metrics

logger = logging.getLogger(__name__)

_UNFINISHED = "unfinished-"
_ABANDONED_S = 600.0  # longer than any render takes
_NAMESPACE = Path("/proc/self/ns/pid").stat().st_ino
"""within which a process's number means something: several containers may share a folder"""


def key_of(parts: Mapping[str, object]) -> str:
    """A name for what these parts make: 64 hexadecimal digits."""
    return hashlib.sha256(json.dumps(parts, sort_keys=True, ensure_ascii=True).encode()).hexdigest()


class Cache:
    """A folder with at most so many bytes of finished files; the ones longest unused go first.

    Args:
        folder: made if it is not there.
        most_bytes: nought keeps nothing for longer than it is being made and read.
    """

    def __init__(self, folder: Path, most_bytes: int) -> None:
        self._folder = folder
        self._most_bytes = most_bytes
        self._lock = threading.Lock()
        self._serial = 0
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        self._sweep()
        self._evict()

    def find(self, name: str) -> Path | None:
        """A finished file, which counts as used now; None if there is none."""
        path = self._folder / name
        now = time.time_ns()  # finer than the kernel's own stamp
        try:
            os.utime(path, ns=(now, now))
        except OSError:
            return None
        return path

    def open(self, name: str) -> BinaryIO | None:
        """A finished file, to be read and closed; None if there is none."""
        path = self.find(name)
        try:
            return path.open("rb") if path else None
        except FileNotFoundError:  # another process deleted it just now
            return None

    def begin(self, name: str) -> Path:
        """Where to make a file, to be given to `finish` or `discard`."""
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
        """Take a made file in, and delete others so that all stay within the bound."""
        path = self._folder / name
        made.replace(path)
        self._evict(keep=path)
        return path

    def make_room(self) -> None:
        """Give half of what is kept back to a disk that is full."""
        self._evict(most_bytes=self.size_bytes() // 2)

    def size_bytes(self) -> int:
        """The size of what is kept."""
        return sum(size for _, size, _ in self._entries())

    def discard(self, made: Path) -> None:
        """Forget what was being made."""
        made.unlink(missing_ok=True)

    def _entries(self) -> list[tuple[int, int, Path]]:
        """When each finished file was last used, in nanoseconds, its size in bytes, and its path."""
        entries = []
        for path in self._folder.iterdir():
            with contextlib.suppress(OSError):
                if not path.name.startswith(_UNFINISHED):
                    status = path.stat()
                    entries.append((status.st_mtime_ns, status.st_size, path))
        return entries

    def _evict(self, keep: Path | None = None, most_bytes: int | None = None) -> None:
        most_bytes = self._most_bytes if most_bytes is None else most_bytes
        with self._lock:
            entries = self._entries()
            total = sum(size for _, size, _ in entries)
            for _, size, path in sorted(entries):
                if total <= most_bytes:
                    break
                if path != keep:
                    path.unlink(missing_ok=True)
                    total -= size
            metrics.CACHE_BYTES.set(total)

    def _sweep(self) -> None:
        """Remove what processes that are no more left unfinished."""
        for path in self._folder.glob(f"{_UNFINISHED}*"):
            with contextlib.suppress(OSError, ValueError):
                process, namespace = map(int, path.name.removeprefix(_UNFINISHED).split("-")[:2])
                if namespace == _NAMESPACE:
                    is_abandoned = process == os.getpid() or not Path(f"/proc/{process}").exists()
                else:
                    is_abandoned = time.time() - path.stat().st_mtime > _ABANDONED_S
                if is_abandoned:
                    shutil.rmtree(path) if path.is_dir() else path.unlink()
                    logger.info("removed an unfinished file: %s", path.name)
