"""The OpenAPI document, completed with what FastAPI does not say: keys, problem documents, named bodies, headers."""

from collections.abc import Iterator
from http import HTTPStatus
from typing import Any

from pydantic import BaseModel

from app.api.field_descriptions import told_of
from app.api.middleware.cross_origin import PROBES
from app.api.schemas.notation import CheckRequest, ChordsRequest
from app.api.schemas.originality import OriginalityRequest
from app.api.schemas.rendering import RenderRequest

JSON = "application/json"
PROBLEM_JSON = "application/problem+json"
SCHEMAS = "#/components/schemas/{model}"

TAGS = [
    {"name": "tunes", "description": "Make tunes, change them, and hold them against known ones."},
    {"name": "rendering", "description": "Sound, MIDI and scores of a tune; what is wrong with one; chords for one."},
    {"name": "service", "description": "What is served, and how it is."},
]
_NAMED: tuple[type[BaseModel], ...] = (RenderRequest, CheckRequest, ChordsRequest, OriginalityRequest)
"""request bodies that are read by hand, as they may be bare ABC"""
_KEYS = {
    "bearer": {"type": "http", "scheme": "bearer", "description": "An API key, where the service asks for one."},
    "basic": {"type": "http", "scheme": "basic", "description": "The same as the password, with any user name."},
}
_TEXT, _NUMBER = {"type": "string"}, {"type": "integer"}
_EVERY = {"X-Request-ID": {"description": "What the service's log calls this request.", "schema": _TEXT}}
_OF_TUNES = {
    "Lilt-Seed": {"description": "Makes the same tune again.", "schema": _NUMBER},
    "Lilt-Model": {"description": "Name and version of the model that made it.", "schema": _TEXT},
}
_OF_FILES = {
    "ETag": {"description": "Changes with the file; for `If-None-Match` and `If-Range`.", "schema": _TEXT},
    "Content-Disposition": {"description": "A file name made of the title.", "schema": _TEXT},
    "Lilt-Left-Out": {"description": "What of the tune was left out, by line.", "schema": _TEXT},
}
_LATER = {"Retry-After": {"description": "Seconds until it is worth trying again.", "schema": _NUMBER}}
_LIMITS = {
    "RateLimit-Policy": {"description": "The caller's limits, where there are any.", "schema": _TEXT},
    "RateLimit": {"description": "What is left of them.", "schema": _TEXT},
}
_BUSY = frozenset({"429", "503", "507"})
_EXAMPLES = {
    **{
        status: {"type": f"urn:lilt:problem:{kind}", "title": title, "status": int(status), "detail": detail}
        for status, kind, title, detail in (
            ("401", "key", "API key required", "send a key that is known here, as `Authorization: Bearer KEY`"),
            ("403", "cross-site", "Cross-site request refused", "origin not allowed; add it to LILT_CORS_ORIGINS"),
            (
                "406",
                "not-acceptable",
                "No acceptable media type",
                "no acceptable media type; these are offered: application/json, text/vnd.abc",
            ),
            ("415", "media-type", "Unsupported media type", "send the request as application/json"),
            ("416", "range", "Range not satisfiable", "Range lies outside the file, which has 4,711 bytes"),
            ("421", "host", "Host not allowed", "Host not allowed; add it to LILT_HOSTS"),
            ("504", "deadline", "Time limit exceeded", "1000 characters were not made in time"),
            ("507", "storage", "Disk full", "the disk is full; try again later"),
        )
    },
    **{
        status: {"type": "about:blank", "title": title, "status": int(status), "detail": detail}
        for status, title, detail in (
            ("400", "Bad Request", "There was an error parsing the body"),
            ("408", "Request Timeout", "the body did not arrive within 20 seconds"),
            ("413", "Request Entity Too Large", "the body is larger than 262,144 bytes"),
            (
                "500",
                "Internal Server Error",
                "an unhandled exception; the service's log has it under this request_id",
            ),
        )
    },
    "422": {
        "type": "urn:lilt:problem:request",
        "title": "Request cannot be met",
        "status": 422,
        "detail": "a slip jig is in 9/8, not in C|",
        "errors": [{"message": "a slip jig is in 9/8, not in C|", "field": "meter"}],
    },
    "429": {
        "type": "urn:lilt:problem:rate",
        "title": "Rate limit exceeded",
        "status": 429,
        "detail": "this costs 3 units; 1 are left of 60 a minute",
    },
    "503": {
        "type": "urn:lilt:problem:busy",
        "title": "Service busy",
        "status": 503,
        "detail": "64 texts are waiting already",
    },
}


def complete(schema: dict[str, Any]) -> dict[str, Any]:
    """The document of FastAPI with all of that; idempotent."""
    schema.setdefault("tags", TAGS)
    components = schema.setdefault("components", {})
    components["securitySchemes"] = _KEYS
    for body in _NAMED:
        components["schemas"].setdefault(body.__name__, body.model_json_schema(ref_template=SCHEMAS))
    for name, model in components["schemas"].items():
        for field, about in model.get("properties", {}).items():
            _describe_field(name, field, about)
    for path, operation in _operations(schema):
        if path not in PROBES:
            operation["security"] = [{}, {"bearer": []}, {"basic": []}]  # which it needs, the one who runs it decides
        for status, response in operation["responses"].items():
            _describe(response, status)
            response.setdefault("headers", {}).update(_headers(path, status))
    return schema


def _operations(schema: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    for path, methods in schema["paths"].items():
        for operation in methods.values():
            yield path, operation


def _describe_field(model: str, field: str, about: dict[str, Any]) -> None:
    if told := told_of(model, field):
        description, example = told
        about.setdefault("description", description)
        if example is not None:
            about.setdefault("examples", [example])


def _describe(response: dict[str, Any], status: str) -> None:
    content = response.get("content", {})
    if int(status) >= HTTPStatus.BAD_REQUEST and JSON in content:
        content[PROBLEM_JSON] = content.pop(JSON)
    if status in _EXAMPLES and PROBLEM_JSON in content:
        content[PROBLEM_JSON]["example"] = _EXAMPLES[status]


def _headers(path: str, status: str) -> dict[str, Any]:
    is_tune, is_file = path.startswith(("/generate", "/tune")), path.startswith(("/render", "/tune"))
    found = dict(_EVERY)
    if is_tune or is_file:
        found |= _LIMITS
    if int(status) < HTTPStatus.BAD_REQUEST:
        found |= (_OF_TUNES if is_tune else {}) | (_OF_FILES if is_file else {})
    return found | (_LATER if status in _BUSY else {})
