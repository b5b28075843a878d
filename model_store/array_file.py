"""A checkpoint's files of arrays: safetensors that say their format, each read into a dataclass."""

from abc import ABC, abstractmethod
from collections.abc import Mapping
from pathlib import Path
from typing import Any, ClassVar, Self

from safetensors import SafetensorError, safe_open
from safetensors.numpy import save

from model_store.errors import InvalidCheckpointError, NewerFormatError


class ArrayFile(ABC):
    """What is in such a file; a dataclass whose fields are its arrays, each of one dimension."""

    WHAT: ClassVar[str]
    """the file should be, for errors"""
    FORMAT: ClassVar[int]
    TYPES: ClassVar[Mapping[str, type]]
    """of the arrays, by name"""

    @classmethod
    def read(cls, file: Path, label: str) -> Self:
        """What is in a file.

        Args:
            label: the file's name, for errors.

        Raises:
            NewerFormatError: it was written in a later format.
            InvalidCheckpointError: it is no such file, or cannot be read.
        """
        found = cls(**_read_arrays(file, label, cls.WHAT, cls.FORMAT, cls.TYPES))
        if not found._is_consistent():
            raise InvalidCheckpointError(f"{label}: its arrays do not fit together")
        return found

    def to_bytes(self) -> bytes:
        """The file."""
        return save({name: getattr(self, name) for name in self.TYPES}, {"format": str(self.FORMAT)})

    @abstractmethod
    def _is_consistent(self) -> bool:
        """Whether the arrays' lengths and values fit together."""


def _read_arrays(file: Path, label: str, what: str, format_: int, types: Mapping[str, type]) -> dict[str, Any]:
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
