"""Runs uvicorn with bounded client timeouts, and drains accepted connections on shutdown."""

import asyncio
import contextlib
import ctypes
import logging
import resource
import socket
import struct
import sys

import uvicorn
from fastapi import FastAPI

from app.api import listen, startup_summary
from app.api.client_timeouts import bounded_protocol
from app.operations import logs
from app.settings import Settings

logger = logging.getLogger(__name__)

_SWITCH_INTERVAL_S = 0.0005  # Python's default of 5 ms lasts many decoder steps, and replies would wait
_ACCEPT_DELAY_S = 0.1  # for the event loop to accept the backlog; a half-accepted connection would be dropped
_SO_ATTACH_FILTER = 26  # Linux, include/uapi/asm-generic/socket.h; Python has no name for it
_DROP_EVERY_PACKET = struct.pack("HBBI", 0x06, 0, 0, 0)  # a classic BPF program of one instruction: return 0 bytes


def serve(app: FastAPI, settings: Settings, sockets: list[socket.socket]) -> bool:
    """Serve on bound sockets until a signal stops it; False if it failed to start.

    Raises:
        AddressError: another program listens on the address by now.
    """
    _, hard_limit = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard_limit, hard_limit))
    sys.setswitchinterval(_SWITCH_INTERVAL_S)
    config = uvicorn.Config(
        app,
        http=bounded_protocol(settings.client_timeout_s, settings.max_connections),
        ws="none",
        proxy_headers=False,  # create_app believes those that LILT_TRUSTED_PROXIES names
        log_config=None,  # ours
        access_log=False,
        server_header=False,
        timeout_keep_alive=round(settings.client_timeout_s) + 1,  # after ours; the default of 5 s cut requests
        timeout_graceful_shutdown=30,
    )
    server = Server(config, app, settings)
    with contextlib.suppress(KeyboardInterrupt):
        server.run(sockets)
    return server.started


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
        program = ctypes.create_string_buffer(_DROP_EVERY_PACKET)
        for listener in listeners:
            with contextlib.suppress(OSError):  # without it, a client may connect in the last moment and be dropped
                listener.setsockopt(
                    socket.SOL_SOCKET, _SO_ATTACH_FILTER, struct.pack("HP", 1, ctypes.addressof(program))
                )
        await asyncio.sleep(_ACCEPT_DELAY_S)
        await super().shutdown(sockets)
