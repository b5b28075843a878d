"""Every format, over a real port, judged by a reader of another make."""

import io
import re
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import cairocffi
import httpx
import mido
import miniaudio
import music21
import numpy as np
import pyloudnorm
import pypdf
import pytest
import verovio

from app.abc.reader import read
from app.rendering.formats import Format, disposition
from benchmarks.formats import midi_pitches, written_pitches

TUNES = {path.stem: path.read_text("utf-8") for path in sorted((Path(__file__).parent / "tunes").glob("*.abc"))}
SOUND = ["wav", "mp3", "ogg", "flac"]
TAIL_S = 1.5


def render(client: httpx.Client, abc: str, format_: str, **options: Any) -> httpx.Response:  # noqa: ANN401
    response = client.post("/render", json={"abc": abc, "format": format_, **options})
    assert response.status_code == 200, response.text
    return response


def performance(content: bytes) -> list[tuple[float, int]]:
    """When each note begins, in seconds, and its pitch."""
    now, notes = 0.0, []
    for message in mido.MidiFile(file=io.BytesIO(content)):
        now += message.time
        if message.type == "note_on" and message.velocity and message.channel != 9:
            notes.append((now, message.note))
    return notes


@pytest.mark.parametrize("tune", TUNES)
@pytest.mark.parametrize("format_", SOUND)
def test_sound_is_decoded_by_others_and_lasts_as_long_as_the_music(
    client: httpx.Client, tune: str, format_: str
) -> None:
    response = render(client, TUNES[tune], format_, tempo=400)
    assert response.headers["Content-Type"] == Format(format_).media_type
    length_s = mido.MidiFile(file=io.BytesIO(render(client, TUNES[tune], "midi", tempo=400).content)).length
    sound = miniaudio.decode(response.content)
    assert (sound.nchannels, sound.sample_rate) == (2, 44100)
    assert sound.num_frames / 44100 == pytest.approx(length_s + TAIL_S, abs=0.15)


@pytest.mark.parametrize("tune", TUNES)
@pytest.mark.parametrize("format_", SOUND)
def test_sound_is_evenly_loud_and_begins_and_ends_in_silence(client: httpx.Client, tune: str, format_: str) -> None:
    sound = miniaudio.decode(render(client, TUNES[tune], format_, tempo=400).content)
    samples = np.asarray(sound.samples).reshape(-1, 2) / 32768
    assert pyloudnorm.Meter(44100).integrated_loudness(samples) == pytest.approx(-16, abs=1.5)
    assert np.abs(samples).max() < 10 ** (-1 / 20)
    assert np.abs(samples[[0, -1]]).max() < 0.002


@pytest.mark.parametrize("tune", TUNES)
def test_musicxml_says_the_notes_that_abc2midi_plays(client: httpx.Client, tune: str) -> None:
    written = render(client, TUNES[tune], "musicxml")
    assert written.headers["Content-Type"] == "application/vnd.recordare.musicxml+xml"
    score = music21.converter.parseData(written.text, format="musicxml")
    heard = [
        pitch.midi
        for note in score.recurse().notes
        if not note.duration.isGrace and not isinstance(note, music21.harmony.Harmony)
        for pitch in note.pitches
        if note.tie is None or note.tie.type == "start"
    ]
    assert sorted(heard) == sorted(written_pitches(read(TUNES[tune])))
    plain = re.sub(r":*\|[1-9:]*:*|\[[12]", "|", re.sub(r"\{[^}]*\}|~|!\w+!", "", TUNES[tune]))
    played = midi_pitches(render(client, plain, "midi", chords=False, feel=0).content)
    assert sorted(played) == sorted(heard)
    assert verovio.toolkit().loadData(written.text)


@pytest.mark.parametrize("tune", TUNES)
def test_a_score_is_drawn_with_every_note(client: httpx.Client, tune: str) -> None:
    drawn = render(client, TUNES[tune], "svg")
    root = ElementTree.fromstring(drawn.content)  # noqa: S314
    notes = sum("note" in (element.get("class") or "").split() for element in root.iter())
    chords = [chord for voice in read(TUNES[tune]).voices for bar in voice.bars for chord in bar.chords]
    assert notes >= sum(len(chord.pitches) + len(chord.graces) for chord in chords)
    assert "default-src 'none'" in drawn.headers["Content-Security-Policy"]
    assert b"<script" not in drawn.content


