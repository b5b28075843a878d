"""The endpoints that make tunes and compare them: `/generate`, `/originality`."""

import asyncio
import hashlib
import json
import secrets
from collections.abc import AsyncIterator, Mapping
from contextlib import aclosing
from dataclasses import dataclass
from functools import partial
from http import HTTPStatus
from typing import Annotated

from fastapi import APIRouter, Depends, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.responses import StreamingResponse
from fastapi.sse import KEEPALIVE_COMMENT, format_sse_event
from starlette.types import Receive, Scope, Send

from app.api import problem_details
from app.api.abc_bodies import abc_request, body_of
from app.api.client_disconnect import while_connected
from app.api.conditional_requests import is_not_modified
from app.api.content_negotiation import choose_media_type
from app.api.dependencies import ABC, JSON, Loaded, Renders, SettingsDep, problems_of, require_json, varies_by_accept
from app.api.middleware.admission import account_of
from app.api.middleware.rate_limit import REQUEST, cost_of, reading_cost
from app.api.queries import fields_of, parameters, valid
from app.api.renderable_tunes import verifier
from app.api.schemas.base import ModelId
from app.api.schemas.generation import GenerateRequest, GenerateResponse, GenerateStart
from app.api.schemas.originality import OriginalityRequest, TuneOriginality
from app.errors import LiltError
from app.generation.generation import Generation
from app.generation.jobs import MAX_SEED, InfillJob
from app.generation.model_registry import ModelId as ServedModelId
from app.generation.model_registry import Models, ServedModel
from app.generation.start_job import begin, max_characters
from app.rendering.input_filter import filter_tune
from app.rendering.renderer import Renderer
from app.settings import Settings

EVENTS = "text/event-stream"

_UNBUFFERED = {"Cache-Control": "no-cache", "X-Accel-Buffering": "no"}  # the second is nginx's

router = APIRouter()


@router.post(
    "/generate",
    tags=["tunes"],
    response_model=GenerateResponse,
    dependencies=[Depends(varies_by_accept), Depends(require_json)],
    responses={
        200: {"content": {media_type: {"schema": {"type": "string"}} for media_type in (ABC, EVENTS)}},
        **problems_of(400, 401, 403, 406, 408, 413, 415, 421, 422, 429, 500, 503, 504),
    },
)
async def generate(
    body: GenerateRequest, request: Request, loaded: Loaded, settings: SettingsDep, renders: Renders
) -> Response:
    """Continue a start string into tunes, or make chosen `bars` of a tune (`abc`) anew.

    `Accept: text/vnd.abc` answers with the ABC alone. `Accept: text/event-stream` sends the text while it is made:
    first a `start` event with `seed` and `model`, by which the tune can be made again even if it is left before its
    end, then `chunk` events `{"text": …}`, then one `done` with the whole JSON, or an `error` with a problem document.
    With `best_of`, `avoid_copies` or `bars` there is one `chunk`, once drawing has ended.
    """
    media_type = choose_media_type(request.headers.get("accept"), (JSON, ABC, EVENTS))
    return await _answered(await start(body, request, loaded, settings, renders), media_type, request)


@router.head("/generate", include_in_schema=False)
@router.get(
    "/generate",
    tags=["tunes"],
    response_model=GenerateResponse,
    dependencies=[Depends(varies_by_accept)],
    openapi_extra={"parameters": parameters(GenerateRequest)},
    responses={
        200: {"content": {media_type: {"schema": {"type": "string"}} for media_type in (ABC, EVENTS)}},
        304: {"description": "Not modified"},
        **problems_of(401, 403, 406, 408, 421, 422, 429, 500, 503, 504),
    },
)
async def generate_by_address(request: Request, loaded: Loaded, settings: SettingsDep, renders: Renders) -> Response:
    """The same with its fields in the query: `bars=7,8` is a list, `tunes=null` null. With a `seed` it can be kept."""
    media_type = choose_media_type(request.headers.get("accept"), (JSON, ABC, EVENTS))
    body = valid(GenerateRequest, fields_of(request.query_params))
    begun = await start(body, request, loaded, settings, renders)
    if request.method == "HEAD" and media_type == EVENTS:
        begun.generation.cancel()
        return Response(media_type=EVENTS, headers=_UNBUFFERED | stated(begun))
    response = await _answered(begun, media_type, request)
    if media_type != EVENTS:
        response.headers["Cache-Control"] = "no-store" if body.seed is None else "private, max-age=3600"
        response.headers["ETag"] = f'"{hashlib.sha256(response.body).hexdigest()[:32]}"'
        if is_not_modified(request.headers, response.headers["ETag"]):
            del response.headers["Content-Length"], response.headers["Content-Type"]
            return Response(status_code=HTTPStatus.NOT_MODIFIED, headers=response.headers)
    return response


