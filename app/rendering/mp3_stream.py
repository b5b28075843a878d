"""MP3 that goes out as it is encoded: the frame that says how long it lasts comes first, made from what is known.

An encoder writes that frame when all is encoded, so that nothing could be sent before. All of it that matters to a
player follows from the number of samples: frames, and what to cut at both ends (LAME's tag, revision 1).
"""

import struct
from collections.abc import Iterator

import lameenc
import numpy as np
from numpy.typing import NDArray

from app.rendering.synth import RATE
from app.rendering.tags import Tags, id3

SAMPLES_A_FRAME = 1152
_DELAY = 576  # samples that LAME puts before the sound, and at the least after it
_VARIABLE_BIT_RATE = 4  # LAME's `vbr_mtrh`; a constant rate takes twice as long
_QUALITY = 4  # of 0, the best, to 9: about 100 kbit/s
_SEARCH = 5  # of 2, the most thorough search for how to say it, to 7: as many bits in five sixths of the time
_FRAME_HEADER = bytes.fromhex("fffb5064")  # MPEG-1 layer III, no CRC, 64 kbit/s, 44.1 kHz, joint stereo, original
_FRAME_SIZE = 208  # bytes, of a frame at that rate
_SIDE_INFO_SIZE = 32  # bytes between header and tag, in stereo
_HAS_FRAMES = 1
_VARIABLE_RATE = 4  # of revision 0: LAME's newer kind
_ENCODER = b"LAME3.100"
_NO_TAGS = Tags()


def encode_mp3(blocks: Iterator[NDArray[np.int16]], samples: int, tags: Tags = _NO_TAGS) -> Iterator[bytes]:
    """An MP3 file of 16-bit stereo samples [n, 2] at 44.1 kHz, piece by piece as they come.

    Args:
        blocks: the samples.
        samples: how many there are in each channel, altogether.
        tags: which come first.
    """
    encoder = lameenc.Encoder()
    encoder.silence()
    encoder.set_channels(2)
    encoder.set_in_sample_rate(RATE)
    encoder.set_vbr(_VARIABLE_BIT_RATE)
    encoder.set_vbr_quality(_QUALITY)
    encoder.set_quality(_SEARCH)
    yield id3(tags) + length_frame(samples)
    for block in blocks:
        yield bytes(encoder.encode(block.tobytes()))
    yield bytes(encoder.flush())


def length_frame(samples: int) -> bytes:
    """A silent frame that holds the number of frames behind it, and what to cut of their sound.

    Args:
        samples: for each channel.
    """
    frames = -(-(samples + 2 * _DELAY) // SAMPLES_A_FRAME)
    padding = frames * SAMPLES_A_FRAME - samples - _DELAY
    cut = struct.pack(">I", _DELAY << 12 | padding)[1:]
    tag = b"Xing" + struct.pack(">II", _HAS_FRAMES, frames)
    tag += _ENCODER + bytes([_VARIABLE_RATE]) + bytes(11) + cut
    return (_FRAME_HEADER + bytes(_SIDE_INFO_SIZE) + tag).ljust(_FRAME_SIZE, b"\0")
