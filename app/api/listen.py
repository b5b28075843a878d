"""Binds the service's sockets before anything is loaded, so that an unusable address is reported at once."""

import contextlib
import ctypes
import errno
import socket
import struct
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from app.errors import SetupError
from app.settings import Settings

_UNPRIVILEGED = Path("/proc/sys/net/ipv4/ip_unprivileged_port_start")
_SO_ATTACH_FILTER = 26  # Linux, include/uapi/asm-generic/socket.h; Python has no name for it
_DROP_EVERY_PACKET = struct.pack("HBBI", 0x06, 0, 0, 0)  # a classic BPF program of one instruction: return 0 bytes
_NOT_HERE = frozenset({errno.EADDRNOTAVAIL, errno.EAFNOSUPPORT})


class AddressError(SetupError):
    """The address cannot be bound; the text names LILT_HOST or LILT_PORT."""


@contextmanager
def bound(settings: Settings) -> Iterator[list[socket.socket]]:
    """Sockets bound to the address, not listening yet.

    Raises:
        AddressError: the address is in use, privileged or not one of this machine.
    """
    with ExitStack() as stack:
        yield _bind(settings, stack)


def address_error(error: OSError, settings: Settings) -> AddressError:
    """An OSError of bind or listen as an error that names the setting."""
    host, port = f"LILT_HOST={settings.host}", f"LILT_PORT={settings.port}"
    if isinstance(error, socket.gaierror):
        return AddressError(f"{host}: there is no such name here ({error.strerror})")
    if error.errno in _NOT_HERE:
        return AddressError(f"{host}: that is no address of this machine; 127.0.0.1 is, and 0.0.0.0 for all of them")
    if error.errno == errno.EADDRINUSE:
        return AddressError(f"{port}: another program listens on this port of {settings.host}; name another one")
    if error.errno == errno.EACCES:
        min_port = int(_UNPRIVILEGED.read_text()) if _UNPRIVILEGED.exists() else 1024
        return AddressError(f"{port}: this user may not listen on it; one from {min_port:,} to 65,535 is allowed")
    return AddressError(f"{host}, {port}: {error.strerror}")


def url(settings: Settings, sockets: list[socket.socket]) -> str:
    """The service's URL."""
    host = f"[{settings.host}]" if ":" in settings.host else settings.host
    return f"http://{host}:{sockets[0].getsockname()[1]}"


def drop_new_clients(listener: socket.socket) -> None:
    """Make the kernel drop new SYNs, so that a backlog can be accepted to its end; a dropped one is sent again."""
    program = ctypes.create_string_buffer(_DROP_EVERY_PACKET)
    with contextlib.suppress(OSError):  # without it, a client may connect in the last moment and be dropped
        listener.setsockopt(socket.SOL_SOCKET, _SO_ATTACH_FILTER, struct.pack("HP", 1, ctypes.addressof(program)))


def _bind(settings: Settings, stack: ExitStack) -> list[socket.socket]:
    sockets: list[socket.socket] = []
    fault: OSError | None = None
    port = settings.port
    try:
        found = socket.getaddrinfo(settings.host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
        for family, kind, protocol, _, address in dict.fromkeys(found):
            try:
                sockets.append(_socket(family, kind, protocol, (address[0], port, *address[2:]), stack))
            except OSError as error:  # a name may resolve to several addresses; those that this machine has are enough
                if error.errno not in _NOT_HERE:
                    raise
                fault = error
            else:
                port = sockets[0].getsockname()[1]
    except OSError as error:
        raise address_error(error, settings) from None
    if not sockets and fault:
        raise address_error(fault, settings)
    return sockets


def _socket(family: int, kind: int, protocol: int, address: tuple[str | int, ...], stack: ExitStack) -> socket.socket:
    made = stack.enter_context(socket.socket(family, kind, protocol))
    made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # despite an earlier service's TIME_WAIT connections
    if family == socket.AF_INET6:
        made.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
    made.bind(address)
    return made
