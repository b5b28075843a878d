"""h11's connection, with bounds on a request's head and on the pieces that a body comes in."""

from http import HTTPStatus

import h11

MAX_HEAD_BYTES = 64 * 1024  # room for a tune of the allowed size in an address
FREE_CHUNKS = 4096  # a text of the allowed size may be sent line by line
MIN_CHUNK_BYTES = 64  # on average past those: h11 takes 10 us for a chunk, however small, on the event loop

_IS_NO_HTTP = "this is no request as HTTP has it (RFC 9112)"
_LONG_HEAD = f"address and headers are longer than {MAX_HEAD_BYTES:,} bytes"
_SMALL_CHUNKS = (
    f"the body comes in chunks of less than {MIN_CHUNK_BYTES} bytes on average; send larger ones, or a Content-Length"
)


class _BoundError(h11.RemoteProtocolError):
    """What HTTP allows and this service does not."""


class BoundedConnection(h11.Connection):
    """A server's; `refusal` says how to answer once `next_event` has raised an error."""

    def __init__(self) -> None:
        super().__init__(h11.SERVER, MAX_HEAD_BYTES)
        self.refusal = HTTPStatus.BAD_REQUEST, _IS_NO_HTTP
        self._chunks = self._body_bytes = 0
        self._is_head_request = False

    @property
    def answer_has_body(self) -> bool:
        """Whether what is answered now may have one: not to a HEAD request."""
        return not (self._is_head_request and self.our_state is h11.SEND_RESPONSE)

    def next_event(self) -> h11.Event | type[h11.NEED_DATA] | type[h11.PAUSED]:
        """See h11.

        Raises:
            RemoteProtocolError: what has come is no HTTP, or passes a bound.
        """
        try:
            event = super().next_event()
            if isinstance(event, h11.Request):
                self._check_head(event)
            elif isinstance(event, h11.Data):
                self._check_chunks(event)
        except _BoundError as error:
            self.refusal = HTTPStatus(error.error_status_hint), str(error)
            raise
        except h11.RemoteProtocolError as error:  # whose words quote the request
            status = HTTPStatus(error.error_status_hint)
            self.refusal = status, _LONG_HEAD if status is HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE else _IS_NO_HTTP
            raise
        return event

    def _check_head(self, request: h11.Request) -> None:
        """h11 bounds a head that comes in parts; this, one that comes at once."""
        self._chunks = self._body_bytes = 0
        self._is_head_request = request.method == b"HEAD"
        if len(request.target) + sum(len(name) + len(value) for name, value in request.headers) > MAX_HEAD_BYTES:
            raise _BoundError(_LONG_HEAD, HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE)

    def _check_chunks(self, data: h11.Data) -> None:
        self._chunks += data.chunk_start
        self._body_bytes += len(data.data)
        if self._chunks > FREE_CHUNKS + self._body_bytes // MIN_CHUNK_BYTES:
            raise _BoundError(_SMALL_CHUNKS)
