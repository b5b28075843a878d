"""The HTTP endpoints: parse at the edge, call, format at the edge."""

import asyncio
import json
from collections.abc import AsyncIterator, Coroutine
from contextlib import aclosing
from http import HTTPStatus
from typing import Annotated, Any, TypeVar

from fastapi import APIRouter, Depends, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.responses import StreamingResponse
from fastapi.sse import KEEPALIVE_COMMENT, format_sse_event
from pydantic import ValidationError
from starlette.requests import ClientDisconnect

from app import problems
from app.errors import Fault, LiltError, MediaTypeError, NotationError
from app.generation import Generation
from app.models import Models
from app.negotiation import choose_media_type
from app.render import Format, Renderer, RenderOptions
from app.schemas import (
    GenerateRequest,
    GenerateResponse,
    Health,
    LoadedModel,
    ModelList,
    ProblemDocument,
    Readiness,
    RenderRequest,
)
from app.settings import Settings

T = TypeVar("T")

JSON = "application/json"
ABC = "text/vnd.abc"
EVENTS = "text/event-stream"

_UNBUFFERED = {"Cache-Control": "no-cache", "X-Accel-Buffering": "no"}  # the second is nginx's

router = APIRouter()


def models_of(request: Request) -> Models:
    """The models that this application serves."""
    found: Models = request.app.state.models
    return found


def renderer(request: Request) -> Renderer:
    """The renderer of this application."""
    found: Renderer = request.app.state.renderer
    return found


def settings(request: Request) -> Settings:
    """The settings of this application."""
    found: Settings = request.app.state.settings
    return found


Loaded = Annotated[Models, Depends(models_of)]
Knobs = Annotated[Settings, Depends(settings)]


def content_type(request: Request) -> str:
    """The request's media type in lower case, without parameters."""
    return request.headers.get("content-type", "").partition(";")[0].strip().lower()


def require_json(request: Request) -> None:
    """Raises MediaTypeError unless the body says it is JSON."""
    if content_type(request) != JSON:
        raise MediaTypeError(f"send the request as {JSON}")


def _problems(*statuses: int) -> dict[int | str, dict[str, Any]]:
    return {status: {"model": ProblemDocument, "description": HTTPStatus(status).phrase} for status in statuses}


@router.post(
    "/generate",
    response_model=GenerateResponse,
    dependencies=[Depends(require_json)],
    responses={
        200: {"content": {media_type: {"schema": {"type": "string"}} for media_type in (ABC, EVENTS)}},
        **_problems(400, 406, 413, 415, 422, 500, 503, 504),
    },
)
async def generate(body: GenerateRequest, request: Request, loaded: Loaded, knobs: Knobs) -> Response:
    """Continue a start string into tunes.

    `Accept: text/vnd.abc` answers with the ABC alone. `Accept: text/event-stream` sends the text while it is made, in
    `chunk` events `{"text": …}`, then one `done` with the whole JSON, or an `error` with a problem document.
    """
    media_type = choose_media_type(request.headers.get("accept"), (JSON, ABC, EVENTS))
    if body.length > knobs.max_length:
        raise _invalid("length", f"{body.length} is more than this service makes at once ({knobs.max_length})")
    model = loaded.get(body.model)
    if model is None:
        names = ", ".join(served.id.name for served in loaded.all())
        raise _invalid("model", f"no such model is loaded; there is {names}")
    generation = await Generation.begin(model, body, knobs.generate_timeout_s)
    if media_type == EVENTS:
        return StreamingResponse(_events(generation), media_type=EVENTS, headers=_UNBUFFERED)
    answer = await _while_connected(request, generation.answer())
    content = answer.abc if media_type == ABC else answer.model_dump_json()
    headers = {"Lilt-Seed": str(answer.seed), "Lilt-Model": f"{answer.model.name}/{answer.model.version}"}
    return Response(content, media_type=media_type, headers=headers)


async def _events(generation: Generation) -> AsyncIterator[bytes]:
    try:
        async with aclosing(generation.chunks()) as chunks:
            async for text in chunks:
                data = json.dumps({"text": text})
                yield format_sse_event(event="chunk", data_str=data) if text else KEEPALIVE_COMMENT
        yield format_sse_event(event="done", data_str=generation.response().model_dump_json())
    except LiltError as error:
        yield format_sse_event(event="error", data_str=json.dumps(problems.describe(error)))


