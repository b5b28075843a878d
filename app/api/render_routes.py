"""The endpoints that render ABC as sound, MIDI or a score, and that check it: `/render` and `/check`."""

import asyncio
from collections.abc import AsyncIterator
from http import HTTPStatus
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Request, Response
from fastapi.responses import StreamingResponse
from starlette.types import Receive, Scope, Send

from app.api import problem_details
from app.api.abc_bodies import abc_request, body_of
from app.api.client_disconnect import while_connected
from app.api.conditional_requests import ByteRange, is_not_modified, wanted_range
from app.api.content_negotiation import choose_media_type
from app.api.dependencies import ABC, JSON, Renders, SettingsDep, problems_of
from app.api.middleware.admission import account_of
from app.api.middleware.rate_limit import RENDER, REQUEST, cost_of, reading_cost
from app.api.middleware.vary import decided_by
from app.api.queries import parameters, valid
from app.api.schemas.notation import CheckRequest, CheckResponse, ChordAt, ChordsRequest, ChordsResponse
from app.api.schemas.rendering import RenderRequest
from app.errors import RangeError
from app.rendering import lint as checking
from app.rendering.formats import Format, disposition
from app.rendering.render_job import Job
from app.rendering.renderer import Renderer
from app.rendering.shared_file import Rendering, Withdrawn

router = APIRouter(tags=["rendering"])


_RENDER_BODY = body_of(RenderRequest, "A tune or a set; the other fields go into the query.")
_PARAMETERS = parameters(RenderRequest, needed=("abc",))
_RESPONSES: dict[int | str, dict[str, Any]] = {
    200: {"content": {format_.media_type: {"schema": {"type": "string", "format": "binary"}} for format_ in Format}},
    **problems_of(401, 403, 406, 408, 413, 415, 421, 422, 429, 503, 504, 507),
}
_RESPONSES_BY_ADDRESS: dict[int | str, dict[str, Any]] = {
    **_RESPONSES,
    206: {"description": "The bytes that `Range` asked for"},
    304: {"description": "Not modified"},
    **problems_of(416),
}
KEPT = {"X-Content-Type-Options": "nosniff", "Cache-Control": "private, max-age=3600"}
"""headers of what its address tells"""

_HEADERS = {
    # Whoever opens an SVG by itself gets a picture: nothing in it may run or load.
    "Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'; font-src data:; sandbox",
    **KEPT,
}
_RANGES = {"Accept-Ranges": "bytes"}
_MAX_NAMED = 10


async def render_request(request: Request) -> RenderRequest:
    """The body of a render request: JSON, or bare ABC with the other fields in the query."""
    return await abc_request(RenderRequest, request, request.query_params)


async def render_query(request: Request) -> RenderRequest:
    """A render request whose every field is in the query."""
    if "format" not in request.query_params:
        decided_by(request.scope, "Accept")
    return valid(RenderRequest, dict(request.query_params))


async def chords_request(request: Request) -> ChordsRequest:
    """The body of a request for chords: JSON, or bare ABC."""
    return await abc_request(ChordsRequest, request)


async def check_request(request: Request) -> CheckRequest:
    """The body of a check request: JSON, or bare ABC."""
    return await abc_request(CheckRequest, request)


@router.post(
    "/render",
    response_class=Response,
    openapi_extra={"requestBody": _RENDER_BODY},
    responses=_RESPONSES,
)
async def render(
    body: Annotated[RenderRequest, Depends(render_request)], request: Request, renders: Renders
) -> Response:
    """Make a tune into sound, MIDI or a score; by `format`, or else by `Accept`."""
    return await rendered(body, request, renders)


@router.get(
    "/render",
    response_class=Response,
    openapi_extra={"parameters": _PARAMETERS},
    responses=_RESPONSES_BY_ADDRESS,
)
async def render_by_address(
    body: Annotated[RenderRequest, Depends(render_query)], request: Request, renders: Renders
) -> Response:
    """The same by an address, as a player's source: browsers then seek with `Range` and keep what they have."""
    return await rendered(body, request, renders)


@router.head("/render", include_in_schema=False)
async def render_head(
    body: Annotated[RenderRequest, Depends(render_query)], request: Request, renders: Renders
) -> Response:
    """The headers of GET, without rendering."""
    return await rendered_head(body, request, renders)


async def rendered_head(body: RenderRequest, request: Request, renders: Renderer) -> Response:
    """The headers that `rendered` would have, `Content-Length` only where the file is cached; nothing is made."""
    account_of(request.scope).charge(reading_cost(body.abc) - REQUEST)
    job = await renders.job(body.abc, _format(body, request), body.options())
    headers = _headers(job) | _RANGES
    if is_not_modified(request.headers, headers["ETag"]):
        return Response(status_code=HTTPStatus.NOT_MODIFIED, headers=headers)
    response = Response(media_type=job.format.media_type, headers=headers)
    del response.headers["Content-Length"]
    if renders.is_kept(job):
        rendering = await renders.render(job)
        response.headers["Content-Length"] = str(rendering.size)
        rendering.leave()
    return response


