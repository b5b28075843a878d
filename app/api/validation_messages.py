"""pydantic's validation errors in our own words, for the service's problem documents and for commands."""

from collections.abc import Mapping
from typing import Any

_PYDANTICS_OWN = "Value error, "
_KINDS = {
    "int": "a whole number is allowed",
    "float": "a number is allowed",
    "finite": "a finite number is allowed",
    "bool": "true or false is allowed",
    "string": "a text is allowed",
    "list": "a list is allowed",
}
_SAYINGS = {
    "missing": "it is required",
    "extra_forbidden": "there is no such field",
    "literal_error": "{expected} is allowed",
    "enum": "{expected} is allowed",
    "greater_than": "more than {gt:g} is allowed",
    "greater_than_equal": "{ge:g} or more is allowed",
    "less_than": "less than {lt:g} is allowed",
    "less_than_equal": "{le:g} or less is allowed",
    "string_too_long": "at most {max_length} characters are allowed",
}


def in_words(fault: Mapping[str, Any]) -> str:
    """What one entry of `ValidationError.errors()` says; pydantic's own message where we have no better one."""
    kind: str = fault["type"]
    if kind in _SAYINGS:
        return _SAYINGS[kind].format(**fault.get("ctx", {}))
    if kind == "int_from_float":
        return _KINDS["int"]
    stem, _, rest = kind.partition("_")
    if rest in ("type", "parsing", "number") and stem in _KINDS:
        return _KINDS[stem]
    return str(fault["msg"]).removeprefix(_PYDANTICS_OWN)
