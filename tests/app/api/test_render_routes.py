"""`/render` and `/check` over a real port: ranges, entity tags, shared renders, findings in plain words."""

import io
import os
import re
import signal
import subprocess
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import httpx
import mido
import pytest

from tests.servers import Server, serving

TUNES = Path(__file__).parents[1] / "rendering" / "tunes"
JIG = (TUNES / "jig.abc").read_text("utf-8")
HEADER = "X:1\nT:Morning\nM:4/4\nL:1/8\nK:C\n"


def address(abc: str, **options: str) -> httpx.QueryParams:
    return httpx.QueryParams({"abc": abc, **options})


def test_an_address_answers_like_a_body(client: httpx.Client) -> None:
    got = client.get("/render", params=address(JIG, format="midi", tempo="90"))
    posted = client.post("/render", json={"abc": JIG, "format": "midi", "tempo": 90})
    assert got.status_code == posted.status_code == 200
    assert got.content == posted.content
    assert got.headers["ETag"] == posted.headers["ETag"]


@pytest.mark.parametrize("format_", ["wav", "mp3", "ogg"])
def test_any_range_is_a_part_of_the_whole(client: httpx.Client, format_: str) -> None:
    abc = JIG.replace("The Kesh", f"Range of {format_}")
    params = address(abc, format=format_, tempo="400")
    first = client.get("/render", params=params, headers={"Range": "bytes=100-199"})  # before it was ever made
    whole = client.get("/render", params=params).content
    size = len(whole)
    assert (first.status_code, first.content) == (206, whole[100:200])
    assert first.headers["Content-Range"] == f"bytes 100-199/{size}"
    for wanted, expected in {
        "bytes=0-": whole,
        f"bytes={size - 10}-{size + 500}": whole[-10:],
        "bytes=-7": whole[-7:],
    }.items():
        answer = client.get("/render", params=params, headers={"Range": wanted})
        assert (answer.status_code, answer.content) == (206, expected)
    beyond = client.get("/render", params=params, headers={"Range": f"bytes={size}-"})
    assert (beyond.status_code, beyond.headers["Content-Range"]) == (416, f"bytes */{size}")
    odd = client.get("/render", params=params, headers={"Range": "lines=1-2"})
    assert (odd.status_code, odd.content) == (200, whole)


def test_what_a_client_has_is_not_sent_again(client: httpx.Client) -> None:
    params = address(JIG, format="midi")
    etag = client.get("/render", params=params).headers["ETag"]
    assert client.get("/render", params=params, headers={"If-None-Match": etag}).status_code == 304
    other = client.get("/render", params=address(JIG, format="midi", tempo="99"), headers={"If-None-Match": etag})
    assert other.status_code == 200
    stale = {"Range": "bytes=0-9", "If-Range": '"other"'}
    assert client.get("/render", params=params, headers=stale).status_code == 200


def test_the_same_request_has_the_same_bytes(client: httpx.Client) -> None:
    abc = JIG.replace("The Kesh", "Again")
    first = client.post("/render", json={"abc": abc, "tempo": 400})
    assert first.content == client.post("/render", json={"abc": abc, "tempo": 400}).content
    with serving() as other, other.client() as stranger:
        assert first.content == stranger.post("/render", json={"abc": abc, "tempo": 400}).content


def test_concurrent_requests_share_one_render(server: Server, client: httpx.Client) -> None:
    abc = JIG.replace("The Kesh", "Together")
    with ThreadPoolExecutor(12) as pool:
        answers = list(pool.map(lambda _: client.post("/render", json={"abc": abc}), range(12)))
    assert {answer.status_code for answer in answers} == {200}
    assert len({answer.content for answer in answers}) == 1
    assert server.process.poll() is None


