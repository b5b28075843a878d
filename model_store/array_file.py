"""A checkpoint's files of arrays: safetensors that say their format, each read into a dataclass."""

from abc import ABC, abstractmethod
from collections.abc import Mapping
from pathlib import Path
from typing import Any, ClassVar, Self, get_args, get_origin, get_type_hints

import numpy as np
from safetensors import SafetensorError, safe_open
from safetensors.numpy import save

from model_store.errors import InvalidCheckpointError, NewerFormatError

_FIRST_FORMAT = 1


class ArrayFile(ABC):
    """What is in such a file; a dataclass whose fields are its arrays, each of one dimension."""

    WHAT: ClassVar[str]
    """the file should be, for errors"""
    FORMAT: ClassVar[int]
    ADDED: ClassVar[Mapping[str, int]] = {}
    """the format from which on there are arrays that earlier formats lack, by name; without them they are empty"""

    @classmethod
    def types(cls) -> dict[str, type]:
        """Of the arrays, by name, as its fields are annotated: `NDArray[np.int32]`, say."""
        hints = get_type_hints(cls)
        arrays = {name: get_args(hint) for name, hint in hints.items() if get_origin(hint) is np.ndarray}
        return {name: get_args(dtype)[0] for name, (_, dtype) in arrays.items()}

    @classmethod
    def read(cls, file: Path, label: str) -> Self:
        """What is in a file.

        Args:
            label: the file's name, for errors.

        Raises:
            NewerFormatError: it was written in a later format.
            InvalidCheckpointError: it is no such file, or cannot be read.
        """
        found = cls(**_read_arrays(file, label, cls))
        if not found._is_consistent():
            raise InvalidCheckpointError(f"{label}: its arrays do not fit together")
        return found

    def to_bytes(self) -> bytes:
        """The file, in the earliest format that has room for what there is."""
        arrays = {name: getattr(self, name) for name in self.types()}
        format_ = max((since for name, since in self.ADDED.items() if len(arrays[name])), default=_FIRST_FORMAT)
        return save({name: arrays[name] for name in _types(type(self), format_)}, {"format": str(format_)})

    @abstractmethod
    def _is_consistent(self) -> bool:
        """Whether the arrays' lengths and values fit together."""


def _types(kind: type[ArrayFile], format_: int) -> dict[str, type]:
    """Those of the arrays of a format."""
    return {name: type_ for name, type_ in kind.types().items() if kind.ADDED.get(name, _FIRST_FORMAT) <= format_}


def _read_arrays(file: Path, label: str, kind: type[ArrayFile]) -> dict[str, Any]:
    try:
        with safe_open(file, framework="numpy") as opened:
            found = (opened.metadata() or {}).get("format", "")
            if found.isdecimal() and int(found) > kind.FORMAT:
                raise NewerFormatError(f"{label}: format {found} is newer than this Lilt reads (up to {kind.FORMAT})")
            arrays = {name: opened.get_tensor(name) for name in opened.keys()}  # noqa: SIM118
    except (OSError, SafetensorError) as error:
        raise InvalidCheckpointError(f"{label}: unreadable ({error})") from None
    is_known = found.isdecimal() and int(found) >= _FIRST_FORMAT
    types = {name: array.dtype for name, array in arrays.items()}
    if not is_known or types != _types(kind, int(found)) or any(array.ndim != 1 for array in arrays.values()):
        raise InvalidCheckpointError(f"{label}: not {kind.WHAT}")
    return arrays
