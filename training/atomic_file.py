"""Files that are whole or absent, whenever the process dies."""

import os
from pathlib import Path


def write(path: Path, content: bytes) -> None:
    """Replace a file: write beside it, flush to disk, rename, flush the folder."""
    beside = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        with beside.open("wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        beside.replace(path)
    finally:
        beside.unlink(missing_ok=True)
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)
