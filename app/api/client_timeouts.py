"""Timeouts for slow clients: uvicorn's protocol, which has none for request heads and stalled readers, with bounds."""

import asyncio
from collections.abc import Callable
from typing import Any

import h11
from uvicorn.protocols.http.h11_impl import H11Protocol

_READER_FACTOR = 6
"""A stalled reader may be a paused player: it gets this many times `timeout_s`."""

_DRAIN_S = 1.0  # on shutdown, how long a new connection has to send its first request

_TOO_SLOW = b"HTTP/1.1 408 Request Timeout\r\nConnection: close\r\nContent-Length: 0\r\n\r\n"


def bounded_protocol(timeout_s: float, max_connections: int) -> type[H11Protocol]:
    """A protocol class for `uvicorn.run(http=...)`.

    A connection has `timeout_s` to send the head of its next request, and six times that to read the next part of a
    response. When more than `max_connections` are open, the longest idle is closed; where none is idle, the newest.
    """
    idle: dict[H11Protocol, None] = {}  # oldest first; never empty in connection_made

    class BoundedProtocol(H11Protocol):
        _is_last = False
        _head_timer: asyncio.TimerHandle | None = None
        _reader_timer: asyncio.TimerHandle | None = None

        def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
            super().connection_made(transport)
            self._wait_for_head()
            if len(self.connections) > max_connections:
                longest = next(iter(idle))
                del idle[longest]
                longest.transport.abort()

        def data_received(self, data: bytes) -> None:
            super().data_received(data)
            self._update_head_timer()

        def on_response_complete(self) -> None:
            super().on_response_complete()
            self._update_head_timer()

        def connection_lost(self, exc: Exception | None) -> None:
            idle.pop(self, None)
            for timer in (self._head_timer, self._reader_timer):
                if timer:
                    timer.cancel()
            super().connection_lost(exc)

        def pause_writing(self) -> None:
            super().pause_writing()
            self._reader_timer = self._after(_READER_FACTOR * timeout_s, self.transport.abort)

        def resume_writing(self) -> None:
            super().resume_writing()
            if self._reader_timer:
                self._reader_timer.cancel()

        def shutdown(self) -> None:
            """Leave a new connection time for its first request, and close it after the response."""
            if self.cycle is None and not self.transport.is_closing():
                self._is_last = True
                self._after(_DRAIN_S, self._close_if_idle)
            else:
                super().shutdown()

        def _close_if_idle(self) -> None:
            if self.cycle is None:
                self.transport.close()

        def _update_head_timer(self) -> None:
            """Run the head timer while, and only while, no request is being answered."""
            if self._is_last and self.cycle is not None:
                self.cycle.keep_alive = False
            if self.cycle is None or self.cycle.response_complete:
                self._wait_for_head()
            elif self._head_timer:
                idle.pop(self, None)
                self._head_timer.cancel()
                self._head_timer = None

        def _wait_for_head(self) -> None:
            if self._head_timer is None and not self.transport.is_closing():
                idle[self] = None
                self._head_timer = self._after(timeout_s, self._on_head_timeout)

        def _on_head_timeout(self) -> None:
            if self.conn.our_state is h11.IDLE and self.conn.trailing_data[0]:
                self.transport.write(_TOO_SLOW)
            self.transport.close()

        def _after(self, seconds: float, call: Callable[[], Any]) -> asyncio.TimerHandle:
            return self.loop.call_later(seconds, call)

    return BoundedProtocol
