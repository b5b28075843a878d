"""One of several processes that serve: it is handed connections, and answers on them until it is told to stop."""

import asyncio
import contextlib
import json
import logging
import signal
import socket
from collections.abc import Callable, Iterator
from typing import Any

import uvicorn
from uvicorn.protocols.http.h11_impl import H11Protocol

from app.api import server, startup_summary
from app.api.application import Shared, create_worker
from app.api.client_timeouts import bounded_protocol
from app.api.worker_table import WorkerTable
from app.operations import shared_metrics
from app.settings import Settings

logger = logging.getLogger(__name__)

CONNECTION, STOP, LEAVING = b"connection", b"stop", b"leaving"
"""what the process that accepts connections says, with the connection; what it says last; what a worker asks for it"""
BEAT_S = 1.0
"""between two signs of a worker's life"""
MAX_MESSAGE = 65_536  # bytes; the longest is a worker's first: the start's summary


def serve(settings: Settings, shared: Shared, control: socket.socket, table: WorkerTable, number: int) -> bool:
    """Serve connections that come over `control` until it says so, or is closed; False if it failed to start.

    Raises:
        StoreError: there is no checkpoint that can be served.
        KeyFileError: the key file cannot be used.
    """
    server.prepare_process()
    worker = _Worker(settings, shared, control, table, number)
    worker.run([])
    return worker.started


class _Worker(uvicorn.Server):
    """uvicorn without listeners.

    A signal that ends a whole group of processes reaches workers too, while connections are still handed to them: so
    they stop when they are told to. SIGTERM to one alone asks for that; SIGINT is a terminal's, for all.
    """

    def __init__(
        self, settings: Settings, shared: Shared, control: socket.socket, table: WorkerTable, number: int
    ) -> None:
        share = settings.of_one_worker()
        app = create_worker(share, shared)
        protocol = bounded_protocol(share.client_timeout_s, share.max_connections)
        super().__init__(server.config(app, share, _counting(protocol, self._count_closed)))
        self._settings, self._state, self._version, self._control = settings, app.state, app.version, control
        self._table, self._number = table, number
        self._arriving: set[asyncio.Task[Any]] = set()

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Say that it can be handed connections, with what the start's log line tells."""
        await super().startup(sockets)
        if not self.started:
            return
        state = self._state
        summary = startup_summary.fields(self._version, "", self._settings, state.models, state.renderer)
        self._control.send(json.dumps(summary, default=str).encode())
        self._control.setblocking(False)
        asyncio.get_running_loop().add_reader(self._control, self._receive)
        self._beating = asyncio.create_task(self._beat())

    async def _beat(self) -> None:
        """Give signs of life as long as the event loop turns."""
        while True:
            self._table.beat(self._number)
            await asyncio.sleep(BEAT_S)

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """See the class."""
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, self._ask_to_leave)
        yield

    def _receive(self) -> None:
        try:
            message, files, _, _ = socket.recv_fds(self._control, len(CONNECTION), 1)
        except BlockingIOError:
            return
        except ConnectionError:
            message, files = b"", []
        if files:
            self._take(socket.socket(fileno=files[0]))
        elif message == CONNECTION:  # this process may have no file more, so it is closed
            self._count_closed()
        else:
            asyncio.get_running_loop().remove_reader(self._control)
            self.should_exit = True
            if not message:  # the process that accepts was killed
                shared_metrics.remove_folder()

    def _take(self, connection: socket.socket) -> None:
        connection.setblocking(False)
        task = asyncio.create_task(self._connect(connection))
        self._arriving.add(task)
        task.add_done_callback(self._arriving.discard)

    async def _connect(self, connection: socket.socket) -> None:
        try:
            await asyncio.get_running_loop().connect_accepted_socket(self._protocol, connection)
        except OSError:  # it has gone again
            self._count_closed()

    def _protocol(self) -> asyncio.Protocol:
        protocol: Any = self.config.http_protocol_class
        made: asyncio.Protocol = protocol(
            config=self.config, server_state=self.server_state, app_state=self.lifespan.state
        )
        return made

    def _count_closed(self) -> None:
        self._table.count_closed(self._number)

    def _ask_to_leave(self) -> None:
        with contextlib.suppress(OSError):
            self._control.send(LEAVING)


def _counting(protocol: type[H11Protocol], count_closed: Callable[[], None]) -> type[H11Protocol]:
    """The protocol, with a count of the connections that have ended."""

    class Counting(protocol):  # type: ignore[misc,valid-type]
        def connection_lost(self, exc: Exception | None) -> None:
            super().connection_lost(exc)
            count_closed()

    return Counting