def _invalid(field: str, message: str) -> RequestValidationError:
    """What the schema cannot know: this service's own limits and models."""
    return RequestValidationError([{"type": "value_error", "loc": ("body", field), "msg": message}])


_RENDER_BODY = {
    "required": True,
    "content": {
        JSON: {"schema": RenderRequest.model_json_schema()},
        ABC: {"schema": {"type": "string", "description": "One tune; the other fields go into the query."}},
    },
}


async def render_request(request: Request) -> RenderRequest:
    """The body of a render request: JSON, or bare ABC with the other fields in the query."""
    kind = content_type(request)
    if kind not in (JSON, ABC):
        raise MediaTypeError(f"send the tune as {ABC}, or in {JSON}")
    body = await request.body()
    try:
        if kind == JSON:
            return RenderRequest.model_validate_json(body)
        return RenderRequest.model_validate({**request.query_params, "abc": _utf8(body)}, strict=False)
    except ValidationError as error:
        raise RequestValidationError(error.errors(include_url=False, include_input=False)) from None


def _utf8(body: bytes) -> str:
    try:
        return body.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = body[: error.start].count(b"\n") + 1
        fault = Fault(f"the byte 0x{body[error.start]:02x} is not UTF-8", position=error.start, line=line)
        raise NotationError(f"line {line}: {fault.message}; send the tune as UTF-8", faults=(fault,)) from None


@router.post(
    "/render",
    response_class=Response,
    openapi_extra={"requestBody": _RENDER_BODY},
    responses={
        200: {"content": {format_.media_type: {} for format_ in Format}},
        **_problems(400, 406, 413, 415, 422, 503, 504),
    },
)
async def render(
    body: Annotated[RenderRequest, Depends(render_request)],
    request: Request,
    renders: Annotated[Renderer, Depends(renderer)],
) -> Response:
    """Play a tune: ABC in, a WAV or MIDI file out."""
    if body.format is None:
        accepted = choose_media_type(request.headers.get("accept"), tuple(f.media_type for f in Format))
        format_ = next(f for f in Format if f.media_type == accepted)
    else:
        format_ = Format(body.format)
    options = RenderOptions(body.tempo, body.program, body.transpose)
    content = await _while_connected(request, renders.render(body.abc, format_, options))
    disposition = f'inline; filename="tune.{format_.extension}"'
    return Response(content, media_type=format_.media_type, headers={"Content-Disposition": disposition})


@router.get("/models")
async def models(loaded: Loaded) -> ModelList:
    """What is loaded, the default first."""
    return ModelList(models=[LoadedModel.of(model.checkpoint.manifest) for model in loaded.all()])


@router.get("/healthz")
async def healthz() -> Health:
    """Alive."""
    return Health()


@router.get("/readyz", responses=_problems(503))
async def readyz(loaded: Loaded, knobs: Knobs, renders: Annotated[Renderer, Depends(renderer)]) -> Readiness:
    """Able to serve; `degraded` where tunes can be made but not rendered."""
    missing = renders.missing()
    return Readiness(
        status="degraded" if missing else "ready",
        models=[model.id for model in loaded.all()],
        decoder=knobs.decoder,
        sandbox=renders.confinement,
        missing=missing,
    )


async def _while_connected(request: Request, work: Coroutine[Any, Any, T]) -> T:
    """The result of some work, which is cancelled if the client goes away first.

    Raises:
        ClientDisconnect: it did.
    """
    task = asyncio.create_task(work)
    gone = asyncio.create_task(_disconnect(request))
    try:
        await asyncio.wait({task, gone}, return_when=asyncio.FIRST_COMPLETED)
        if not task.done():
            raise ClientDisconnect
        return await task
    finally:
        task.cancel()
        gone.cancel()
        await asyncio.gather(task, gone, return_exceptions=True)


async def _disconnect(request: Request) -> None:
    while (await request.receive())["type"] != "http.disconnect":
        pass
