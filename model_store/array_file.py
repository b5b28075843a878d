"""Reads a checkpoint's files of arrays, which are safetensors that say their format."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from safetensors import SafetensorError, safe_open

from model_store.errors import InvalidCheckpointError, NewerFormatError


def read_arrays(file: Path, label: str, what: str, format_: int, types: Mapping[str, type]) -> dict[str, Any]:
    """A file's arrays by name, each of one dimension.

    Args:
        label: the file's name, for errors.
        what: it should be, for errors.
        format_: in which it has to be.
        types: of all its arrays.

    Raises:
        NewerFormatError: it was written in a later format.
        InvalidCheckpointError: it is not that, not safetensors, or cannot be read.
    """
    try:
        with safe_open(file, framework="numpy") as opened:
            found = (opened.metadata() or {}).get("format", "")
            if found.isdecimal() and int(found) > format_:
                raise NewerFormatError(f"{label}: format {found} is newer than this Lilt reads (up to {format_})")
            arrays = {name: opened.get_tensor(name) for name in opened.keys()}  # noqa: SIM118
    except (OSError, SafetensorError) as error:
        raise InvalidCheckpointError(f"{label}: unreadable ({error})") from None
    has_types = {name: array.dtype for name, array in arrays.items()} == types
    if found != str(format_) or not has_types or any(array.ndim != 1 for array in arrays.values()):
        raise InvalidCheckpointError(f"{label}: not {what}")
    return arrays
