"""Bodies of requests that are JSON or bare ABC: read, and described for OpenAPI."""

from collections.abc import Mapping
from typing import Any, TypeVar

from fastapi import Request
from pydantic import BaseModel

from app.api.dependencies import ABC, JSON, content_type
from app.api.openapi import SCHEMAS
from app.api.queries import valid
from app.errors import MediaTypeError
from app.rendering.input_filter import decode

Body = TypeVar("Body", bound=BaseModel)


async def abc_request(model: type[Body], request: Request, beside: Mapping[str, str] | None = None) -> Body:
    """A request whose body is JSON, or bare ABC.

    Args:
        beside: the other fields where it is bare ABC, as the query has them; None: there is no query to be read.

    Raises:
        MediaTypeError: the body says that it is something else.
        RequestValidationError: it is no such request.
    """
    kind = content_type(request)
    if kind not in (JSON, ABC):
        raise MediaTypeError(f"send the tune as {ABC}, or in {JSON}")
    body = await request.body()
    return valid(model, body if kind == JSON else {**(beside or {}), "abc": decode(body)})


def body_of(model: type[BaseModel], told: str) -> dict[str, Any]:
    """OpenAPI's description of such a body."""
    named = {"$ref": SCHEMAS.format(model=model.__name__)}
    content = {JSON: {"schema": named}, ABC: {"schema": {"type": "string", "description": told}}}
    return {"required": True, "content": content}