@pytest.mark.parametrize("bars", [8, 520])
def test_a_picture_is_as_wide_as_a_page_and_no_taller_than_an_image_can_be(client: httpx.Client, bars: int) -> None:
    tune = "X:1\nM:4/4\nL:1/8\nK:D\n" + "ABcd efga|gfed cBAG|\n" * (bars // 2)
    response = client.post("/render", json={"abc": tune, "format": "png", "tempo": 400})
    assert response.headers["Content-Type"] == "image/png"
    image = cairocffi.ImageSurface.create_from_png(io.BytesIO(response.content))
    assert (image.get_width() == 1240) is (bars == 8)
    assert 300 < image.get_height() <= 16_000
    pixels = set(bytes(image.get_data()))
    assert {0, 255} <= pixels  # ink on paper


@pytest.mark.parametrize("tune", TUNES)
def test_a_pdf_has_a_page_with_its_title(client: httpx.Client, tune: str) -> None:
    pages = pypdf.PdfReader(io.BytesIO(render(client, TUNES[tune], "pdf").content)).pages
    assert [round(size) for size in pages[0].mediabox[2:]] == [595, 842]
    title = read(TUNES[tune]).titles[0]
    assert re.sub(r"\W", "", title) in re.sub(r"\W", "", pages[0].extract_text())


def test_markup_in_a_title_stays_text(client: httpx.Client) -> None:
    abc = TUNES["jig"].replace("The Kesh", "<script>alert(1)</script> & <b>")
    for format_ in ("svg", "musicxml"):
        content = render(client, abc, format_).content
        assert b"<script" not in content
        ElementTree.fromstring(content)  # noqa: S314


@pytest.mark.parametrize(
    ("title", "expected"),
    [
        ("The Kesh", 'inline; filename="The Kesh.pdf"'),
        ("Ó Bhéal", "inline; filename=\"O Bheal.pdf\"; filename*=UTF-8''%C3%93%20Bh%C3%A9al.pdf"),
        ("../../etc/passwd", 'inline; filename="etc passwd.pdf"'),
        ('a"; x=\r\nSet-Cookie: b', 'inline; filename="a ; x=Set-Cookie b.pdf"'),
        ("", 'inline; filename="tune.pdf"'),
        (None, 'inline; filename="tune.pdf"'),
        ("歌", "inline; filename=\"tune.pdf\"; filename*=UTF-8''%E6%AD%8C.pdf"),
    ],
)
def test_a_file_is_named_after_its_tune_and_nothing_else(title: str | None, expected: str) -> None:
    assert disposition(title, "pdf") == expected


@pytest.mark.parametrize("semitones", [-12, -5, -1, 1, 2, 3, 6, 7])
@pytest.mark.parametrize("tune", TUNES)
def test_transposition_moves_sound_and_notation_alike(client: httpx.Client, tune: str, semitones: int) -> None:
    plain = performance(render(client, TUNES[tune], "midi", chords=False).content)
    moved = performance(render(client, TUNES[tune], "midi", chords=False, transpose=semitones).content)
    assert [note + semitones for _, note in plain] == [note for _, note in moved]
    score = music21.converter.parseData(render(client, TUNES[tune], "musicxml", transpose=semitones).text)
    (key, *_) = score.recurse().getElementsByClass(music21.key.KeySignature)
    before = music21.converter.parseData(render(client, TUNES[tune], "musicxml").text)
    (old, *_) = before.recurse().getElementsByClass(music21.key.KeySignature)
    assert (key.sharps - old.sharps - 7 * semitones) % 12 == 0
    assert abs(key.sharps) <= 7


def test_times_through_play_it_again(client: httpx.Client) -> None:
    once = performance(render(client, TUNES["jig"], "midi", chords=False, feel=0).content)
    twice = performance(render(client, TUNES["jig"], "midi", chords=False, repeats=2, feel=0).content)
    assert [note for _, note in twice] == [note for _, note in once] * 2
    beat_s = 60 / 115
    assert twice[len(once)][0] == pytest.approx(24 * 2 * 2 * beat_s, abs=0.02)


def test_chord_symbols_are_played_or_not(client: httpx.Client) -> None:
    with_chords = performance(render(client, TUNES["jig"], "midi", feel=0).content)
    without = performance(render(client, TUNES["jig"], "midi", chords=False, feel=0).content)
    assert len(with_chords) > len(without) == 2 * len(written_pitches(read(TUNES["jig"])))


def test_a_count_in_comes_before_and_a_pickup_completes_it(client: httpx.Client) -> None:
    def clicks(content: bytes) -> list[float]:
        now, found = 0.0, []
        for message in mido.MidiFile(file=io.BytesIO(content)):
            now += message.time
            if message.type == "note_on" and message.velocity and message.channel == 9:
                found.append(round(now, 2))
        return found

    waltz = render(client, TUNES["waltz"], "midi", click=True, feel=0).content
    assert clicks(waltz) == [0.0, 0.6]  # three quarters at 100 a minute, the third being the pickup's
    assert performance(waltz)[0][0] == pytest.approx(1.2, abs=0.01)
    jig = render(client, TUNES["jig"], "midi", click=True, feel=0).content
    assert len(clicks(jig)) == 2
    assert performance(jig)[0][0] == pytest.approx(2 * 60 / 115, abs=0.01)


def test_swing_lengthens_the_first_of_each_pair(client: httpx.Client) -> None:
    abc = "X:1\nM:4/4\nL:1/8\nQ:1/4=60\nK:C\nCDEF GABc|\n"
    even = [start for start, _ in performance(render(client, abc, "midi", feel=0).content)]
    swung = [start for start, _ in performance(render(client, abc, "midi", swing=1, feel=0).content)]
    assert even == pytest.approx([index / 2 for index in range(8)], abs=0.01)
    assert swung == pytest.approx([index // 2 + index % 2 * 2 / 3 for index in range(8)], abs=0.01)


@pytest.mark.parametrize(
    ("rhythm", "program", "tempo"),
    [("reel", 40, 196), ("jig", 73, 171), ("hornpipe", 21, 160), ("slow air", 46, 60), ("Slip Jig", 73, 180)],
)
def test_a_rhythm_has_its_tempo_and_instrument(client: httpx.Client, rhythm: str, program: int, tempo: int) -> None:
    abc = f"X:1\nR:{rhythm}\nM:4/4\nL:1/8\nK:C\nCDEF GABc|\n"
    file = mido.MidiFile(file=io.BytesIO(render(client, abc, "midi").content))
    assert {m.program for m in file if m.type == "program_change"} == {program}
    assert {round(mido.tempo2bpm(m.tempo)) for m in file if m.type == "set_tempo"} == {tempo}
