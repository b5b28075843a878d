"""Work that is given up when the client that asked for it goes away."""

import asyncio
from collections.abc import Coroutine
from typing import Any, TypeVar

from fastapi import Request
from starlette.requests import ClientDisconnect

T = TypeVar("T")


async def while_connected(request: Request, work: Coroutine[Any, Any, T]) -> T:
    """The result of some work, which is cancelled if the client goes away first.

    Raises:
        ClientDisconnect: it did.
    """
    try:
        async with asyncio.timeout(None) as patience:
            watch = asyncio.create_task(_give_up_when_gone(request, patience))
            try:
                return await work
            finally:
                watch.cancel()
    except TimeoutError:
        if patience.expired():
            raise ClientDisconnect from None
        raise


async def _give_up_when_gone(request: Request, patience: asyncio.Timeout) -> None:
    while (await request.receive())["type"] != "http.disconnect":
        pass
    patience.reschedule(asyncio.get_running_loop().time())
