"""A hash behind a file's last byte, of its content and its name: one that was cut or altered since is found out."""

import hashlib
import os
from pathlib import Path
from typing import BinaryIO

_MARK = b"lilt-1\n\0"
_SIZE = len(_MARK) + hashlib.sha256().digest_size
_CHUNK = 1024 * 1024


def add(file: Path, name: str) -> None:
    """Seal a file that is whole; reads all of it.

    Raises:
        OSError: the disk is full.
    """
    with file.open("r+b") as content:
        content.write(_seal(content, os.fstat(content.fileno()).st_size, name))


def length(size: int) -> int:
    """Of the content of a sealed file, given the file's size in bytes; below 0 where it cannot be sealed."""
    return size - _SIZE


def holds(file: BinaryIO, name: str) -> bool:
    """Whether a file, open at its beginning, is what was sealed; reads all of it, and goes back to its beginning."""
    content = length(os.fstat(file.fileno()).st_size)
    is_whole = content >= 0 and _seal(file, content, name) == file.read(_SIZE + 1)
    file.seek(0)
    return is_whole


def _seal(file: BinaryIO, content: int, name: str) -> bytes:
    """What is to stand behind so many bytes of a file, which is then read as far as there."""
    digest = hashlib.sha256(f"{name} {content}\0".encode())
    left = content
    while left and (chunk := file.read(min(left, _CHUNK))):
        digest.update(chunk)
        left -= len(chunk)
    return _MARK + digest.digest()
