"""`GET /tune.mp3` and every other ending: one address from a seed to ABC, sound, MIDI or a score."""

import hashlib
import secrets
from http import HTTPStatus
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Path, Request, Response
from fastapi.responses import RedirectResponse

from app.abc.tunebook import Tune
from app.api import queries
from app.api.client_disconnect import while_connected
from app.api.conditional_requests import is_not_modified
from app.api.dependencies import ABC, Loaded, Renders, SettingsDep, problems_of
from app.api.generate_routes import start, stated
from app.api.render_routes import KEPT, rendered, rendered_head
from app.api.schemas.generation import GenerateRequest
from app.api.schemas.rendering import RenderRequest
from app.errors import RequestError
from app.generation.jobs import MAX_SEED
from app.rendering.formats import Format, disposition

_ABC_ENDING = "abc"
_FORMATS = {format_.extension: format_ for format_ in Format}
_NOT_HERE = ("abc", "bars", "everywhere", "vary", "tunes", "format")
_MAKING = GenerateRequest.model_fields.keys() - _NOT_HERE
_PLAYING = RenderRequest.model_fields.keys() - _NOT_HERE

Ending = Literal["abc", "mp3", "ogg", "wav", "flac", "mid", "svg", "png", "pdf", "musicxml"]

router = APIRouter(tags=["tunes"])

_BINARY = {"schema": {"type": "string", "format": "binary"}}
_RESPONSES: dict[int | str, dict[str, Any]] = {
    200: {
        "description": "The tune",
        "content": {**{format_.media_type: _BINARY for format_ in Format}, ABC: {"schema": {"type": "string"}}},
    },
    206: {"description": "The bytes that `Range` asked for"},
    304: {"description": "Not modified"},
    307: {"description": "No `seed` was given: the same address with one that was drawn"},
    **problems_of(401, 403, 408, 416, 421, 422, 429, 500, 503, 504, 507),
}


@router.head("/tune.{ending}", include_in_schema=False)
@router.get(
    "/tune.{ending}",
    response_class=Response,
    responses=_RESPONSES,
    openapi_extra={
        "parameters": [
            *queries.parameters(GenerateRequest, _NOT_HERE),
            *queries.parameters(RenderRequest, _NOT_HERE),
        ]
    },
)
async def tune(
    ending: Annotated[Ending, Path(description="What the tune is made into.")],
    request: Request,
    loaded: Loaded,
    settings: SettingsDep,
    renders: Renders,
) -> Response:
    """A tune by its address, which has the fields of `/generate` and `/render` as its query.

    The same address is the same tune for as long as the model is, so it can be linked, played and kept. Without a
    `seed` it leads on to an address with one. An incomplete tune is refused: ask for a greater `length`.
    """
    queries.check_known(request.query_params, _MAKING | _PLAYING)
    fields = queries.fields_of(request.query_params) | {"abc": ""}
    asked = queries.valid(GenerateRequest, {name: fields[name] for name in fields if name in _MAKING})
    played = queries.valid(RenderRequest, {name: fields[name] for name in fields if name in {*_PLAYING, "abc"}})
    if asked.seed is None:
        address = request.url.include_query_params(seed=secrets.randbelow(MAX_SEED + 1))
        headers = {"Cache-Control": "no-store"}
        return RedirectResponse(f"tune.{ending}?{address.query}", HTTPStatus.TEMPORARY_REDIRECT, headers)
    begun = await start(asked, request, loaded, settings, renders)
    answer = await while_connected(request, begun.generation.answer())
    made = next((judged.tune for judged in answer.tunes[-1:] if judged.tune.complete), None)
    if made is None:
        raise RequestError(f"the tune did not end within {asked.length} characters; ask for a greater `length`")
    if ending == _ABC_ENDING and not played.transpose:
        response = _as_abc(made, request)
    else:
        body = played.model_copy(update={"abc": made.abc, "format": _FORMATS[ending].value})
        respond = rendered_head if request.method == "HEAD" else rendered
        response = await respond(body, request, renders)
    response.headers.update(stated(begun))
    return response


def _as_abc(made: Tune, request: Request) -> Response:
    name = hashlib.sha256(made.abc.encode()).hexdigest()[:32]
    headers = {**KEPT, "ETag": f'"{name}"', "Content-Disposition": disposition(made.title, _ABC_ENDING)}
    if is_not_modified(request.headers, headers["ETag"]):
        return Response(status_code=HTTPStatus.NOT_MODIFIED, headers=headers)
    return Response(made.abc, media_type=ABC, headers=headers)