async def rendered(body: RenderRequest, request: Request, renders: Renderer) -> Response:
    """A file, whole or in part, with the headers to keep it by."""
    wanted_format = _format(body, request)
    account_of(request.scope).charge(reading_cost(body.abc) - REQUEST)
    job = await while_connected(request, renders.job(body.abc, wanted_format, body.options()))
    headers = _headers(job)
    wanted = None
    if request.method == "GET":  # neither ranges nor If-None-Match mean anything of what is posted
        headers |= _RANGES
        if is_not_modified(request.headers, headers["ETag"]):
            return Response(status_code=HTTPStatus.NOT_MODIFIED, headers=headers)
        wanted = wanted_range(request.headers, headers["ETag"])
    if not renders.is_kept(job):
        account_of(request.scope).charge(RENDER - REQUEST)
    if wanted and wanted.is_all and job.format.grows and job.format is not Format.WAV and not renders.is_kept(job):
        wanted = None  # how players ask for what they could play as it comes; its length is not known yet
    whole = wanted is not None and job.format is not Format.WAV  # whose length is known, so ranges of it too
    rendering = await while_connected(request, renders.render(job, whole=whole))
    try:
        return _answer(rendering, job, headers, wanted)
    except BaseException:
        rendering.leave()
        raise


def _format(body: RenderRequest, request: Request) -> Format:
    if body.format is not None:
        return Format(body.format)
    decided_by(request.scope, "Accept")
    accepted = choose_media_type(request.headers.get("accept"), tuple(f.media_type for f in Format))
    return next(f for f in Format if f.media_type == accepted)


def _headers(job: Job) -> dict[str, str]:
    name = job.name.partition(".")[0]
    # libvorbis numbers each stream by chance: two renders of one tune differ in that alone.
    etag = f'W/"{name}"' if job.format is Format.OGG else f'"{name}"'
    headers = {**_HEADERS, "ETag": etag, "Content-Disposition": disposition(job.title, job.format.extension)}
    if job.left_out:
        headers["Lilt-Left-Out"] = "; ".join(job.left_out[:_MAX_NAMED]).encode("ascii", "replace").decode()
    return headers


def _answer(rendering: Rendering, job: Job, headers: dict[str, str], wanted: ByteRange | None) -> Response:
    """The whole file, or the one range that is wanted of it."""
    start, stop, status = 0, rendering.size, HTTPStatus.OK
    if wanted and stop is not None:  # whoever wants a range waited until its size was known
        size, found = stop, wanted.within(stop)
        if found is None:
            rendering.leave()
            return _without_range(size)
        start, stop = found
        headers["Content-Range"] = f"bytes {start}-{stop - 1}/{size}"
        status = HTTPStatus.PARTIAL_CONTENT
    if stop is not None:
        headers["Content-Length"] = str(stop - start)
    return _FileResponse(rendering, start, stop, status, job.format.media_type, headers)


def _without_range(size: int) -> Response:
    response = problem_details.answer(RangeError(f"Range lies outside the file, which has {size:,} bytes"))
    response.headers["Content-Range"] = f"bytes */{size}"
    return response


class _FileResponse(StreamingResponse):
    """Streams a rendering, and releases it however the response ends."""

    def __init__(
        self, rendering: Rendering, start: int, stop: int | None, status: int, media_type: str, headers: dict[str, str]
    ) -> None:
        super().__init__(self._chunks(rendering, start, stop), status, headers, media_type)
        self._rendering = rendering

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            await super().__call__(scope, receive, send)
        except Withdrawn:
            return  # without a last piece, by which it would pass for whole: uvicorn closes the connection
        finally:
            self._rendering.leave()

    @staticmethod
    async def _chunks(rendering: Rendering, start: int, stop: int | None) -> AsyncIterator[bytes]:
        async for chunk in rendering.read(start, stop):
            yield chunk
            await asyncio.sleep(0)  # others have their turn, and a client that has left is noticed


@router.post(
    "/chords",
    openapi_extra={"requestBody": body_of(ChordsRequest, "A tune.")},
    response_model=ChordsResponse,
    responses={
        200: {"content": {ABC: {"schema": {"type": "string"}}}},
        **problems_of(401, 403, 406, 408, 413, 415, 421, 422, 429, 503),
    },
)
async def chords(
    body: Annotated[ChordsRequest, Depends(chords_request)], request: Request, renders: Renders
) -> Response:
    """Find chords that suit a tune; what it has of its own stays. As JSON, or as the ABC alone by `Accept`."""
    accepted = choose_media_type(request.headers.get("accept"), (JSON, ABC))
    account_of(request.scope).charge(reading_cost(body.abc) - REQUEST)
    found = await while_connected(request, renders.chords(body.abc))
    if accepted == ABC:
        return Response(found.abc, media_type=ABC)
    answer = ChordsResponse(abc=found.abc, chords=[ChordAt(**vars(chord)) for chord in found.chords])
    return Response(answer.model_dump_json(), media_type=JSON)


@router.post(
    "/check",
    openapi_extra={"requestBody": body_of(CheckRequest, "A tune.")},
    responses=problems_of(401, 403, 408, 413, 415, 421, 422, 429, 503, 504, 507),
)
async def check(
    body: Annotated[CheckRequest, Depends(check_request)], request: Request, settings: SettingsDep, renders: Renders
) -> CheckResponse:
    """What is wrong with a text, by line and column, and the text mended where that is mechanical."""
    account_of(request.scope).charge(cost_of(len(body.abc)) - REQUEST)
    found = await while_connected(request, checking.check(body.abc, renders, 60 * settings.max_render_minutes))
    return CheckResponse.of(found)