@dataclass(frozen=True)
class Begun:
    """A generation under way, and what makes its text again."""

    generation: Generation
    seed: int
    model: ServedModelId


async def start(
    body: GenerateRequest, request: Request, loaded: Models, settings: Settings, renders: Renderer
) -> Begun:
    """Set units aside for what is asked for, and set it going.

    Raises:
        RequestValidationError: the service's limits or models do not allow it.
        LiltError: as `begin` does; RateError.
    """
    if body.length > settings.max_length:
        raise _invalid("length", f"{body.length} is more than the {settings.max_length} that are allowed")
    model = _model(loaded, body.model)
    job = body.job(seed=secrets.randbelow(MAX_SEED + 1))
    account, at_most = account_of(request.scope), cost_of(max_characters(job))
    account.reserve(at_most - REQUEST)
    try:
        account.charge(body.best_of * reading_cost(body.abc or body.start_string) - REQUEST)
        if isinstance(job, InfillJob):
            await renders.readings.run(partial(filter_tune, job.abc))
        deadline = asyncio.get_running_loop().time() + settings.generate_timeout_s
        verify = verifier(job, renders.readings, 60 * settings.max_render_minutes)
        generation = await begin(model, job, deadline, renders.readings, verify)
    except LiltError:
        account.settle(at_most - REQUEST, 0)
        raise
    generation.when_ended(lambda end: account.settle(at_most - REQUEST, cost_of(end.characters) - REQUEST))
    return Begun(generation, job.sampling.seed, model.id)


def stated(begun: Begun) -> dict[str, str]:
    """The headers by which a text can be made again."""
    return {"Lilt-Seed": str(begun.seed), "Lilt-Model": f"{begun.model.name}/{begun.model.version}"}


async def _answered(begun: Begun, media_type: str, request: Request) -> Response:
    if media_type == EVENTS:
        first = GenerateStart(seed=begun.seed, model=ModelId.of(begun.model))
        return EventStream(first, begun.generation, _UNBUFFERED | stated(begun))
    answer = GenerateResponse.of(await while_connected(request, begun.generation.answer()))
    content = answer.abc if media_type == ABC else answer.model_dump_json()
    return Response(content, media_type=media_type, headers=stated(begun))


def _model(loaded: Models, name: str | None) -> ServedModel:
    model = loaded.get(name)
    if model is None:
        names = ", ".join(served.id.name for served in loaded.all())
        raise _invalid("model", f"no such model is loaded; the loaded ones are {names}")
    return model


class EventStream(StreamingResponse):
    """A generation as events; it ends with the response, of which a client that left may not have read a byte."""

    def __init__(self, start: GenerateStart, generation: Generation, headers: Mapping[str, str]) -> None:
        super().__init__(_events(start, generation), media_type=EVENTS, headers=headers)
        self._generation = generation

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            await super().__call__(scope, receive, send)
        finally:
            self._generation.cancel()


async def _events(start: GenerateStart, generation: Generation) -> AsyncIterator[bytes]:
    try:
        yield format_sse_event(event="start", data_str=start.model_dump_json())
        async with aclosing(generation.chunks()) as chunks:
            async for text in chunks:
                data = json.dumps({"text": text})
                yield format_sse_event(event="chunk", data_str=data) if text else KEEPALIVE_COMMENT
        answer = GenerateResponse.of(await generation.answer())
        yield format_sse_event(event="done", data_str=answer.model_dump_json())
    except LiltError as error:
        yield format_sse_event(event="error", data_str=json.dumps(problem_details.describe(error)))


def _invalid(field: str, message: str) -> RequestValidationError:
    """A validation error that the schema cannot find, as it depends on this service's limits and models."""
    return RequestValidationError([{"type": "value_error", "loc": ("body", field), "msg": message}])


async def originality_request(request: Request) -> OriginalityRequest:
    """The body of such a request: JSON, or bare ABC with the model in the query."""
    return await abc_request(OriginalityRequest, request, request.query_params)


@router.post(
    "/originality",
    tags=["tunes"],
    openapi_extra={"requestBody": body_of(OriginalityRequest, "A tune; `model` goes into the query.")},
    response_model=TuneOriginality | None,
    responses=problems_of(400, 401, 403, 408, 413, 415, 421, 422, 429, 503),
)
async def originality(
    body: Annotated[OriginalityRequest, Depends(originality_request)],
    request: Request,
    loaded: Loaded,
    renders: Renders,
) -> TuneOriginality | None:
    """The training tune that a tune is nearest to, and whether it copies it.

    Null where the tune has fewer than four bars, or the model has no index of what it was trained on.
    """
    model = _model(loaded, body.model)
    account_of(request.scope).charge(reading_cost(body.abc) - REQUEST)
    judging = renders.readings.run(lambda: model.originality(filter_tune(body.abc)))
    found = await while_connected(request, judging)
    return TuneOriginality.of(found) if found else None
