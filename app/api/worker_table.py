"""What is known of each worker of a service in memory that all share: its process, and connections it is done with."""

import mmap
import struct

_PROCESS, _CLOSED = struct.Struct("Q"), struct.Struct("Q")
_ROW_BYTES = _PROCESS.size + _CLOSED.size


class WorkerTable:
    """Made before the workers are forked; a row for each, whose number is its place among them.

    Each field has one writer: the process that starts the workers, or the worker that runs.
    """

    def __init__(self, workers: int) -> None:
        self._rows = mmap.mmap(-1, workers * _ROW_BYTES)

    def begin(self, number: int) -> None:
        """Clear a row for a worker that is to be started."""
        self.set_process(number, 0)
        _CLOSED.pack_into(self._rows, number * _ROW_BYTES + _PROCESS.size, 0)

    def set_process(self, number: int, process: int) -> None:
        """Say which process the worker is; 0 for none."""
        _PROCESS.pack_into(self._rows, number * _ROW_BYTES, process)

    def processes(self) -> list[int]:
        """Those that run."""
        found = [_PROCESS.unpack_from(self._rows, begin)[0] for begin in range(0, len(self._rows), _ROW_BYTES)]
        return [process for process in found if process]

    def count_closed(self, number: int) -> None:
        """Count a connection that a worker is done with."""
        _CLOSED.pack_into(self._rows, number * _ROW_BYTES + _PROCESS.size, self.closed(number) + 1)

    def closed(self, number: int) -> int:
        """Connections that the worker is done with."""
        count: int = _CLOSED.unpack_from(self._rows, number * _ROW_BYTES + _PROCESS.size)[0]
        return count
