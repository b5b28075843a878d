"""Cancels work when the client that asked for it disconnects, or sends a body that is refused."""

import asyncio
from collections.abc import Coroutine
from typing import Any, TypeVar

from fastapi import Request
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect

T = TypeVar("T")


async def while_connected(request: Request, work: Coroutine[Any, Any, T]) -> T:
    """The result of some work, which is cancelled if the client disconnects first.

    Raises:
        ClientDisconnect: the client disconnected.
        HTTPException: it sent a body, which nobody reads here, and that was too large or too slow.
    """
    watch: asyncio.Task[Exception] | None = None
    try:
        async with asyncio.timeout(None) as cancellation:
            watch = asyncio.create_task(_cancel_on_disconnect(request, cancellation))
            try:
                return await work
            finally:
                watch.cancel()
    except TimeoutError:
        if watch and cancellation.expired():
            raise watch.result() from None
        raise


async def _cancel_on_disconnect(request: Request, cancellation: asyncio.Timeout) -> Exception:
    """Why the work was cancelled."""
    reason: Exception = ClientDisconnect()
    try:
        while (await request.receive())["type"] != "http.disconnect":
            pass
    except HTTPException as error:
        reason = error
    cancellation.reschedule(asyncio.get_running_loop().time())
    return reason
