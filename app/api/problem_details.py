"""Turns every error into an RFC 9457 problem document, without a stack trace or an echo of the request."""

import difflib
import json
import logging
from dataclasses import asdict, dataclass
from http import HTTPStatus
from typing import Any

from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from pydantic import BaseModel
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect

from app.api import validation_messages
from app.api.pages import missing_page
from app.api.schemas.base import FieldError
from app.api.schemas.generation import GenerateRequest
from app.api.schemas.rendering import RenderRequest
from app.errors import (
    DISK_FULL,
    BusyError,
    CharacterError,
    CredentialError,
    CrossSiteError,
    DeadlineError,
    DecoderError,
    Fault,
    HostError,
    LiltError,
    MediaTypeError,
    NotAcceptableError,
    NotationError,
    RangeError,
    RateError,
    RenderError,
    RequestError,
    StorageError,
    VocabularyError,
)
from app.operations.logs import REQUEST_ID

logger = logging.getLogger(__name__)

JSON = "application/json"
PROBLEM_JSON = "application/problem+json"

_BODIES: tuple[tuple[str, type[BaseModel]], ...] = (
    ("/generate", GenerateRequest),
    ("/render", RenderRequest),
    ("/tune.", GenerateRequest),
    ("/tune.", RenderRequest),
)
"""whose fields a path takes: what a mistyped one may have meant"""
_MAX_FIELD_CHARACTERS = 100
_RETRY_AFTER_S = 10
_NO_THREAD = "can't start new thread"  # Python raises a bare RuntimeError with this text
_CHALLENGE = 'Bearer realm="Lilt", Basic realm="Lilt", charset="UTF-8"'  # with Basic, browsers prompt for the key
CLIENT_CLOSED_REQUEST = 499  # nginx's status for the log; no client receives it


@dataclass(frozen=True)
class ProblemType:
    """How an error is reported; `kind` ends the document's `type` URN. Kind and status are stable, for programs."""

    status: HTTPStatus
    kind: str
    title: str


PROBLEM_TYPES: dict[type[LiltError], ProblemType] = {
    CharacterError: ProblemType(HTTPStatus.UNPROCESSABLE_ENTITY, "unknown-character", "Unknown character"),
    NotationError: ProblemType(HTTPStatus.UNPROCESSABLE_ENTITY, "notation", "Invalid ABC notation"),
    RequestError: ProblemType(HTTPStatus.UNPROCESSABLE_ENTITY, "request", "Request cannot be met"),
    RenderError: ProblemType(HTTPStatus.UNPROCESSABLE_ENTITY, "render", "Rendering failed"),
    CredentialError: ProblemType(HTTPStatus.UNAUTHORIZED, "key", "API key required"),
    CrossSiteError: ProblemType(HTTPStatus.FORBIDDEN, "cross-site", "Cross-site request refused"),
    HostError: ProblemType(HTTPStatus.MISDIRECTED_REQUEST, "host", "Host not allowed"),
    RateError: ProblemType(HTTPStatus.TOO_MANY_REQUESTS, "rate", "Rate limit exceeded"),
    RangeError: ProblemType(HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE, "range", "Range not satisfiable"),
    NotAcceptableError: ProblemType(HTTPStatus.NOT_ACCEPTABLE, "not-acceptable", "No acceptable media type"),
    MediaTypeError: ProblemType(HTTPStatus.UNSUPPORTED_MEDIA_TYPE, "media-type", "Unsupported media type"),
    BusyError: ProblemType(HTTPStatus.SERVICE_UNAVAILABLE, "busy", "Service busy"),
    StorageError: ProblemType(HTTPStatus.INSUFFICIENT_STORAGE, "storage", "Disk full"),
    DeadlineError: ProblemType(HTTPStatus.GATEWAY_TIMEOUT, "deadline", "Time limit exceeded"),
    DecoderError: ProblemType(HTTPStatus.INTERNAL_SERVER_ERROR, "decoder", "Decoder failed"),
    VocabularyError: ProblemType(HTTPStatus.INTERNAL_SERVER_ERROR, "vocabulary", "Incomplete vocabulary"),
}


def type_of(error: LiltError) -> ProblemType:
    """How an error is reported."""
    return PROBLEM_TYPES[type(error)]


def describe(error: LiltError) -> dict[str, Any]:
    """One of our own errors as the members of a problem document."""
    found = type_of(error)
    return _document(found.status, found.title, error.detail, kind=found.kind, faults=error.faults)


def _document(
    status: int, title: str, detail: str, *, kind: str | None = None, faults: tuple[Fault, ...] = ()
) -> dict[str, Any]:
    """`kind` names the type of problem, where it is one of ours."""
    document: dict[str, Any] = {
        "type": f"urn:lilt:problem:{kind}" if kind else "about:blank",
        "title": title,
        "status": status,
        "detail": detail,
    }
    if id_ := REQUEST_ID.get():
        document["request_id"] = id_
    return document | ({"errors": [_fault_as_json(fault) for fault in faults]} if faults else {})


