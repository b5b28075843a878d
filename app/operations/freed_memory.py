"""Has the C library give freed memory back to the system, which by itself keeps what renders have needed for good."""

import ctypes

_MMAP_THRESHOLD, _TRIM_THRESHOLD, _MAX_ARENAS = -3, -1, -8  # of mallopt(3); Python has no names for them
_MIB = 1024 * 1024


def give_back() -> None:
    """Call it before threads begin; where the C library is not glibc, nothing is changed.

    glibc raises its threshold with each large array that is freed, until arrays of megabytes lie between small things
    in heaps of each thread's own, which then hardly shrink: 25 seconds of many renders took 290 MiB, and take 230.
    """
    if mallopt := getattr(ctypes.CDLL(None), "mallopt", None):
        for option, value in ((_MMAP_THRESHOLD, _MIB), (_TRIM_THRESHOLD, _MIB), (_MAX_ARENAS, 2)):
            mallopt(option, value)
