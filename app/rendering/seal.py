"""Integrity of cached files: a SHA-256 of content and name at the end of each, by which truncation is detected."""

import hashlib
import os
from pathlib import Path
from typing import BinaryIO

_MARK = b"lilt-1\n\0"
_SIZE = len(_MARK) + hashlib.sha256().digest_size
_CHUNK = 1024 * 1024


def add(file: Path, name: str) -> None:
    """Append the hash to a finished file; reads all of it.

    Raises:
        OSError: the disk is full.
    """
    with file.open("r+b") as content:
        content.write(_seal(content, os.fstat(content.fileno()).st_size, name))


def length(size: int) -> int:
    """The length of a sealed file's content, given the file's size in bytes; below 0 where it cannot be sealed."""
    return size - _SIZE


def verify(file: BinaryIO, name: str) -> bool:
    """Whether a file, open at its start, matches its hash; reads all of it, and seeks back to the start."""
    content = length(os.fstat(file.fileno()).st_size)
    is_whole = content >= 0 and _seal(file, content, name) == file.read(_SIZE + 1)
    file.seek(0)
    return is_whole


def _seal(file: BinaryIO, content: int, name: str) -> bytes:
    """The trailer for the first `content` bytes of a file, which are read."""
    digest = hashlib.sha256(f"{name} {content}\0".encode())
    left = content
    while left and (chunk := file.read(min(left, _CHUNK))):
        digest.update(chunk)
        left -= len(chunk)
    return _MARK + digest.digest()