def _fault_as_json(fault: Fault) -> dict[str, str | int]:
    return {key: value for key, value in asdict(fault).items() if value is not None}


def _response(document: dict[str, Any]) -> Response:
    return Response(json.dumps(document), document["status"], media_type=PROBLEM_JSON)


def of_http(status: HTTPStatus, detail: str) -> bytes:
    """The problem document for what is no HTTP request, or not in time."""
    return json.dumps(_document(status, status.phrase, detail)).encode()


def install(app: FastAPI) -> None:
    """Register the exception handlers of an application."""
    app.exception_handler(LiltError)(_own_error)
    app.exception_handler(OSError)(_system_error)
    app.exception_handler(MemoryError)(_no_memory)
    app.exception_handler(RuntimeError)(_no_thread)
    app.exception_handler(RequestValidationError)(_invalid_request)
    app.exception_handler(HTTPException)(_http_error)
    app.exception_handler(ClientDisconnect)(_gone)


def answer(error: LiltError) -> Response:
    """The response for one of our own errors."""
    response = _response(describe(error))
    if error.retry_after_s is not None:
        response.headers["Retry-After"] = str(error.retry_after_s)
    if type_of(error).status == HTTPStatus.UNAUTHORIZED:
        response.headers["WWW-Authenticate"] = _CHALLENGE
    return response


async def _own_error(_: Request, error: LiltError) -> Response:
    return answer(error)


async def _system_error(_: Request, error: OSError) -> Response:
    if error.errno not in DISK_FULL:
        raise error
    logger.error("the disk is full")
    return answer(StorageError("the disk is full; try again later", retry_after_s=_RETRY_AFTER_S))


async def _no_memory(_: Request, __: MemoryError) -> Response:
    logger.error("out of memory")
    return answer(BusyError("the service is out of memory; try again", retry_after_s=_RETRY_AFTER_S))


async def _no_thread(_: Request, error: RuntimeError) -> Response:
    if str(error) != _NO_THREAD:
        raise error
    logger.error("cannot start a thread: the limit on processes is reached")
    return answer(
        BusyError("the service has reached its limit on threads and processes; try again", retry_after_s=_RETRY_AFTER_S)
    )


async def _invalid_request(request: Request, error: RequestValidationError) -> Response:
    known = _fields_of(request.url.path)
    faults = tuple(_as_fault(entry, known) for entry in error.errors()[:20])
    detail = "; ".join(f"{f.field}: {f.message}" if f.field else f.message for f in faults[:3])
    return _response(
        _document(HTTPStatus.UNPROCESSABLE_ENTITY, "Invalid request", detail, kind="invalid-request", faults=faults)
    )


def _fields_of(path: str) -> list[str]:
    bodies = [body for start, body in _BODIES if path.startswith(start)]
    return [name for body in bodies for name in body.model_fields]


def _as_fault(entry: dict[str, Any], known: list[str]) -> Fault:
    place = entry["loc"][1:] if entry["loc"][:1] in (("body",), ("query",), ("path",)) else entry["loc"]
    if entry["type"] == "json_invalid":
        return Fault(f"the body is not JSON: {entry.get('ctx', {}).get('error', 'it cannot be read')}")
    field = ".".join(str(part) for part in place)[:_MAX_FIELD_CHARACTERS]
    error = entry.get("ctx", {}).get("error")
    if isinstance(error, FieldError):
        return Fault(error.message, field=error.field)
    message = str(error) if error else validation_messages.in_words(entry)
    if entry["type"] == "extra_forbidden" and (near := difflib.get_close_matches(field, known, n=1)):
        message += f"; did you mean {near[0]}?"
    return Fault(message, field=field or None)


async def _http_error(request: Request, error: HTTPException) -> Response:
    if error.status_code == HTTPStatus.NOT_FOUND and (page := missing_page(request)):
        return page
    phrase = HTTPStatus(error.status_code).phrase
    response = _response(_document(error.status_code, phrase, str(error.detail)))
    response.headers.update(error.headers or {})
    if error.status_code == HTTPStatus.METHOD_NOT_ALLOWED:
        response.headers["Allow"] = _allowed(request, response.headers["Allow"])
    return response


def _allowed(request: Request, raised: str) -> str:
    """All methods of a path: the exception names those of one route only, and OpenAPI lists no HEAD."""
    operations: dict[str, Any] = request.app.openapi()["paths"].get(request.scope["path"], {})
    methods = {method.upper() for method in operations} | {method.strip() for method in raised.split(",")}
    return ", ".join(sorted(methods | ({"HEAD"} if "GET" in methods else set())))


async def _gone(_: Request, __: ClientDisconnect) -> Response:
    return Response(status_code=CLIENT_CLOSED_REQUEST)


def internal_error() -> Response:
    """The response after an unhandled exception."""
    status = HTTPStatus.INTERNAL_SERVER_ERROR
    return _response(
        _document(status, status.phrase, "an unhandled exception; the service's log has it under this request_id")
    )
