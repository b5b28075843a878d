"""What is known of each worker in memory that all share: its process, connections it is done with, signs of life."""

import mmap
import struct

_FIELD = struct.Struct("Q")
_PROCESS, _CLOSED, _BEATS = range(3)
_FIELDS = 3


class WorkerTable:
    """Made before the workers are forked; a row for each, whose number is its place among them.

    Each field has one writer: the process that starts the workers, or the worker that runs.
    """

    def __init__(self, workers: int) -> None:
        self._workers = workers
        self._rows = mmap.mmap(-1, workers * _FIELDS * _FIELD.size)

    def begin(self, number: int) -> None:
        """Clear a row for a worker that is to be started."""
        for field in range(_FIELDS):
            self._set(number, field, 0)

    def set_process(self, number: int, process: int) -> None:
        """Say which process the worker is; 0 for none."""
        self._set(number, _PROCESS, process)

    def processes(self) -> list[int]:
        """Those that run."""
        found = [self._get(number, _PROCESS) for number in range(self._workers)]
        return [process for process in found if process]

    def count_closed(self, number: int) -> None:
        """Count a connection that a worker is done with."""
        self._set(number, _CLOSED, self.closed(number) + 1)

    def closed(self, number: int) -> int:
        """Connections that the worker is done with."""
        return self._get(number, _CLOSED)

    def beat(self, number: int) -> None:
        """Count a sign of a worker's life."""
        self._set(number, _BEATS, self.beats(number) + 1)

    def beats(self, number: int) -> int:
        """How many the worker has given."""
        return self._get(number, _BEATS)

    def _set(self, number: int, field: int, value: int) -> None:
        _FIELD.pack_into(self._rows, (number * _FIELDS + field) * _FIELD.size, value)

    def _get(self, number: int, field: int) -> int:
        value: int = _FIELD.unpack_from(self._rows, (number * _FIELDS + field) * _FIELD.size)[0]
        return value