def test_a_full_queue_turns_away_with_a_time_to_come_back() -> None:
    with serving(max_renders="1", max_waiting_renders="0") as server, server.client() as client:
        tunes = [JIG.replace("The Kesh", f"Number {number}") for number in range(8)]
        with ThreadPoolExecutor(8) as pool:
            answers = list(pool.map(lambda abc: client.post("/render", json={"abc": abc, "format": "pdf"}), tunes))
        turned_away = [answer for answer in answers if answer.status_code == 503]
        assert turned_away
        assert all(answer.headers["Retry-After"] for answer in turned_away)
        assert {answer.status_code for answer in answers} == {200, 503}


def test_a_disconnected_client_leaves_nothing_behind(tmp_path: Path) -> None:
    with serving(tmpdir=str(tmp_path), cache=str(tmp_path / "cache")) as server:
        for number in range(4):
            with server.client() as client:
                body = {"abc": JIG.replace("The Kesh", f"Gone {number}"), "repeats": 5}
                with client.stream("POST", "/render", json=body) as response:
                    next(response.iter_raw())
        with server.client() as client:
            assert client.post("/render", json={"abc": JIG}).status_code == 200
    assert not list(tmp_path.glob("lilt-*"))
    assert not list((tmp_path / "cache").glob("unfinished-*"))


def test_a_service_that_is_killed_leaves_a_cache_that_the_next_can_use(tmp_path: Path) -> None:
    with serving(cache=str(tmp_path)) as server, server.client() as client:
        kept = client.post("/render", json={"abc": JIG, "tempo": 400}).content
        with client.stream("POST", "/render", json={"abc": JIG, "repeats": 8}) as response:
            next(response.iter_raw())
            os.kill(server.process.pid, signal.SIGKILL)
    assert list(tmp_path.glob("unfinished-*"))
    with serving(cache=str(tmp_path)) as server, server.client() as client:
        assert not list(tmp_path.glob("unfinished-*"))
        assert client.post("/render", json={"abc": JIG, "tempo": 400}).content == kept


def test_what_was_left_out_is_told(client: httpx.Client) -> None:
    abc = HEADER.replace("M:4/4", "%%scale 0.7\nM:4/4") + "CDEF GABc|\n"
    response = client.post("/render", json={"abc": abc, "format": "midi"})
    assert (response.status_code, response.headers["Lilt-Left-Out"]) == (200, "line 3: %%scale")


def test_what_the_reader_skips_is_told_in_the_order_of_lines(client: httpx.Client) -> None:
    abc = HEADER + "CDEF GA#Bc|\n%%scale 0.7\nCDEF GABc|\n"
    response = client.post("/render", json={"abc": abc, "format": "midi"})
    first = HEADER.count("\n") + 1
    assert response.headers["Lilt-Left-Out"] == "; ".join(
        (f"line {first}: '#' is not music", f"line {first + 1}: %%scale")
    )


FOUND = """%%abc-charset utf-8
% collected 1998
X:1
I:linebreak $
T:As It Was Found
U:T=^tr
M:4/4
L:1/4
V:1 name="Fiddle 1998"
%%stafflines 5
%%MIDI program 73 % as in 1850
%%MIDI droneon
K:C % see p. 1034
%%begintext
A bad egg
%%endtext
V:1
CDEF|$GA[I:setbarnb 5]Bc|% bar of 1850
"""


@pytest.mark.parametrize("kind", ["midi", "musicxml", "svg"])
def test_what_other_programs_were_told_is_left_out_and_named(client: httpx.Client, kind: str) -> None:
    response = client.post("/render", json={"abc": FOUND, "format": kind})
    assert response.status_code == 200, response.text
    names = ["%%abc-charset", "I:linebreak", "U:", "%%stafflines", "%%MIDI droneon", "%%begintext", "[I:"]
    lines = (1, 4, 6, 10, 12, 14, 18)
    assert response.headers["Lilt-Left-Out"] == "; ".join(
        f"line {line}: {name}" for line, name in zip(lines, names, strict=True)
    )
    if kind == "midi":
        messages = [message for track in mido.MidiFile(file=io.BytesIO(response.content)).tracks for message in track]
        struck = [message.note for message in messages if message.type == "note_on" and message.velocity]
        assert struck == [60, 62, 64, 65, 67, 69, 71, 72]


