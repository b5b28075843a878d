"""What the routes depend on: the application's models, renderer and settings, and what a request says of its body."""

from http import HTTPStatus
from typing import Annotated, Any

from fastapi import Depends, Request

from app.api.middleware.vary import decided_by
from app.api.schemas.problem_documents import ProblemDocument
from app.errors import MediaTypeError
from app.generation.model_registry import Models
from app.rendering.renderer import Renderer
from app.settings import Settings

JSON = "application/json"
ABC = "text/vnd.abc"

# Dependencies are coroutines: FastAPI sends a plain function to a thread of its pool, which costs more than it does.


async def models_of(request: Request) -> Models:
    """The models that this application serves."""
    found: Models = request.app.state.models
    return found


async def renderer(request: Request) -> Renderer:
    """The renderer of this application."""
    found: Renderer = request.app.state.renderer
    return found


async def settings(request: Request) -> Settings:
    """The settings of this application."""
    found: Settings = request.app.state.settings
    return found


Loaded = Annotated[Models, Depends(models_of)]
SettingsDep = Annotated[Settings, Depends(settings)]
Renders = Annotated[Renderer, Depends(renderer)]


def content_type(request: Request) -> str:
    """The request's media type in lower case, without parameters."""
    return request.headers.get("content-type", "").partition(";")[0].strip().lower()


async def varies_by_accept(request: Request) -> None:
    """Record that the response depends on `Accept`."""
    decided_by(request.scope, "Accept")


async def require_json(request: Request) -> None:
    """Raises MediaTypeError unless the body says it is JSON."""
    if content_type(request) != JSON:
        raise MediaTypeError(f"send the request as {JSON}")


def problems_of(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """OpenAPI's descriptions of responses that are problem documents."""
    return {status: {"model": ProblemDocument, "description": HTTPStatus(status).phrase} for status in statuses}
