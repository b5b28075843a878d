"""MP3 that goes out as it is encoded: its length frame says what LAME would have said in the end."""

import io
import itertools
from collections.abc import Iterator
from pathlib import Path

import miniaudio
import numpy as np
import pytest
import soundfile
from numpy.typing import NDArray

from app.rendering.encode import write
from app.rendering.mp3_stream import encode_mp3

RATE = 44_100


def sound(samples: int) -> NDArray[np.int16]:
    tone = np.rint(np.sin(np.arange(samples) / 20) * 0.3 * 32767).astype(np.int16)
    return np.stack([tone, tone], axis=1)


def by_libsndfile(samples: int) -> bytes:
    file = io.BytesIO()
    with soundfile.SoundFile(
        file, "w", RATE, 2, format="MP3", subtype="MPEG_LAYER_III", compression_level=0.4, bitrate_mode="VARIABLE"
    ) as encoder:
        encoder.write(sound(samples).astype(np.float32) / 32768)
    return file.getvalue()


@pytest.mark.parametrize("samples", [100, 1151, 1152, 46_080, 46_081, 46_655, 46_656, 46_657, 220_517])
def test_frames_and_cuts_are_those_that_lame_finds_and_the_sound_is_the_same(tmp_path: Path, samples: int) -> None:
    theirs = by_libsndfile(samples)
    ours = b"".join(encode_mp3(iter([sound(samples)]), samples))
    assert ours[44:48] == theirs[44:48]  # frames
    assert ours[48 + 21 : 48 + 24] == theirs[156 + 21 : 156 + 24]  # what to cut; theirs stands behind more
    (tmp_path / "ours.mp3").write_bytes(ours)
    decoded, rate = soundfile.read(tmp_path / "ours.mp3")
    assert (rate, len(decoded)) == (RATE, samples)
    if samples > 40_000:  # a shorter tone is half made of its ends
        assert np.corrcoef(decoded[:, 0], sound(samples)[:, 0])[0, 1] > 0.999
    assert abs(miniaudio.decode(ours).num_frames - samples) <= 2 * 1152


def test_what_is_encoded_goes_out_before_the_next_block_is_asked_for() -> None:
    out = bytearray()
    sizes = list[int]()

    def blocks() -> Iterator[NDArray[np.int16]]:
        for _ in range(4):
            sizes.append(len(out))
            yield sound(RATE)

    for piece in encode_mp3(blocks(), 4 * RATE):
        out += piece
    assert sizes[0] == 208  # the length frame
    assert all(later - earlier > 2_000 for earlier, later in itertools.pairwise(sizes))


def test_a_full_disk_is_told() -> None:
    blocks = (np.zeros((RATE, 2), np.int16) for _ in range(2))
    with pytest.raises(OSError, match="No space left"):
        write(blocks, 2 * RATE, Path("/dev/full"), "mp3", lambda: None)
