"""What is heard: as loud as it should be, and the notes that timidity plays at the times when it plays them."""

import io
import subprocess
from pathlib import Path

import mido
import numpy as np
import pyloudnorm
import pytest
import soundfile
from numpy.typing import NDArray

from app.abc.duration import duration_s
from app.abc.fields import parse_key
from app.abc.playing_order import times_played
from app.abc.reader import read
from app.abc.repeats import MAX_PLAYED_BARS
from app.rendering.cache import key_of
from app.rendering.ensemble import Ensemble
from app.rendering.loudness import CEILING, Limiter, integrated_lufs
from app.rendering.mastering import Gain, mastered
from app.rendering.midi_events import Event, Performance
from app.rendering.shared_file import Making
from app.rendering.synth import Synth, Timed
from app.settings import Settings
from tests.servers import Server

JIG = (Path(__file__).parent / "tunes" / "jig.abc").read_text("utf-8")
RATE = 44_100
TIMIDITY_FONT = "/usr/share/sounds/sf2/TimGM6mb.sf2"


@pytest.mark.parametrize("rate", [11_025, 44_100, 48_000])
def test_loudness_agrees_with_another_makers_meter(rate: int) -> None:
    generator = np.random.default_rng(1)
    noise = generator.normal(0, 0.1, (2, rate * 5)) * np.repeat([1.0, 0.001, 0.5, 1.0, 0.0], rate)
    theirs = pyloudnorm.Meter(rate).integrated_loudness(noise.T)
    blocks = np.array_split(noise.astype(np.float32), 7, axis=1)
    assert integrated_lufs(blocks, rate) == pytest.approx(theirs, abs=0.2)


def test_silence_has_no_loudness() -> None:
    assert integrated_lufs([np.zeros((2, RATE), np.float32)], RATE) == float("-inf")


