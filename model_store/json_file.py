"""Reads a checkpoint's JSON files, which are objects that say their format."""

import json
from collections.abc import Callable
from typing import Any, TypeVar

from model_store.errors import InvalidCheckpointError, NewerFormatError

T = TypeVar("T")


def parse_json(content: bytes, label: str, what: str, newest: int, read: Callable[[dict[str, Any]], T]) -> T:
    """What `read` makes of a file's object.

    Args:
        label: the file's name, for errors.
        what: it should be, for errors.
        newest: the latest format that can be read.
        read: raises ValueError, KeyError, TypeError or AttributeError where the object is not that.

    Raises:
        NewerFormatError: it is in a later format.
        InvalidCheckpointError: it is not such a file.
    """
    try:
        raw: Any = json.loads(content)
        if not isinstance(raw, dict) or not isinstance(raw.get("format"), int):
            raise InvalidCheckpointError(f"{label}: not {what} (no format)")
        if raw["format"] > newest:
            raise NewerFormatError(f"{label}: format {raw['format']} is newer than this Lilt reads (up to {newest})")
        return read(raw)
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise InvalidCheckpointError(f"{label}: not {what} ({type(error).__name__}: {error})") from None
