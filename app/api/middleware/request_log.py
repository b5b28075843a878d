"""ASGI middleware that gives each request an id, logs it, counts it, and turns unhandled exceptions into a 500."""

import logging
import time
from http import HTTPStatus

from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from app.api import problem_details
from app.api.middleware.admission import KEY_LABEL
from app.operations import metrics, tracing
from app.operations.logs import FIELDS, REQUEST_ID, request_id

logger = logging.getLogger(__name__)

ID_HEADER = "X-Request-ID"

_METHODS = frozenset({"GET", "HEAD", "POST", "OPTIONS", "PUT", "PATCH", "DELETE"})
QUIET = frozenset({"/healthz", "/readyz", "/metrics"})
"""paths polled by monitoring: logged only if they fail, and never traced"""


class RequestLog:
    """The outermost middleware: it sees whatever the others answer or raise."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        tracing.redact(scope, _METHODS)
        begun = time.perf_counter()
        id_ = request_id(Headers(scope=scope).get(ID_HEADER))
        token = REQUEST_ID.set(id_)
        status, sent_bytes, started_s = problem_details.CLIENT_CLOSED_REQUEST, 0, 0.0
        is_whole = is_disconnected = False

        async def watching_receive() -> Message:
            nonlocal is_disconnected
            message = await receive()
            is_disconnected = is_disconnected or (message["type"] == "http.disconnect" and not is_whole)
            return message

        async def counting_send(message: Message) -> None:
            nonlocal status, sent_bytes, started_s, is_whole
            if message["type"] == "http.response.start":
                status, started_s = message["status"], time.perf_counter() - begun
                MutableHeaders(scope=message)[ID_HEADER] = id_
            await send(message)
            if message["type"] == "http.response.body":
                sent_bytes += 0 if scope["method"] == "HEAD" else len(message.get("body", b""))
                is_whole = not message.get("more_body", False)

        try:
            with metrics.IN_PROGRESS.track_inprogress():
                try:
                    await self._app(scope, watching_receive, counting_send)
                except Exception:
                    if started_s:
                        status = HTTPStatus.INTERNAL_SERVER_ERROR.value
                        raise  # the response has begun, so all that is left is to close the connection
                    logger.exception("unhandled exception")
                    await problem_details.internal_error()(scope, watching_receive, counting_send)
        finally:
            if is_disconnected:
                status = problem_details.CLIENT_CLOSED_REQUEST
            self._record(
                scope, status, sent_bytes, started_s, time.perf_counter() - begun, is_whole and not is_disconnected
            )
            REQUEST_ID.reset(token)

    @staticmethod
    def _record(scope: Scope, status: int, sent_bytes: int, started_s: float, lasted_s: float, is_whole: bool) -> None:
        route = getattr(scope.get("route"), "path", "unmatched")
        method = scope["method"] if scope["method"] in _METHODS else "other"
        metrics.REQUESTS.labels(method, route, str(status)).inc()
        metrics.DURATION.labels(method, route).observe(lasted_s)
        if started_s:
            metrics.FIRST_BYTE.labels(method, route).observe(started_s)
        fields = {
            "method": method,
            "route": route,
            "status": status,
            "duration_ms": round(1000 * lasted_s, 1),
            "bytes": sent_bytes,
            "whole": is_whole,
        }
        if (label := scope.get("state", {}).get(KEY_LABEL)) is not None:
            fields["key"] = label
        level = logging.DEBUG if route in QUIET and status < 400 else logging.INFO
        logger.log(level, "%d %s %s in %.0f ms", status, method, route, 1000 * lasted_s, extra={FIELDS: fields})
