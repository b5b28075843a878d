"""What files say of their tune: title and composer, as they are written but for what no player can show."""

import io

import httpx
import mido
import miniaudio
import pytest
import soundfile

from app.abc.reader import read
from app.rendering.tags import Tags, id3

TUNE = "X:1\nT:{}\nC:{}\nR:reel\nM:4/4\nL:1/8\nK:D\ndfaf d4|\n"


@pytest.mark.parametrize("format_", ["mp3", "ogg", "flac"])
def test_a_sound_says_its_title_and_who_made_it(client: httpx.Client, format_: str) -> None:
    abc = TUNE.format("Ó Bhéal / \U0001d11e 東", "Séamus")
    content = client.post("/render", json={"abc": abc, "format": format_}).content
    with soundfile.SoundFile(io.BytesIO(content)) as file:
        assert file.title == "Ó Bhéal / \U0001d11e 東"
        assert format_ == "mp3" or file.artist == "Séamus"
        assert (file.samplerate, file.channels) == (44_100, 2)
    sound = miniaudio.decode(content)
    assert 2 < sound.num_frames / sound.sample_rate < 4
    if format_ == "mp3":
        assert content.startswith(b"ID3\x04\x00\x00")
        assert b"TCOM" in content[:200]
        assert "Séamus".encode() in content[:200]


def test_a_midi_files_first_track_has_the_title(client: httpx.Client) -> None:
    for backing in ("none", "session"):
        body = {"abc": TUNE.format("Ó Bhéal", "?"), "format": "midi", "backing": backing}
        file = mido.MidiFile(file=io.BytesIO(client.post("/render", json=body).content), charset="utf-8")
        names = [message.name for message in file.tracks[0] if message.type == "track_name"]
        assert names == ["Ó Bhéal"]


def test_a_set_has_all_titles_and_each_composer_once() -> None:
    scores = [read(TUNE.format(title, "A. Player")) for title in ("One", "Two")]
    assert Tags.of(scores) == Tags("One / Two", "A. Player")


@pytest.mark.parametrize(
    ("title", "shown"),
    [
        ("a\x00TCOM\x00\x00b", "a TCOM b"),
        ("\ud800 lone", "lone"),
        ("‮ turned\u2028and broken", "turned and broken"),
        ("x" * 5000, "x" * 200),
        (" \t ", None),
    ],
)
def test_what_cannot_be_shown_is_left_out(title: str, shown: str | None) -> None:
    score = read(TUNE.format("T", "C"))
    score.titles = (title,)
    assert Tags.of([score]).title == shown


def test_id3_has_no_byte_that_a_decoder_takes_for_a_frame_and_says_how_long_it_is() -> None:
    tag = id3(Tags("é" * 200, "ÿ" * 200))
    assert 0xFF not in tag
    size = sum((byte & 0x7F) << shift for byte, shift in zip(tag[6:10], (21, 14, 7, 0), strict=True))
    assert len(tag) == 10 + size
    assert id3(Tags()) == b""
