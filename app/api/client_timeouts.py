"""How long the server waits for slow clients: uvicorn's protocol, with bounds on what uvicorn waits for without end."""

import asyncio
from collections.abc import Callable
from typing import Any

import h11
from uvicorn.protocols.http.h11_impl import H11Protocol

_READER_FACTOR = 6
"""A reader that takes nothing may be a player that was paused: it gets so many times as long as a writer."""

_LAST_CALL_S = 1.0  # what a connection that was just made has, at a shutdown, to send its request

_TOO_SLOW = b"HTTP/1.1 408 Request Timeout\r\nConnection: close\r\nContent-Length: 0\r\n\r\n"


def patient(timeout_s: float, max_connections: int) -> type[H11Protocol]:
    """A protocol class for `uvicorn.run(http=...)`.

    A connection has `timeout_s` to send the head of its next request, and six times that to take the next piece of an
    answer. When more than `max_connections` are open, the one that has waited longest without a request is dropped;
    while all of them are being answered, it is the newest.
    """
    idle: dict[H11Protocol, None] = {}  # in the order in which they began to wait; never empty in connection_made

    class Patient(H11Protocol):
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
            self._look()

        def on_response_complete(self) -> None:
            super().on_response_complete()
            self._look()

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
            """A new connection's first request may be on its way: it is still answered, as the last."""
            if self.cycle is None and not self.transport.is_closing():
                self._is_last = True
                self._after(_LAST_CALL_S, self._leave)
            else:
                super().shutdown()

        def _leave(self) -> None:
            if self.cycle is None:
                self.transport.close()

        def _look(self) -> None:
            """Wait for a head where no request is being answered."""
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
                self._head_timer = self._after(timeout_s, self._give_up)

        def _give_up(self) -> None:
            if self.conn.our_state is h11.IDLE and self.conn.trailing_data[0]:
                self.transport.write(_TOO_SLOW)
            self.transport.close()

        def _after(self, seconds: float, call: Callable[[], Any]) -> asyncio.TimerHandle:
            return self.loop.call_later(seconds, call)

    return Patient
