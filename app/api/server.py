"""Runs uvicorn with bounded client timeouts, and drains accepted connections on shutdown."""

import asyncio
import contextlib
import gc
import logging
import resource
import socket
import sys

import uvicorn
from fastapi import FastAPI
from uvicorn.protocols.http.h11_impl import H11Protocol

from app.api import listen, startup_summary
from app.api.client_timeouts import bounded_protocol
from app.operations import logs
from app.settings import Settings

logger = logging.getLogger(__name__)

_SWITCH_INTERVAL_S = 0.0005  # Python's default of 5 ms lasts many decoder steps, and replies would wait
_MIDDLE_PER_FULL_COLLECTION = 30  # Python's default of 10 stopped all for 0.1 s once in 400 new tunes
GRACE_S = 30  # for running requests, once it is to stop
ACCEPT_DELAY_S = 0.1  # for the event loop to accept the backlog; a half-accepted connection would be dropped


def serve(app: FastAPI, settings: Settings, sockets: list[socket.socket]) -> bool:
    """Serve on bound sockets until a signal stops it; False if it failed to start.

    Raises:
        AddressError: another program listens on the address by now.
    """
    prepare_process()
    protocol = bounded_protocol(settings.client_timeout_s, settings.max_connections)
    server = Server(config(app, settings, protocol), app, settings)
    with contextlib.suppress(KeyboardInterrupt):
        server.run(sockets)
    return server.started


def prepare_process() -> None:
    """Let it have as many files as it may, its threads take turns as often as a server's need, and fewer long pauses.

    What Python's collector goes through for so long is the grammar's cache, of which next to nothing becomes garbage;
    what is young is collected as ever.
    """
    _, hard_limit = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard_limit, hard_limit))
    sys.setswitchinterval(_SWITCH_INTERVAL_S)
    young, middle, _ = gc.get_threshold()
    gc.set_threshold(young, middle, _MIDDLE_PER_FULL_COLLECTION)


def config(app: FastAPI, settings: Settings, protocol: type[H11Protocol]) -> uvicorn.Config:
    """How uvicorn serves it."""
    return uvicorn.Config(
        app,
        http=protocol,
        ws="none",
        proxy_headers=False,  # create_app believes those that LILT_TRUSTED_PROXIES names
        log_config=None,  # ours
        access_log=False,
        server_header=False,
        timeout_keep_alive=round(settings.client_timeout_s) + 1,  # after ours; the default of 5 s cut requests
        timeout_graceful_shutdown=GRACE_S,
    )


class Server(uvicorn.Server):
    """Drains the listen backlog on shutdown: such a client is connected as far as it knows, though not accepted yet.

    First a packet filter makes the kernel drop new SYNs, then the backlog is accepted, then the listeners are closed. A
    client whose SYN was dropped sends it again, and is refused.
    """

    def __init__(self, config: uvicorn.Config, app: FastAPI, settings: Settings) -> None:
        super().__init__(config)
        self._app = app
        self._settings = settings

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Listen, and log one line with the address, the models and the main settings."""
        try:
            await super().startup(sockets)
        except OSError as error:  # several sockets may be bound to an address, but only one may listen
            await self.lifespan.shutdown()
            raise listen.address_error(error, self._settings) from None
        if self.started:
            state, url = self._app.state, listen.url(self._settings, sockets or [])
            summary = startup_summary.fields(self._app.version, url, self._settings, state.models, state.renderer)
            logger.info(startup_summary.line(summary), extra={logs.FIELDS: summary})

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Drain the backlog, then stop as uvicorn does: close the listeners, finish the running requests."""
        listeners = [listener for server in self.servers for listener in server.sockets]
        for listener in listeners:
            listen.drop_new_clients(listener)
        await asyncio.sleep(ACCEPT_DELAY_S)
        await super().shutdown(sockets)
