"""MP3 that goes out as it is encoded: its length frame says what LAME would have said in the end."""

import io
from pathlib import Path

import miniaudio
import numpy as np
import pytest
import soundfile

from app.rendering.encode import write
from app.rendering.mp3_stream import Mp3File

RATE = 44_100


def sound(samples: int) -> np.ndarray:
    tone = np.sin(np.arange(samples) / 20) * 0.3
    return np.stack([tone, tone], axis=1).astype(np.float32)


def encode(file: object, samples: int) -> None:
    with soundfile.SoundFile(
        file, "w", RATE, 2, format="MP3", subtype="MPEG_LAYER_III", compression_level=0.4, bitrate_mode="VARIABLE"
    ) as encoder:
        encoder.write(sound(samples))


@pytest.mark.parametrize("samples", [100, 1151, 1152, 46_080, 46_081, 46_655, 46_656, 46_657, 220_517])
def test_frames_and_cuts_are_those_that_the_encoder_finds_and_the_sound_is_the_same(
    tmp_path: Path, samples: int
) -> None:
    theirs = io.BytesIO()
    encode(theirs, samples)
    file = Mp3File(tmp_path / "ours.mp3", samples)
    encode(file, samples)
    file.close()
    ours = (tmp_path / "ours.mp3").read_bytes()
    expected = theirs.getvalue()
    first = 417
    assert ours[first:] == expected[first:]
    assert ours[44:48] == expected[44:48]  # frames
    assert ours[48 + 21 : 48 + 24] == expected[156 + 21 : 156 + 24]  # what to cut; theirs stands behind more
    assert soundfile.info(tmp_path / "ours.mp3").frames == samples
    assert abs(miniaudio.decode(ours).num_frames - samples) <= 2 * 1152


def test_all_that_was_encoded_is_there_before_the_end(tmp_path: Path) -> None:
    file = Mp3File(tmp_path / "ours.mp3", RATE * 4)
    with soundfile.SoundFile(file, "w", RATE, 2, format="MP3", subtype="MPEG_LAYER_III") as encoder:
        encoder.write(sound(RATE * 2))
        before = (tmp_path / "ours.mp3").read_bytes()
        encoder.write(sound(RATE * 2))
    file.close()
    assert len(before) > 4_000
    assert (tmp_path / "ours.mp3").read_bytes().startswith(before)


def test_a_full_disk_is_told() -> None:
    blocks = iter([np.zeros((RATE, 2), np.int16)] * 2)
    with pytest.raises(OSError, match="No space left"):
        write(blocks, 2 * RATE, Path("/dev/full"), "mp3", lambda: None)
