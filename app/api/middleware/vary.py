"""ASGI middleware that adds to `Vary` the request headers that a response depends on, errors and 304 included."""

from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

_VARY = "vary"


def decided_by(scope: Scope, header: str) -> None:
    """Record that the response depends on a request header."""
    names: list[str] = scope.setdefault("state", {}).setdefault(_VARY, [])
    if header not in names:
        names.append(header)


class Vary:
    """Adds the headers recorded by `decided_by` to the response's own `Vary`."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def varied(message: Message) -> None:
            if message["type"] == "http.response.start":
                for name in scope.get("state", {}).get(_VARY, ()):
                    MutableHeaders(scope=message).add_vary_header(name)
            await send(message)

        await self._app(scope, receive, varied)
