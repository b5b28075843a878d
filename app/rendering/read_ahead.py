"""Makes items in a thread of their own while those before them are used, so that both take the time of the longer."""

import queue
import threading
from collections.abc import Generator
from typing import TypeVar

T = TypeVar("T")

_MAX_AHEAD = 4
_WAIT_S = 0.05


def read_ahead(items: Generator[T]) -> Generator[T]:
    """The items of a generator, a few of them made before they are asked for.

    The generator runs in another thread, if there is one left, and is closed there when this one is closed, or ends.
    What it raises is raised here.
    """
    made: queue.Queue[tuple[T] | BaseException | None] = queue.Queue(_MAX_AHEAD)
    is_left = threading.Event()

    def fill() -> None:
        try:
            for item in items:
                made.put((item,))
                if is_left.is_set():
                    return
            made.put(None)
        except BaseException as error:  # for the other thread
            made.put(error)
        finally:
            items.close()

    thread = threading.Thread(target=fill, name="read-ahead")
    try:
        thread.start()
    except RuntimeError:  # the system has no thread left
        yield from items
        return
    try:
        while (got := made.get()) is not None:
            if isinstance(got, BaseException):
                raise got
            yield got[0]
    finally:
        is_left.set()
        while thread.is_alive():
            try:
                made.get(timeout=_WAIT_S)  # room for what it is about to put, after which it looks
            except queue.Empty:
                continue
        thread.join()
