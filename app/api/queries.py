"""Requests whose fields stand in the query of an address: read, and described for OpenAPI."""

from collections.abc import Collection, Mapping
from typing import Any, TypeVar

from fastapi.exceptions import RequestValidationError
from pydantic import BaseModel, ValidationError
from starlette.datastructures import QueryParams

Body = TypeVar("Body", bound=BaseModel)

_NULL = "null"
"""how a query says that a field is none, where that is not its default"""


def valid(model: type[Body], content: bytes | Mapping[str, object]) -> Body:
    """A request from JSON, or from fields that are text.

    Raises:
        RequestValidationError: a field is unknown or has no such value.
    """
    try:
        if isinstance(content, bytes):
            return model.model_validate_json(content)
        return model.model_validate(content, strict=False)
    except ValidationError as error:
        raise RequestValidationError(error.errors(include_url=False, include_input=False)) from None


def fields_of(query: QueryParams) -> dict[str, object]:
    """Names and values; a list is written `bars=7,8` or `bars=7&bars=8`, and no number of tunes `tunes=null`."""
    fields: dict[str, object] = dict(query)
    if "bars" in fields:
        fields["bars"] = ",".join(query.getlist("bars")).split(",")
    if fields.get("tunes") == _NULL:
        fields["tunes"] = None
    return fields


def check_known(query: QueryParams, known: Collection[str]) -> None:
    """Raises RequestValidationError: the query has a field that this address does not take."""
    unknown = [name for name in query if name not in known]
    if unknown:
        faults = [{"type": "extra_forbidden", "loc": ("query", name), "msg": ""} for name in unknown]
        raise RequestValidationError(faults)


def parameters(model: type[BaseModel], leave_out: Collection[str] = (), needed: Collection[str] = ()) -> list[Any]:
    """The fields of a request as OpenAPI's parameters of a query."""
    return [
        _parameter(name, schema, is_needed=name in needed)
        for name, schema in model.model_json_schema()["properties"].items()
        if name not in leave_out
    ]


def _parameter(name: str, schema: dict[str, Any], *, is_needed: bool) -> dict[str, Any]:
    told = {key: value for key, value in schema.items() if key not in ("description", "title", "examples")}
    parameter = {"name": name, "in": "query", "required": is_needed, "schema": told}
    if "description" in schema:
        parameter["description"] = schema["description"]
    if "examples" in schema:
        parameter["example"] = schema["examples"][0]
    if any(kind.get("type") == "array" for kind in (schema, *schema.get("anyOf", ()))):
        parameter |= {"style": "form", "explode": False}
    return parameter
