"""Bounds what the disk holds for readers alone: files that were evicted from the cache and are still being read.

An open file keeps its place on the disk when it is deleted, so a few slow readers of long sounds would fill a disk
whatever the cache's bound is. Past a bound of their own, or where the disk is full, those that began first give way:
their file is closed at once, and their response ends there. A player goes on by a range of the same address.
"""

import logging
import os
from itertools import count
from weakref import WeakValueDictionary

from app.rendering.shared_file import Rendering

logger = logging.getLogger(__name__)

_BLOCK = 512  # bytes that st_blocks counts in
_MIB = 1024 * 1024


class LentFiles:
    """The files that responses read.

    Args:
        max_bytes: on the disk, of those that are deleted.
    """

    def __init__(self, max_bytes: int) -> None:
        self._max_bytes = max_bytes
        self._lent: WeakValueDictionary[int, Rendering] = WeakValueDictionary()  # those lent first before the others
        self._serial = count()

    def lend(self, rendering: Rendering) -> Rendering:
        """Remember a reader for as long as there is one."""
        self._lent[next(self._serial)] = rendering
        return rendering

    def keep_within_bound(self) -> None:
        """Have readers give way until what is held for them alone is within its bound."""
        self._shrink_to(self._max_bytes)

    def make_room(self) -> None:
        """Give up half of what is held for readers alone, as the disk is full."""
        self._shrink_to(sum(size for size, _ in self._held().values()) // 2)

    def _held(self) -> dict[int, tuple[int, list[Rendering]]]:
        """Of each deleted file that is read, by its inode: its size on the disk, and its readers."""
        held: dict[int, tuple[int, list[Rendering]]] = {}
        for rendering in self._lent.values():
            status = None if rendering.file.closed else os.fstat(rendering.file.fileno())
            if status and not status.st_nlink:
                held.setdefault(status.st_ino, (status.st_blocks * _BLOCK, []))[1].append(rendering)
        return held

    def _shrink_to(self, max_bytes: int) -> None:
        held = self._held()
        left = sum(size for size, _ in held.values())
        for size, readers in held.values():
            if left <= max_bytes:
                return
            for reader in readers:
                reader.file.close()
            left -= size
            logger.warning(
                "readers of a file that is no longer kept gave way: %d of %d MiB", len(readers), size // _MIB
            )
