"""Encodes 16-bit samples as a sound file that grows as they come: WAV, MP3, Ogg Vorbis or FLAC."""

import errno
import os
import struct
from collections.abc import Callable, Generator, Iterator
from contextlib import closing
from pathlib import Path

import numpy as np
import soundfile
from numpy.typing import NDArray

from app.rendering.mp3_stream import encode_mp3
from app.rendering.read_ahead import read_ahead
from app.rendering.synth import RATE
from app.rendering.tags import Tags

_SYSTEM_ERROR = 2  # libsndfile's SF_ERR_SYSTEM
_QUALITY = {"ogg": ("OGG", "VORBIS", 0.5), "flac": ("FLAC", "PCM_16", 0.3)}
"""libsndfile's container, coding and compression level (0 keeps most, or is fastest); about 100 kbit/s when lossy"""
_NO_TAGS = Tags()


def wav_header(frames: int) -> bytes:
    """The 44 bytes before 16-bit stereo samples in a RIFF WAVE file."""
    size = frames * 4
    return struct.pack(
        "<4sI4s4sIHHIIHH4sI", b"RIFF", 36 + size, b"WAVE", b"fmt ", 16, 1, 2, RATE, RATE * 4, 4, 16, b"data", size
    )


def write(
    blocks: Generator[NDArray[np.int16]],
    frames: int,
    path: Path,
    extension: str,
    grown: Callable[[], None],
    tags: Tags = _NO_TAGS,
) -> None:
    """Write blocks to a file as they come, calling `grown` after each: `wav`, `mp3`, `ogg` or `flac`.

    The blocks are made in a thread of their own, since to encode them takes as long as to make them. What the tune is
    called stands in MP3, Ogg and FLAC; WAV has no place for it that programs agree on.

    Raises:
        OSError: the disk is full.
    """
    with closing(read_ahead(blocks)) as made:
        _write(made, frames, path, extension, grown, tags)


def _write(
    blocks: Iterator[NDArray[np.int16]], frames: int, path: Path, extension: str, grown: Callable[[], None], tags: Tags
) -> None:
    if extension in ("wav", "mp3"):
        pieces = encode_mp3(blocks, frames, tags) if extension == "mp3" else _wav(blocks, frames)
        with path.open("wb", buffering=0) as file:
            for piece in pieces:
                if file.write(piece) < len(
                    piece
                ):  # a full disk takes what it can, and complains of the next piece only
                    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
                grown()
        return
    try:
        _encode(blocks, path, extension, grown, tags)
    except soundfile.LibsndfileError as error:
        if error.code != _SYSTEM_ERROR:
            raise
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC)) from None  # what else a local file may fail for


def _wav(blocks: Iterator[NDArray[np.int16]], frames: int) -> Iterator[bytes]:
    yield wav_header(frames)
    for block in blocks:
        yield block.tobytes()


def _encode(
    blocks: Iterator[NDArray[np.int16]], path: Path, extension: str, grown: Callable[[], None], tags: Tags
) -> None:
    container, coding, level = _QUALITY[extension]
    with soundfile.SoundFile(path, "w", RATE, 2, format=container, subtype=coding, compression_level=level) as encoder:
        if tags.title:
            encoder.title = tags.title
        if tags.composer:
            encoder.artist = tags.composer  # libsndfile knows no composer
        for block in blocks:
            encoder.write(block.astype(np.float32) / 32768)
            grown()