def test_a_check_names_what_is_left_out(client: httpx.Client) -> None:
    answer = check(client, FOUND)
    assert answer["playable"]
    left_out = [problem for problem in answer["problems"] if problem["source"] == "filter"]
    assert [problem["severity"] for problem in left_out] == ["note"] * 7
    assert answer["fixed"] is None
    assert left_out[3]["message"] == "an instruction that is not followed here: %%stafflines"


def test_chords_are_written_into_the_tune_as_it_was_sent(client: httpx.Client) -> None:
    chorded = client.post("/chords", json={"abc": FOUND}).json()["abc"]
    assert re.sub(r'"[A-G]\w*"(?=[A-Ga-g[])', "", chorded) == FOUND


def check(client: httpx.Client, text: str) -> dict[str, Any]:
    response = client.post("/check", json={"abc": text})
    assert response.status_code == 200, response.text
    answer: dict[str, Any] = response.json()
    return answer


def test_check_finds_nothing_wrong_with_a_good_tune(client: httpx.Client) -> None:
    good = HEADER + "CDEF GABc|c8|]\n"
    assert check(client, good) == {
        "playable": True, "problems": [], "fixed": None, "title": "Morning", "duration_s": 3.2,
    }  # fmt: skip


def test_check_tells_the_bar_that_does_not_add_up_in_plain_words(client: httpx.Client) -> None:
    answer = check(client, HEADER + "CDEF GABc|CDEF|CDEF GABc|CDEF GABc|\n")
    (problem,) = answer["problems"]
    assert (problem["source"], problem["severity"], problem["line"], problem["bar"]) == ("reader", "warning", 6, 2)
    assert problem["message"] == "bar 2 holds 2 quarter notes where the metre has 4"
    assert answer["playable"]


@pytest.mark.parametrize(
    ("meter", "body", "words"),
    [
        (
            "6/8",
            "|:CDE FGA|FGA B|GAB cde:|",
            "bar 2 holds 4 eighth notes where the metre has 6",
        ),  # told once, not again in the repeat
        ("6/8", "G|CDE FGA|FGA B|GAB cde|", "bar 2 holds 4 eighth notes where the metre has 6"),
        ("C|", "CDEFGABc|CDEFGAB|CDEFGABc|", "bar 2 holds 7 eighth notes where the metre has 8"),
        ("3/4", "C2D2E2|C2D2|C6|", "bar 2 holds 2 quarter notes where the metre has 3"),
    ],
)
def test_check_names_a_bar_as_the_text_has_it_once(client: httpx.Client, meter: str, body: str, words: str) -> None:
    problems = check(client, f"% a comment\nX:1\nM:{meter}\nL:1/8\nK:C\n{body}\n")["problems"]
    assert [(problem["line"], problem["message"]) for problem in problems] == [(6, words)]


def test_check_says_one_thing_of_one_place(client: httpx.Client) -> None:
    problems = check(client, HEADER + "CDEF GAB^|CDEF GABc|\n")["problems"]
    places = [(problem["line"], problem["column"]) for problem in problems]
    assert len(places) == len(set(places)) > 0
    assert not any(problem["message"].startswith(("error", "warning")) for problem in problems)


@pytest.mark.parametrize(
    ("text", "fixed"),
    [
        ("\ufeffX:1\r\nK:C\r\nCDEF|\r\n", "X:1\nK:C\nCDEF|\n"),
        ("T:No number\nK:C\nCDEF|\n", "X:1\nT:No number\nK:C\nCDEF|\n"),
        ("X:1\nM:4/4\nCDEF|\n", "X:1\nM:4/4\nK:C\nCDEF|\n"),
        ("X:1\nK:C\n%%abc-include /etc/passwd\nCDEF|\n", "X:1\nK:C\nCDEF|\n"),
        ("X:1\nK:C\nm:q=cdec\nCDEF|[I:abc-include x]c|\n", "X:1\nK:C\nCDEF|c|\n"),
        ("X:1\nK:C\nCD\0EF|!\n", "X:1\nK:C\nCDEF|\n"),
        ("X:1\nK:C\n\u201cC\u201dCDEF|\n", 'X:1\nK:C\n"C"CDEF|\n'),
    ],
)
def test_check_mends_what_is_mechanical(client: httpx.Client, text: str, fixed: str) -> None:
    answer = check(client, text)
    assert answer["fixed"] == fixed
    again = check(client, fixed)
    assert (again["playable"], again["fixed"]) == (True, None)


