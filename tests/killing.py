"""A process that is killed with -9 at the n-th call that matters, wherever that falls."""

import os
import signal
from collections.abc import Callable
from typing import ParamSpec, TypeVar

P = ParamSpec("P")
T = TypeVar("T")


class KilledAt:
    """Counts the calls of all the functions that it wraps, and kills this process instead of making the n-th.

    Args:
        call: which one, from 1.
    """

    def __init__(self, call: int) -> None:
        self._left = call

    def wrap(self, function: Callable[P, T]) -> Callable[P, T]:
        """The same function, counted."""

        def counted(*args: P.args, **kwargs: P.kwargs) -> T:
            self._left -= 1
            if not self._left:
                os.kill(os.getpid(), signal.SIGKILL)
            return function(*args, **kwargs)

        return counted
