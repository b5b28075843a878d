"""Which process makes which file, among several that share a cache: so that none is made by two at once."""

import fcntl
import os

_DIGITS = 15  # of a file's name, which is a hash: 60 bits


class Claims:
    """A lock of the kernel's for each file, which a process that is killed lets go of; made before a fork."""

    def __init__(self) -> None:
        self._locks = os.memfd_create("lilt-claims")

    def take(self, name: str) -> bool:
        """Claim a file for this process; False if another process makes it."""
        try:
            fcntl.lockf(self._locks, fcntl.LOCK_EX | fcntl.LOCK_NB, 1, int(name[:_DIGITS], 16))
        except BlockingIOError:
            return False
        return True

    def give_back(self, name: str) -> None:
        """Let others make it."""
        fcntl.lockf(self._locks, fcntl.LOCK_UN, 1, int(name[:_DIGITS], 16))
