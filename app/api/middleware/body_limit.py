"""ASGI middleware that limits the size of request bodies, and the time that they may take to arrive."""

import asyncio
from collections.abc import Mapping
from http import HTTPStatus

from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

_CLOSE = {"Connection": "close"}


class BodyLimit:
    """Raises a 413 from `receive` once a body passes `max_bytes`, and a 408 if it takes longer than `timeout_s`.

    A declared length is believed at once. Either answer closes the connection, as the rest of the body may still come.
    Once the response has begun nobody wants the body any more, and it is passed on as it comes to be thrown away.

    Args:
        max_bytes_of: the limits of paths that have others.
    """

    def __init__(self, app: ASGIApp, max_bytes: int, timeout_s: float, max_bytes_of: Mapping[str, int]) -> None:
        self._app = app
        self._max_bytes = max_bytes
        self._max_bytes_of = max_bytes_of
        self._timeout_s = timeout_s

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        declared = next((value for name, value in scope["headers"] if name == b"content-length"), b"0")
        received, is_whole, has_begun = 0, False, False
        max_bytes = self._max_bytes_of.get(scope["path"], self._max_bytes)
        deadline = asyncio.get_running_loop().time() + self._timeout_s

        async def bounded() -> Message:
            nonlocal received, is_whole
            if is_whole or has_begun:
                return await receive()
            try:
                async with asyncio.timeout_at(deadline):
                    message = await receive()
            except TimeoutError:
                if has_begun:
                    return await receive()
                detail = f"the body did not arrive within {self._timeout_s:g} seconds"
                raise HTTPException(HTTPStatus.REQUEST_TIMEOUT, detail, _CLOSE) from None
            is_whole = not message.get("more_body", False)
            received += len(message.get("body", b""))
            if not has_begun and (received > max_bytes or int(declared) > max_bytes):
                detail = f"the body is larger than {max_bytes:,} bytes"
                raise HTTPException(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, detail, _CLOSE)
            return message

        async def noting_send(message: Message) -> None:
            nonlocal has_begun
            has_begun = True
            await send(message)

        await self._app(scope, bounded, noting_send)
