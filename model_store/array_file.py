"""Reads a checkpoint's files of arrays, which are safetensors that say their format."""

from pathlib import Path
from typing import Any

from safetensors import SafetensorError, safe_open

from model_store.errors import InvalidCheckpointError, NewerFormatError


def read_arrays(file: Path, label: str, newest: int) -> tuple[str, dict[str, Any]]:
    """What a file says its format is, and its arrays by name.

    Args:
        label: the file's name, for errors.
        newest: the latest format that can be read.

    Raises:
        NewerFormatError: it was written in a later format.
        InvalidCheckpointError: it is not safetensors, or cannot be read.
    """
    try:
        with safe_open(file, framework="numpy") as opened:
            format_ = (opened.metadata() or {}).get("format", "")
            if format_.isdecimal() and int(format_) > newest:
                raise NewerFormatError(f"{label}: format {format_} is newer than this Lilt reads (up to {newest})")
            return format_, {name: opened.get_tensor(name) for name in opened.keys()}  # noqa: SIM118
    except (OSError, SafetensorError) as error:
        raise InvalidCheckpointError(f"{label}: unreadable ({error})") from None
