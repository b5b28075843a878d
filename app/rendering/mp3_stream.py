"""Lets MP3 go out as it is encoded: the frame that says how long it lasts comes first, made from what is known already.

An encoder leaves that frame empty and fills it in at the end, so that nothing could be sent before. All of it that
matters to a player follows from the number of samples: frames, and what to cut at both ends (LAME's tag, revision 1).
"""

import struct
from pathlib import Path
from typing import BinaryIO

SAMPLES_A_FRAME = 1152
_DELAY = 576  # samples that LAME puts before the sound, and at the least after it
_SIDE_INFO = 36  # bytes before the tag, of MPEG-1 in stereo
_HAS_FRAMES = 1
_VARIABLE_RATE = 4  # of revision 0: LAME's newer kind
_ENCODER = b"LAME3.100"


class Mp3File:
    """What libsndfile writes an MP3 file of so many samples into; only the length frame differs from what it writes.

    Attributes:
        error: why something could not be written, which libsndfile would not tell.
    """

    def __init__(self, path: Path, samples: int) -> None:
        self._file: BinaryIO = path.open("wb", buffering=0)
        self._samples = samples
        self._position = self._size = 0
        self.error: OSError | None = None

    def write(self, data: bytes) -> int:
        """At the position; the beginning is written once, and its second writing is left out."""
        content = bytes(data)
        if not self._size:
            content = length_frame(content, self._samples)
        if self._position == self._size and self.error is None:
            self._append(content)
            self._size += len(content)
        self._position += len(content)
        return len(content) if self.error is None else 0

    def _append(self, content: bytes) -> None:
        left = memoryview(content)
        try:
            while left:  # a full disk takes what it can, and complains of the next piece only
                left = left[self._file.write(left) :]
        except OSError as error:
            self.error = error

    def seek(self, offset: int, whence: int = 0) -> int:
        """As of files."""
        self._position = (0, self._position, self._size)[whence] + offset
        return self._position

    def tell(self) -> int:
        """As of files."""
        return self._position

    def read(self, _: int = -1) -> bytes:
        """Nothing: it is being written."""
        return b""

    def flush(self) -> None:
        """Nothing waits to be written."""

    def close(self) -> None:
        """Give the file back."""
        self._file.close()


def length_frame(empty: bytes, samples: int) -> bytes:
    """The first frame, empty as LAME has it but for its header, with the number of frames and what to cut.

    Args:
        empty: a frame, perhaps with more behind it.
        samples: for each channel.
    """
    frames = -(-(samples + 2 * _DELAY) // SAMPLES_A_FRAME)
    padding = frames * SAMPLES_A_FRAME - samples - _DELAY
    cut = struct.pack(">I", _DELAY << 12 | padding)[1:]
    tag = b"Xing" + struct.pack(">II", _HAS_FRAMES, frames)
    tag += _ENCODER + bytes([_VARIABLE_RATE]) + bytes(11) + cut
    return empty[:_SIDE_INFO] + tag + empty[_SIDE_INFO + len(tag) :]