@pytest.mark.parametrize("block", [100, 8192, 100_000])
def test_the_limiter_holds_its_ceiling_keeps_the_length_and_leaves_quiet_sound_alone(block: int) -> None:
    time_s = np.arange(RATE * 2) / RATE
    loud = np.sin(2 * np.pi * 440 * time_s) * np.where((time_s > 0.5) & (time_s < 0.7), 3.0, 0.3)
    sound = np.stack([loud, loud * 0.5]).astype(np.float32)
    limited = np.concatenate(list(Limiter().run(iter(np.split(sound, range(block, RATE * 2, block), axis=1)))), axis=1)
    assert limited.shape == sound.shape
    assert np.abs(limited).max() <= CEILING * 1.0001
    assert np.allclose(limited[:, : RATE // 4], sound[:, : RATE // 4])
    assert np.allclose(limited[:, -RATE:], sound[:, -RATE:])


@pytest.mark.parametrize("program", [0, 73, 110])
def test_an_instrument_that_was_read_early_is_not_heard(program: int) -> None:
    messages = [
        mido.Message("program_change", channel=0, program=73),
        *(mido.Message("note_on", channel=channel, note=60 + channel, velocity=90) for channel in (0, 15)),
    ]
    timeline = tuple(Timed(0.1 * number, message) for number, message in enumerate(messages))
    with Ensemble(Settings().soundfont) as early, Ensemble(Settings().soundfont) as late:
        early.read_program(program)
        made, wanted = (np.concatenate(list(each.play(timeline, (), 1.0, 8192)), axis=1) for each in (early, late))
    assert np.array_equal(made, wanted)


def test_it_sounds_when_timidity_sounds(server: Server, tmp_path: Path) -> None:
    with server.client() as client:
        (tmp_path / "tune.mid").write_bytes(client.post("/render", json={"abc": JIG, "format": "midi"}).content)
        (tmp_path / "ours.wav").write_bytes(client.post("/render", json={"abc": JIG}).content)
    (tmp_path / "timidity.cfg").write_text(f'soundfont "{TIMIDITY_FONT}"\n')
    argv = ["/usr/bin/timidity", "-c", "timidity.cfg", "-Ow", "-o", "theirs.wav", "tune.mid"]
    subprocess.run(argv, cwd=tmp_path, check=True, capture_output=True)
    ours, theirs = (soundfile.read(tmp_path / name)[0].sum(axis=1) for name in ("ours.wav", "theirs.wav"))
    lag, likeness = lag_of(ours, theirs)
    assert abs(lag) <= 2  # of 10 ms
    assert likeness > 0.5


def loud_in_excerpts() -> dict[str, object]:
    """A request for a tune of four minutes of which just the passages are loud that are heard before it begins."""
    length_s, bar_s, each_s = 256.0, 4.0, 5.0
    starts = [passage * (length_s - each_s) / 11 for passage in range(12)]
    loud = {bar for bar in range(64) for start in starts if start - bar_s < bar * bar_s < start + each_s}
    bars = "|".join("[CEGc]4 [DFBd]4" if bar in loud else "C4 D4" for bar in range(64))
    return {"abc": f"X:1\nM:4/4\nL:1/8\nK:C\n{bars}|]\n", "tempo": 60, "feel": 0}


GROWS_QUIET = {"abc": "X:1\nM:4/4\nL:1/8\nK:C\n" + "[Cc]4 [Dd]4|" * 16 + "C8|" * 48 + "]\n", "tempo": 60, "feel": 0}


@pytest.mark.parametrize("options", [GROWS_QUIET, loud_in_excerpts()], ids=["grows quiet", "loud in excerpts"])
def test_a_long_tune_is_as_loud_as_others(server: Server, options: dict[str, object]) -> None:
    with server.client() as client:
        sound, rate = soundfile.read(io.BytesIO(client.post("/render", json=options).content))
    assert len(sound) > 250 * rate
    assert pyloudnorm.Meter(rate).integrated_loudness(sound) == pytest.approx(-16, abs=0.7)


def test_gain_turns_slowly_to_what_all_of_a_tune_needs() -> None:
    asked: list[str] = []

    def of_all() -> float:
        asked.append("once")
        return 0.2

    frames = 60 * RATE
    blocks = np.array_split(np.ones((2, frames), np.float32), 40, axis=1)
    made = np.concatenate(list(mastered(iter(blocks), Gain(0.1, of_all), frames, lambda: None))) / 32767
    levels = made[:: RATE // 2, 0]
    assert asked == ["once"]
    assert levels[1:20] == pytest.approx(0.1, abs=0.001)
    assert levels[61:110] == pytest.approx(0.2, abs=0.001)
    assert np.diff(20 * np.log10(levels[1:110])).max() < 0.2  # dB in half a second


def test_excerpts_are_from_all_over_and_end_what_they_begin() -> None:
    events = [
        Event(480 * beat + after, mido.Message(kind, note=20 + beat // 8, velocity=80))
        for beat in range(600)
        for after, kind in ((0, "note_on"), (400, "note_off"))
    ]
    whole = Performance(events, 480)
    excerpts = whole.excerpts(60)
    heard = [timed.message for timed in excerpts.timeline]
    begun = [message.note for message in heard if message.type == "note_on"]
    assert 59 < excerpts.duration_s <= 60
    assert {20, 94} < set(begun)
    assert begun == sorted(begun)
    assert begun == [message.note for message in heard if message.type == "note_off"]
    assert whole.excerpts(301) is whole


@pytest.mark.parametrize("channel", [0, 9])
def test_a_channel_that_is_told_no_instrument_has_the_first(channel: int) -> None:
    untold = (Timed(0.0, mido.Message("note_on", channel=channel, note=60, velocity=90)),)
    told = (Timed(0.0, mido.Message("program_change", channel=channel, program=0)), *untold)
    heard = played(untold)
    assert np.abs(heard).max() > 0.01
    assert np.array_equal(heard, played(told))


def test_another_instrument_sounds_otherwise_and_the_same_tune_has_the_same_samples() -> None:
    note = Timed(0.1, mido.Message("note_on", note=60, velocity=90))
    flute, fiddle = ((Timed(0.0, mido.Message("program_change", program=program)), note) for program in (73, 40))
    assert np.array_equal(played(flute), played(flute))
    assert not np.array_equal(played(flute), played(fiddle))


def played(timeline: tuple[Timed, ...]) -> NDArray[np.float32]:
    with Synth(Settings().soundfont) as synth:
        return np.concatenate(list(synth.play(timeline, 0.5, 8192)), axis=1)


def lag_of(ours: NDArray[np.float64], theirs: NDArray[np.float64]) -> tuple[int, float]:
    """How far one chroma is behind the other, in hundredths of a second, and how alike they are then."""
    first, second = (chroma(sound) for sound in (ours, theirs))
    length = min(len(first), len(second)) - 200
    scores = {
        lag: float((first[100 : 100 + length] * second[100 + lag : 100 + lag + length]).sum(axis=1).mean())
        for lag in range(-100, 101)
    }
    best = max(scores, key=lambda lag: scores[lag])
    return best, scores[best]


def chroma(sound: NDArray[np.float64]) -> NDArray[np.float64]:
    """Which of the twelve semitones sounds, each hundredth of a second, as unit vectors."""
    size, hop = 4096, RATE // 100
    windows = np.lib.stride_tricks.sliding_window_view(sound, size)[::hop] * np.hanning(size)
    spectrum = np.abs(np.fft.rfft(windows, axis=1))
    frequencies = np.fft.rfftfreq(size, 1 / RATE)
    heard = (frequencies > 200) & (frequencies < 2000)
    semitones = np.round(12 * np.log2(frequencies[heard] / 440)).astype(int) % 12
    folded = np.stack([spectrum[:, heard][:, semitones == tone].sum(axis=1) for tone in range(12)], axis=1)
    return np.asarray(folded / np.maximum(np.linalg.norm(folded, axis=1, keepdims=True), 1e-9))


@pytest.mark.parametrize(
    ("field", "fifths"),
    [
        ("D", 2),
        ("Ddor", 0),
        ("E Minor", 1),
        ("F#m", 3),
        ("Bb", -2),
        ("G Mixolydian", 0),
        ("HP", 2),
        ("none", 0),
        ("", 0),
    ],
)
def test_keys_are_read(field: str, fifths: int) -> None:
    assert parse_key(field).fifths == fifths


def test_repeats_endings_and_parts_are_counted() -> None:
    bars = read("X:1\nM:2/4\nL:1/4\nK:C\n|:CC|DD|1 EE:|2 FF||GG|:AA:|\n").voices[0]
    assert times_played(bars, None) == [2, 2, 1, 1, 1, 2]
    parts = read("X:1\nM:2/4\nL:1/4\nK:C\n" + "".join(f"P:{name}\nCC|\n" for name in "ABCD")).voices[0]
    assert times_played(parts, "A2(BC)3D") == [2, 3, 3, 1]
    assert times_played(parts, "((A99)99)99") == [MAX_PLAYED_BARS, 0, 0, 0]
    assert duration_s(read("X:1\nM:4/4\nL:1/4\nQ:1/4=60\nP:ABA\nK:C\nP:A\n|:CDEF:|\nP:B\nG4|\n")) == 20


def test_a_name_is_the_same_for_the_same_parts_alone() -> None:
    assert key_of({"a": 1, "b": 2}) == key_of({"b": 2, "a": 1}) != key_of({"a": 1, "b": 3})


async def _make(making: Making) -> None:
    making.path.write_bytes(b"whole")


def test_readers_of_a_making_get_all_of_it(tmp_path: Path) -> None:
    import asyncio

    async def read_twice() -> list[bytes]:
        making = Making(tmp_path / "file")
        making.start(_make)
        making.join()
        await making.until(done=False)
        with making.path.open("rb") as file:
            return [b"".join([chunk async for chunk in making.read(file)]) for _ in range(2)]

    assert asyncio.run(read_twice()) == [b"whole", b"whole"]
