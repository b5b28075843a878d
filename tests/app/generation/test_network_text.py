"""A network reads less of a text than the answer keeps of it, and what it reads has its place in the text."""

import json
import re
from typing import Any

import httpx
import pytest

from app.generation.network_text import NetworkText
from tests import judges

KNOWN = frozenset("\n '(),-./0123456789:<=>ABCDEFGHIJKLMNOPQRSTUVWXYZ[]^_abcdefghijklmnopqrstuvwxyz{|}")
HEADER = "X:1\nT:Doite\nM:4/4\nL:1/8\nK:D\n"


@pytest.mark.parametrize(
    ("text", "read"),
    [
        ("X:10\nT:Dóite\nC:Trad\nZ:me\nN:a note\nQ:1/4=120\n% typed in 2001\nM:4/4\nL:1/8\nK:D\n", HEADER),
        ("X:1\nT:Doite\nT:Another\nM:4/4 % common\nL:1/8\nV:1\n%%MIDI program 3\nK:D clef=treble\n", HEADER),
        ("X:1\nT:日本\nM:4/4\n", "X:1\nT:A\nM:4/4\n"),
        ("X:1\nT:Dói", "X:1\nT:Doi"),
        (HEADER + '"D"d2 !trill!{cd}e2 ~f.g|', HEADER + "d2 e2 fg|"),
        (HEADER + 'd2-|"D"d2 "^up" Td2 [!f!d"A"f]2|', HEADER + "d2-|d2 d2 [df]2|"),
        (HEADER + "d8|% a bar\n%%vskip 1\nw:la\nd8|", HEADER + "d8|\nd8|"),
        (HEADER + "%%begintext\nA bad egg\n\n%%endtext\nd8|", HEADER + "d8|"),
        (HEADER + 'd8|"D', HEADER + 'd8|"D'),
        (HEADER + "d8|]\n\nX:2\nN:n\nT:B", HEADER + "d8|]\n\nX:1\nT:B"),
    ],
)
def test_what_no_network_has_learnt_is_not_read(text: str, read: str) -> None:
    found = NetworkText.of(text, KNOWN)
    assert (found.text, found.read) == (text, read)
    for position, character in enumerate(found.read):
        place = found.place_of(position)
        assert text[place] == character or not text[place].isascii() or text[:place].endswith("X:")
        assert found.position_of(place) <= position


@pytest.mark.parametrize("text", ["", "\n\n", "X", "X:1", "X:1\nT:The Old", HEADER, HEADER + "|:d2-d2(3efg|1 [df]4"])
def test_all_else_is_read_as_it_is(text: str) -> None:
    found = NetworkText.of(text, KNOWN)
    assert (found.read, found.bridge, found.is_pending) == (text, "", False)
    assert found.places == tuple(range(len(text)))


@pytest.mark.parametrize("text", ["X:1\nC:Trad", HEADER + "d8|% so", HEADER + "d8|\nw:la"])
def test_a_line_that_is_not_read_ends_before_anything_follows(text: str) -> None:
    assert NetworkText.of(text, KNOWN).bridge == "\n"
    assert NetworkText.of(text + "\n", KNOWN).bridge == ""


def test_a_piece_of_the_notes_may_be_cut_in_a_chord_symbol() -> None:
    assert NetworkText.of_notes('d2 "D"e2|"Am').read == "d2 e2|"


LEARNT = "X:1\nT:Doite\nM:4/4\nL:1/8\nK:D\n|:d2 fd A2fd|"
AS_WRITTEN = 'X:10\n% from a book of 1850\nT:Dóite\nC:Trad\nQ:1/4=120\nM:4/4\nL:1/8\nK:D\n|:"D"d2 !trill!fd {B}A2~fd|'


def generated(client: httpx.Client, start: str, **options: object) -> dict[str, Any]:
    response = client.post("/generate", json={"start_string": start, "seed": 5, **options})
    assert response.status_code == 200, response.text
    answer: dict[str, Any] = response.json()
    return answer


@pytest.mark.parametrize("options", [{}, {"constrained": False}, {"best_of": 2}, {"tunes": None, "length": 50}])
def test_what_is_not_read_is_kept_and_changes_nothing(client: httpx.Client, options: dict[str, object]) -> None:
    learnt, written = generated(client, LEARNT, **options), generated(client, AS_WRITTEN, **options)
    assert written["abc"] == AS_WRITTEN + str(learnt["abc"]).removeprefix(LEARNT)


@pytest.mark.parametrize("start", [AS_WRITTEN, "X:1\nT:Dóite\nC:Trad", 'X:1\nM:4/4\nL:1/8\nK:D\nd2"^up"'])
def test_a_stream_has_the_kept_text_in_its_place(client: httpx.Client, start: str) -> None:
    body = {"start_string": start, "seed": 5}
    events = client.post("/generate", json=body, headers={"Accept": "text/event-stream"}).text
    chunks = [json.loads(data)["text"] for data in re.findall(r"event: chunk\ndata: (.*)", events)]
    (done,) = re.findall(r"event: done\ndata: (.*)", events)
    assert start + "".join(chunks) == json.loads(done)["abc"] == generated(client, start)["abc"]


@pytest.mark.parametrize(
    "end", ['"D"', "!trill!", "{g}", "~", "T", 'd2 "^text"', '"D" ', "d8|% a bar", "d8|\nW:so", "(3d.e", "d2-"]
)
def test_what_is_kept_at_the_end_leads_to_a_clean_tune(client: httpx.Client, end: str) -> None:
    start = "X:7\nT:Dóite\nQ:1/4=120\nM:4/4\nL:1/8\nK:D\n" + end
    tunes = [str(generated(client, start, seed=seed)["abc"]) for seed in (1, 2, 3)]
    assert [said for said in judges.abc2midi(tunes) if said] == []
    for tune in tunes:
        assert client.post("/render", json={"abc": tune, "format": "midi"}).status_code == 200


def test_a_fault_is_told_where_it_stands_in_the_text(client: httpx.Client) -> None:
    start = 'X:1\nZ:me\nM:4/4\nL:1/8\nK:D\n"D"d8|"A"d4|d'
    (tune,) = generated(client, start)["tunes"]
    assert [(problem["line"], problem["column"]) for problem in tune["problems"]] == [(6, 12)]
    response = client.post("/generate", json={"start_string": 'X:1\nZ:me\nK:D\n"D"d8|é', "seed": 1})
    assert (response.status_code, response.json()["errors"][0]["position"]) == (422, 19)
