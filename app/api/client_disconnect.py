"""Cancels work when the client that asked for it disconnects."""

import asyncio
from collections.abc import Coroutine
from typing import Any, TypeVar

from fastapi import Request
from starlette.requests import ClientDisconnect

T = TypeVar("T")


async def while_connected(request: Request, work: Coroutine[Any, Any, T]) -> T:
    """The result of some work, which is cancelled if the client disconnects first.

    Raises:
        ClientDisconnect: the client disconnected.
    """
    try:
        async with asyncio.timeout(None) as cancellation:
            watch = asyncio.create_task(_cancel_on_disconnect(request, cancellation))
            try:
                return await work
            finally:
                watch.cancel()
    except TimeoutError:
        if cancellation.expired():
            raise ClientDisconnect from None
        raise


async def _cancel_on_disconnect(request: Request, cancellation: asyncio.Timeout) -> None:
    while (await request.receive())["type"] != "http.disconnect":
        pass
    cancellation.reschedule(asyncio.get_running_loop().time())