def test_check_says_that_bytes_are_no_text(client: httpx.Client) -> None:
    response = client.post("/check", content=b"X:1\nK:C\n\xff", headers={"Content-Type": "text/vnd.abc"})
    assert response.status_code == 422
    assert "not UTF-8" in response.text


def test_the_first_bytes_come_before_the_last_are_made(client: httpx.Client) -> None:
    abc = JIG.replace("The Kesh", "Early")
    with client.stream("POST", "/render", json={"abc": abc, "repeats": 8}) as response:
        began = time.monotonic()
        chunks = response.iter_raw()
        next(chunks)
        first = time.monotonic() - began
        rest = sum(len(chunk) for chunk in chunks)
        last = time.monotonic() - began
    assert rest > 10_000_000
    assert first < last / 2


def test_the_log_has_no_trace(server: Server) -> None:
    assert not [line for line in server.log if "Traceback" in line]
    assert subprocess.run(["/usr/bin/pgrep", "-P", str(server.process.pid)], check=False).returncode == 1


def test_chords_are_found_as_json_or_as_the_tune_alone_and_own_ones_stay(client: httpx.Client) -> None:
    plain = "X:1\nT:Morning\nR:jig\nM:6/8\nL:1/8\nK:D\nA|:dfd dfd|gbg gbg|ece ece|d3 d2A:|\n"
    answer = client.post("/chords", json={"abc": plain})
    assert answer.status_code == 200, answer.text
    found = answer.json()
    assert [chord["symbol"] for chord in found["chords"]] == ["D", "G", "A", "D"]
    assert [chord["bar"] for chord in found["chords"]] == [1, 2, 3, 4]
    assert found["abc"] == plain.replace("dfd dfd", '"D"dfd dfd').replace("gbg gbg", '"G"gbg gbg').replace(
        "ece ece", '"A"ece ece'
    ).replace("d3 d2A", '"D"d3 d2A')
    headers = {"Content-Type": "text/vnd.abc", "Accept": "text/vnd.abc"}
    assert client.post("/chords", content=plain, headers=headers).text == found["abc"]
    assert client.post("/chords", json={"abc": found["abc"]}).json() == found


def test_what_is_no_tune_has_no_chords(client: httpx.Client) -> None:
    assert client.post("/chords", json={"abc": "no tune"}).status_code == 422


@pytest.mark.parametrize("backing", ["guitar", "piano", "session"])
def test_an_accompanied_tune_is_made_again_with_its_parts_named_and_its_chords_in_the_score(
    client: httpx.Client, backing: str
) -> None:
    body = {"abc": JIG, "backing": backing}
    midi = client.post("/render", json=body | {"format": "midi"})
    assert midi.content == client.post("/render", json=body | {"format": "midi"}).content
    assert midi.content != client.post("/render", json={"abc": JIG, "format": "midi"}).content
    names = {"guitar": [b"Guitar"], "piano": [b"Piano"], "session": [b"Guitar", "Bodhrán".encode()]}[backing]
    assert all(name in midi.content for name in names)
    plain = re.sub('"[^"]*"', "", JIG)
    score = client.post("/render", json=body | {"abc": plain, "format": "musicxml"}).text
    assert "<harmony>" in score
    assert "<harmony>" not in client.post("/render", json={"abc": plain, "format": "musicxml"}).text
