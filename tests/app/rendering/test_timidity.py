"""The lab notebook's synthesiser: the same notes at the same times as FluidSynth, as loud, sent as they are made."""

import io
from collections.abc import Iterator
from pathlib import Path

import httpx
import miniaudio
import numpy as np
import pyloudnorm
import pytest
import soundfile

from app.rendering import synth
from app.rendering.synthesizer import Synthesizer
from app.rendering.timidity import DEFAULT_FONT, font
from tests.app.rendering.test_sound import lag_of, loud_in_excerpts
from tests.servers import serving

JIG = (Path(__file__).parent / "tunes" / "jig.abc").read_text("utf-8")
TAIL_S = 1.5


@pytest.fixture(name="by_timidity", scope="module")
def _by_timidity() -> Iterator[httpx.Client]:
    with serving(synthesizer="timidity") as server, server.client() as client:
        yield client


def test_which_synthesiser_plays_is_told(client: httpx.Client, by_timidity: httpx.Client) -> None:
    assert client.get("/readyz").json()["synthesizer"] == "fluidsynth"
    ready = by_timidity.get("/readyz").json()
    assert (ready["status"], ready["synthesizer"]) == ("ready", "timidity")


def test_it_plays_what_fluidsynth_plays_when_it_plays_it(client: httpx.Client, by_timidity: httpx.Client) -> None:
    sounds = []
    for each in (client, by_timidity):
        samples, rate = soundfile.read(io.BytesIO(each.post("/render", json={"abc": JIG}).content))
        assert rate == 44_100
        sounds.append(samples.sum(axis=1))
    assert len(sounds[0]) == len(sounds[1])
    lag, likeness = lag_of(*sounds)
    assert abs(lag) <= 2  # of 10 ms
    assert likeness > 0.5


@pytest.mark.parametrize("format_", ["wav", "mp3", "ogg", "flac"])
@pytest.mark.parametrize("backing", ["none", "session"])
def test_it_is_evenly_loud_in_every_format_with_silence_at_both_ends(
    by_timidity: httpx.Client, format_: str, backing: str
) -> None:
    body = {"abc": JIG, "format": format_, "backing": backing, "tempo": 400}
    response = by_timidity.post("/render", json=body)
    assert response.status_code == 200, response.text
    sound = miniaudio.decode(response.content)
    samples = np.asarray(sound.samples).reshape(-1, 2) / 32768
    assert pyloudnorm.Meter(44_100).integrated_loudness(samples) == pytest.approx(-16, abs=1.5)
    assert np.abs(samples).max() < 10 ** (-1 / 20)
    assert np.abs(samples[[0, -1]]).max() < 0.004  # of which half is what Vorbis spreads before a first chord


def test_a_long_tune_is_as_loud_as_others(by_timidity: httpx.Client) -> None:
    sound, rate = soundfile.read(io.BytesIO(by_timidity.post("/render", json=loud_in_excerpts()).content))
    assert pyloudnorm.Meter(rate).integrated_loudness(sound) == pytest.approx(-16, abs=0.7)


def test_the_same_request_has_the_same_bytes_from_another_service_too(by_timidity: httpx.Client) -> None:
    body = {"abc": JIG, "tempo": 400}
    first = by_timidity.post("/render", json=body).content
    with serving(synthesizer="timidity") as server, server.client() as another:
        assert another.post("/render", json=body).content == first


def test_it_is_taken_where_fluidsynth_is_missing_and_reads_no_sf3(monkeypatch: pytest.MonkeyPatch) -> None:
    assert Synthesizer.choose("auto") is Synthesizer.FLUIDSYNTH
    monkeypatch.setattr(synth, "_LIBRARY", "libnowhere.so.0")
    assert Synthesizer.choose("auto") is Synthesizer.TIMIDITY
    assert Synthesizer.choose("fluidsynth").missing(DEFAULT_FONT) == ["libfluidsynth3"]
    assert font(Path("/anywhere/a.sf3")) == DEFAULT_FONT
    assert font(Path("/anywhere/a.SF2")) == Path("/anywhere/a.SF2")
