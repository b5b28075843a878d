"""uvicorn's server, which at a shutdown still lets in those who have knocked."""

import asyncio
import contextlib
import ctypes
import socket
import struct

import uvicorn

_SETTLED_S = 0.1  # by then the event loop has accepted what waits; one that it has half accepted would be dropped
_SO_ATTACH_FILTER = 26  # Linux, include/uapi/asm-generic/socket.h; Python has no name for it
_TAKE_NOTHING = struct.pack("HBBI", 0x06, 0, 0, 0)  # a classic BPF program of one instruction: return 0 bytes


class Server(uvicorn.Server):
    """A client whose connection the kernel has made, but nobody accepted yet, believes that it was let in.

    So first the kernel makes no more of them, then those that wait are accepted, and then the door is closed: who
    knocks in between is refused when the knock is repeated.
    """

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Accept what waits, then stop as uvicorn does: close the door, finish what runs."""
        doors = [door for server in self.servers for door in server.sockets]
        program = ctypes.create_string_buffer(_TAKE_NOTHING)
        for door in doors:
            with contextlib.suppress(OSError):  # where the system has no such filter, a moment remains
                door.setsockopt(socket.SOL_SOCKET, _SO_ATTACH_FILTER, struct.pack("HP", 1, ctypes.addressof(program)))
        await asyncio.sleep(_SETTLED_S)
        await super().shutdown(sockets)
