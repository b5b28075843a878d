"""ASGI middleware that names in `Vary` the request headers that decided an answer, be it a file, a 304 or an error."""

from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

_VARY = "vary"


def decided_by(scope: Scope, header: str) -> None:
    """Say that a request's header decides what it is answered with."""
    names: list[str] = scope.setdefault("state", {}).setdefault(_VARY, [])
    if header not in names:
        names.append(header)


class Vary:
    """Adds to an answer's own `Vary` what `decided_by` was told."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def varied(message: Message) -> None:
            if message["type"] == "http.response.start":
                for name in scope.get("state", {}).get(_VARY, ()):
                    MutableHeaders(scope=message).add_vary_header(name)
            await send(message)

        await self._app(scope, receive, varied)
