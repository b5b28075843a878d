"""uvicorn's server as the service runs it: patient within bounds, and at a shutdown open to those who have knocked."""

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
from app.api.client_timeouts import patient
from app.operations import logs
from app.settings import Settings

logger = logging.getLogger(__name__)

_TURN_OF_A_THREAD_S = 0.0005  # Python's own 5 ms are many steps of the decoder, which would wait for a reply
_SETTLED_S = 0.1  # by then the event loop has accepted what waits; one that it has half accepted would be dropped
_SO_ATTACH_FILTER = 26  # Linux, include/uapi/asm-generic/socket.h; Python has no name for it
_TAKE_NOTHING = struct.pack("HBBI", 0x06, 0, 0, 0)  # a classic BPF program of one instruction: return 0 bytes


def serve(app: FastAPI, settings: Settings, sockets: list[socket.socket]) -> bool:
    """Serve on sockets that are bound, until told to stop; False if it could not begin.

    Raises:
        AddressError: another program listens on the address by now.
    """
    _, hard_limit = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard_limit, hard_limit))
    sys.setswitchinterval(_TURN_OF_A_THREAD_S)
    config = uvicorn.Config(
        app,
        http=patient(settings.client_timeout_s, settings.max_connections),
        ws="none",
        proxy_headers=False,  # create_app believes those that LILT_TRUSTED_PROXIES names
        log_config=None,  # ours
        access_log=False,
        server_header=False,
        timeout_keep_alive=round(settings.client_timeout_s) + 1,  # `patient` is first; 5 s met requests on their way
        timeout_graceful_shutdown=30,
    )
    server = Server(config, app, settings)
    with contextlib.suppress(KeyboardInterrupt):
        server.run(sockets)
    return server.started


class Server(uvicorn.Server):
    """A client whose connection the kernel has made, but nobody accepted yet, believes that it was let in.

    So first the kernel makes no more of them, then those that wait are accepted, and then the door is closed: who
    knocks in between is refused when the knock is repeated.
    """

    def __init__(self, config: uvicorn.Config, app: FastAPI, settings: Settings) -> None:
        super().__init__(config)
        self._app = app
        self._settings = settings

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Listen, and say in one line what is served and how."""
        try:
            await super().startup(sockets)
        except OSError as error:  # two may be bound to an address, and one of them listen
            await self.lifespan.shutdown()
            raise listen.address_error(error, self._settings) from None
        if self.started:
            state, url = self._app.state, listen.url(self._settings, sockets or [])
            told = startup_summary.fields(self._app.version, url, self._settings, state.models, state.renderer)
            logger.info(startup_summary.line(told), extra={logs.FIELDS: told})

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Accept what waits, then stop as uvicorn does: close the door, finish what runs."""
        doors = [door for server in self.servers for door in server.sockets]
        program = ctypes.create_string_buffer(_TAKE_NOTHING)
        for door in doors:
            with contextlib.suppress(OSError):  # where the system has no such filter, a moment remains
                door.setsockopt(socket.SOL_SOCKET, _SO_ATTACH_FILTER, struct.pack("HP", 1, ctypes.addressof(program)))
        await asyncio.sleep(_SETTLED_S)
        await super().shutdown(sockets)
