"""Sets: one tune after another, at one speed, without a gap where the metre stays, marked in MIDI, printed below."""

import io

import httpx
import mido
import music21
import pytest

REEL = "X:1\nT:First\nR:reel\nM:4/4\nL:1/8\nK:D\n|:dfaf dfaf|gfge afdf|eAce afec|d4 d4:|\n"
SMALL = "X:2\nT:Second\nR:reel\nM:2/4\nL:1/16\nK:G\n|:GBdB GBdB|c2ec dBGB|ABcA dBcA|G4 G4:|\n"
JIG = "X:3\nT:Third\nR:jig\nM:6/8\nL:1/8\nK:G\nD|:GBd gdB|cec dBG|ABc dcB|G3 G2D:|\n"


def midi(client: httpx.Client, *tunes: str, **options: object) -> mido.MidiFile:
    response = client.post("/render", json={"abc": "\n".join(tunes), "format": "midi", **options})
    assert response.status_code == 200, response.text
    return mido.MidiFile(file=io.BytesIO(response.content))


def heard(file: mido.MidiFile) -> tuple[list[tuple[float, int]], dict[str, float]]:
    """Notes with their times, and markers."""
    now, notes, markers = 0.0, [], {}
    for message in file:
        now += message.time
        if message.type == "marker":
            markers[message.text] = now
        elif message.type == "note_on" and message.velocity and message.channel == 0:
            notes.append((round(now, 2), message.note))
    return notes, markers


def test_tunes_follow_each_other_at_one_speed_and_in_one_pulse(client: httpx.Client) -> None:
    notes, markers = heard(midi(client, REEL, SMALL, feel=0))
    first, _ = heard(midi(client, REEL, feel=0))
    second, _ = heard(midi(client, SMALL, feel=0))
    eight_bars_s = 8 * 2 * 60 / 98
    assert markers == pytest.approx({"First": 0, "Second": eight_bars_s}, abs=0.01)
    assert notes[: len(first)] == first
    after = notes[len(first) :]
    assert [pitch for _, pitch in after] == [pitch for _, pitch in second]
    assert [at for at, _ in after] == pytest.approx([at + eight_bars_s for at, _ in second], abs=0.011)


def test_another_metre_has_a_bars_breath_which_a_pickup_ends(client: httpx.Client) -> None:
    _, markers = heard(midi(client, REEL, JIG, feel=0))
    breath_s = (5 / 8) * 4 * 60 / 196  # five eighths at the reel's speed
    assert markers["Third"] == pytest.approx(8 * 2 * 60 / 98 + breath_s, abs=0.01)


def test_each_is_played_so_many_times_after_one_count_in(client: httpx.Client) -> None:
    first, second = (heard(midi(client, tune, feel=0))[0] for tune in (REEL, SMALL))
    file = midi(client, REEL, SMALL, feel=0, repeats=2, click=True)
    twice, markers = heard(file)
    assert [pitch for _, pitch in twice] == [pitch for part in (first, second) for _, pitch in [*part, *part]]
    assert sum(m.type == "note_on" and m.channel == 9 and m.velocity > 0 for m in file) == 4
    assert markers["Second"] == pytest.approx(17 * 2 * 60 / 98, abs=0.02)


def test_one_player_plays_all_but_tunes_that_say_their_instrument(client: httpx.Client) -> None:
    def programs(*tunes: str, **options: object) -> list[int]:
        return [
            message.program
            for message in midi(client, *tunes, **options)
            if message.type == "program_change" and message.channel == 0
        ]

    piano = JIG.replace("K:G", "%%MIDI program 0\nK:G")
    assert programs(REEL, JIG) == [40, 40]
    assert programs(REEL, piano) == [40, 0]
    assert programs(piano, REEL) == [0, 0]
    assert programs(REEL, JIG, program=73) == [73, 73]


def test_the_first_of_a_dance_says_how_fast_all_are_and_a_wanted_tempo_does_for_all(client: httpx.Client) -> None:
    own = REEL.replace("K:D", "Q:1/2=80\nK:D")
    _, markers = heard(midi(client, own, SMALL, SMALL.replace("Second", "Last"), feel=0))
    assert markers["Last"] - markers["Second"] == pytest.approx(8 * 2 * 60 / 80, abs=0.01)
    tempos = {m.tempo for m in midi(client, own, SMALL, tempo=100) if m.type == "set_tempo"}
    assert tempos == {600_000}


@pytest.mark.parametrize("format_", ["wav", "mp3", "svg", "pdf"])
def test_a_set_can_be_had_in_other_formats(client: httpx.Client, format_: str) -> None:
    body = {"abc": f"{REEL}\n{JIG}", "format": format_, "backing": "session", "tempo": 400}
    response = client.post("/render", json=body)
    assert response.status_code == 200, response.text
    assert response.headers["Content-Disposition"].startswith('inline; filename="First - Third.')


def test_the_score_has_all_tunes_with_their_titles_keys_and_metres(client: httpx.Client) -> None:
    text = client.post("/render", json={"abc": f"{REEL}\n{JIG}", "format": "musicxml"}).text
    score = music21.converter.parseData(text, format="musicxml")
    assert [key.sharps for key in score.recurse().getElementsByClass(music21.key.KeySignature)] == [2, 1]
    assert [meter.ratioString for meter in score.recurse().getElementsByClass(music21.meter.TimeSignature)] == [
        "4/4", "6/8",
    ]  # fmt: skip
    assert "Third" in text
    assert "First / Third" in text


def test_six_tunes_are_too_many_and_a_fault_is_told_by_the_texts_own_line(client: httpx.Client) -> None:
    many = client.post("/render", json={"abc": "\n".join([REEL] * 6), "format": "midi"})
    assert (many.status_code, "send 5 at the most" in many.json()["detail"]) == (422, True)
    broken = client.post("/render", json={"abc": f"{REEL}\nX:2\nM:9999/1\nK:C\nABcd|\n", "format": "midi"})
    assert broken.status_code == 422
    assert [fault["line"] for fault in broken.json()["errors"]] == [10]
