"""`POST /import`: what other programs save, as ABC."""

from typing import Annotated

from fastapi import APIRouter, Depends, Query, Request, Response

from app.api.client_disconnect import while_connected
from app.api.content_negotiation import choose_media_type
from app.api.dependencies import ABC, JSON, Renders, SettingsDep, problems_of, varies_by_accept
from app.api.middleware.admission import account_of
from app.api.middleware.rate_limit import REQUEST, cost_of_file
from app.api.schemas.base import Problem
from app.api.schemas.notation import ImportResponse
from app.interchange import abc_from_file
from app.rendering.input_filter import admit

MUSICXML, PACKED_MUSICXML = "application/vnd.recordare.musicxml+xml", "application/vnd.recordare.musicxml"
_BINARY = {"schema": {"type": "string", "format": "binary"}}
_BODY = {"required": True, "content": dict.fromkeys((MUSICXML, PACKED_MUSICXML, "audio/midi"), _BINARY)}

router = APIRouter(tags=["tunes"])


@router.post(
    "/import",
    name="import_file",
    dependencies=[Depends(varies_by_accept)],
    openapi_extra={"requestBody": _BODY},
    response_model=ImportResponse,
    responses={
        200: {"content": {ABC: {"schema": {"type": "string"}}}},
        **problems_of(401, 403, 406, 408, 413, 415, 421, 422, 429, 503),
    },
)
async def import_file(
    request: Request,
    settings: SettingsDep,
    renders: Renders,
    name: Annotated[
        str,
        Query(
            max_length=200,
            description="The file's name: the title, without its ending, where the file has none.",
            examples=["The Morning Dew.mid"],
        ),
    ] = "",
) -> Response:
    """Make ABC of MusicXML (`.musicxml`, `.mxl`) or MIDI (`.mid`): one tune, which `/render` takes.

    What the file is is told by its first bytes, whatever `Content-Type` says. `Accept: text/vnd.abc` answers with the
    ABC alone.
    """
    accepted = choose_media_type(request.headers.get("accept"), (JSON, ABC))
    content = await request.body()
    account_of(request.scope).charge(cost_of_file(len(content)) - REQUEST)

    def read() -> ImportResponse:
        found = abc_from_file.to_abc(content, name)
        tune = admit(found.abc, max_duration_s=60 * settings.max_render_minutes)
        return ImportResponse(
            abc=found.abc,
            title=found.title,
            kind=found.kind.value,
            left_out=[*found.left_out, *(fault.message for fault in tune.dropped)],
            problems=[Problem.of(fault) for fault in tune.faults],
        )

    answer = await while_connected(request, renders.readings.run(read))
    if accepted == ABC:
        return Response(answer.abc, media_type=ABC)
    return Response(answer.model_dump_json(), media_type=JSON)
