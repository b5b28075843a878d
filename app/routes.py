"""The HTTP endpoints: parse at the edge, call, format at the edge."""

from http import HTTPStatus
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Request, Response
from fastapi.exceptions import RequestValidationError

from app import generation
from app.connection import while_connected
from app.errors import MediaTypeError
from app.generation import ServedModel
from app.negotiation import choose_media_type
from app.render import Renderer
from app.schemas import (
    GenerateRequest,
    GenerateResponse,
    Health,
    LoadedModel,
    Models,
    ProblemDocument,
    Readiness,
)
from app.settings import Settings

JSON = "application/json"
ABC = "text/vnd.abc"

router = APIRouter()


def served_model(request: Request) -> ServedModel:
    """The model that this application serves."""
    model: ServedModel = request.app.state.model
    return model


def renderer(request: Request) -> Renderer:
    """The renderer of this application."""
    found: Renderer = request.app.state.renderer
    return found


def settings(request: Request) -> Settings:
    """The settings of this application."""
    found: Settings = request.app.state.settings
    return found


Served = Annotated[ServedModel, Depends(served_model)]
Knobs = Annotated[Settings, Depends(settings)]


def content_type(request: Request) -> str:
    """The request's media type in lower case, without parameters."""
    return request.headers.get("content-type", "").partition(";")[0].strip().lower()


def require_json(request: Request) -> None:
    """Raises MediaTypeError unless the body says it is JSON."""
    if content_type(request) != JSON:
        raise MediaTypeError(f"send the request as {JSON}")


def problems_of(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """What OpenAPI says of answers that are problem documents."""
    return {status: {"model": ProblemDocument, "description": HTTPStatus(status).phrase} for status in statuses}


@router.post(
    "/generate",
    response_model=GenerateResponse,
    dependencies=[Depends(require_json)],
    responses={
        200: {"content": {ABC: {"schema": {"type": "string"}}}},
        **problems_of(406, 413, 415, 422, 500, 503, 504),
    },
)
async def generate(body: GenerateRequest, request: Request, model: Served, knobs: Knobs) -> Response:
    """Continue a start string into tunes. `Accept: text/vnd.abc` answers with the ABC alone."""
    media_type = choose_media_type(request.headers.get("accept"), (JSON, ABC))
    _check_limits(body, model, knobs)
    answer = await while_connected(request, generation.generate(model, body, knobs.generate_timeout_s))
    content = answer.abc if media_type == ABC else answer.model_dump_json()
    headers = {"Lilt-Seed": str(answer.seed), "Lilt-Model": f"{answer.model.name}/{answer.model.version}"}
    return Response(content, media_type=media_type, headers=headers)


def _check_limits(body: GenerateRequest, model: ServedModel, knobs: Settings) -> None:
    """What the schema cannot know: this service's own limits and models."""
    if body.length > knobs.max_length:
        _reject("length", f"{body.length} is more than this service makes at once ({knobs.max_length})")
    if body.model is not None and body.model != model.id.name:
        _reject("model", f"no such model is loaded; there is {model.id.name!r}")


def _reject(field: str, message: str) -> None:
    raise RequestValidationError([{"type": "value_error", "loc": ("body", field), "msg": message}])


@router.get("/models")
async def models(model: Served) -> Models:
    """What is loaded."""
    manifest = model.checkpoint.manifest
    return Models(
        models=[
            LoadedModel(
                name=manifest.name,
                version=manifest.version,
                hash=manifest.digest,
                created=manifest.created.isoformat(),
                config=manifest.model,
                vocabulary=manifest.vocabulary,
                corpora=manifest.corpora,
                metrics=manifest.metrics,
                defaults=manifest.defaults,
            )
        ]
    )


@router.get("/healthz")
async def healthz() -> Health:
    """Alive."""
    return Health()


@router.get("/readyz", responses=problems_of(503))
async def readyz(model: Served, knobs: Knobs, renders: Annotated[Renderer, Depends(renderer)]) -> Readiness:
    """Able to serve; `degraded` where tunes can be made but not rendered."""
    missing = renders.missing()
    return Readiness(
        status="degraded" if missing else "ready",
        model=model.id,
        decoder=knobs.decoder,
        sandbox=renders.confinement,
        missing=missing,
    )
