"""Timeouts for slow clients: uvicorn's protocol, which has none for request heads and stalled readers, with bounds."""

import asyncio
from collections.abc import Callable
from http import HTTPStatus
from typing import Any

import h11
from uvicorn.protocols.http.h11_impl import H11Protocol

from app.api import problem_details
from app.api.bounded_connection import BoundedConnection
from app.api.middleware import security_headers

_READER_FACTOR = 6
"""A stalled reader may be a paused player: it gets this many times `timeout_s`."""

_DRAIN_S = 1.0  # on shutdown, how long a new connection has to send its first request


def bounded_protocol(timeout_s: float, max_connections: int) -> type[H11Protocol]:
    """A protocol class for `uvicorn.run(http=...)`.

    A connection has `timeout_s` to send the head of its next request, and six times that to read the next part of a
    response. When more than `max_connections` are open, the one that has waited longest for its client is closed.
    """
    waiting: dict[
        H11Protocol, None
    ] = {}  # for a head, a body or a reader, oldest first; never empty in connection_made

    class BoundedProtocol(H11Protocol):
        _is_last = False
        _head_timer: asyncio.TimerHandle | None = None
        _reader_timer: asyncio.TimerHandle | None = None
        conn: BoundedConnection

        def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
            self.conn = BoundedConnection()
            super().connection_made(transport)
            self._wait_for_head()
            self._note_who_waits()
            if len(self.connections) > max_connections:
                longest = next(iter(waiting))
                del waiting[longest]
                longest.transport.abort()

        def data_received(self, data: bytes) -> None:
            super().data_received(data)
            self._update_head_timer()
            self._note_who_waits()

        def on_response_complete(self) -> None:
            super().on_response_complete()
            self._update_head_timer()
            self._note_who_waits()

        def connection_lost(self, exc: Exception | None) -> None:
            waiting.pop(self, None)
            for timer in (self._head_timer, self._reader_timer):
                if timer:
                    timer.cancel()
            super().connection_lost(exc)

        def pause_writing(self) -> None:
            super().pause_writing()
            self._reader_timer = self._after(_READER_FACTOR * timeout_s, self.transport.abort)
            self._note_who_waits()

        def resume_writing(self) -> None:
            super().resume_writing()
            if self._reader_timer:
                self._reader_timer.cancel()
            self._note_who_waits()

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
                self._head_timer.cancel()
                self._head_timer = None

        def _note_who_waits(self) -> None:
            """The service waits for a client that owes it a head or a body, or is to read."""
            is_begun = self.cycle is not None and not self.cycle.response_complete
            if not is_begun or self.cycle.more_body or self.flow.write_paused:
                waiting.setdefault(self)
            else:
                waiting.pop(self, None)

        def _wait_for_head(self) -> None:
            if self._head_timer is None and not self.transport.is_closing():
                self._head_timer = self._after(timeout_s, self._on_head_timeout)

        def _on_head_timeout(self) -> None:
            if self.conn.our_state is h11.IDLE and self.conn.trailing_data[0]:
                detail = f"the request's head did not arrive within {timeout_s:g} seconds"
                self._refuse(HTTPStatus.REQUEST_TIMEOUT, detail)
            self.transport.close()

        def _should_upgrade(self) -> bool:
            """Answer as if no other protocol were asked for, as HTTP lets a server do; uvicorn would log warnings."""
            return False

        def send_400_response(self, _: str) -> None:
            """Refuse what is no HTTP; where an answer has begun, it ends here."""
            if self.cycle:
                self.cycle.disconnected = True  # whatever answers it has nobody to send that to
            if self.conn.our_state in (h11.IDLE, h11.SEND_RESPONSE):
                self._refuse(*self.conn.refusal)
            self.transport.close()

        def _refuse(self, status: HTTPStatus, detail: str) -> None:
            """Answer with a problem document what never became a request."""
            body = problem_details.of_http(status, detail)
            headers = {
                **security_headers.DEFAULTS,
                "Content-Type": problem_details.PROBLEM_JSON,
                "Content-Length": str(len(body)),
                "Connection": "close",
            }
            head = h11.Response(status_code=status, headers=list(headers.items()), reason=status.phrase.encode())
            sent = [h11.Data(data=body)] if self.conn.answer_has_body else []
            for event in (head, *sent, h11.EndOfMessage()):
                self.transport.write(self.conn.send(event) or b"")

        def _after(self, seconds: float, call: Callable[[], Any]) -> asyncio.TimerHandle:
            return self.loop.call_later(seconds, call)

    return BoundedProtocol
