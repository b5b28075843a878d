"""MusicXML and MIDI as ABC: the same notes as they went out, and another program's file; hostile ones are refused."""

import io
import zipfile
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path

import pytest

from app.abc import score_writer
from app.abc.playing_order import playing_order, tempos_played, with_parts_in_order
from app.abc.reader import Reader, read
from app.abc.score import Score
from app.errors import MediaTypeError, NotationError
from app.interchange import abc_from_file, midi_file, musicxml_document, musicxml_writer
from app.interchange.abc_from_file import Kind

HERE = Path(__file__).parent
CASES = sorted((HERE.parent / "abc" / "cases").glob("*.abc"))
OTHER = (HERE / "documents" / "other_program.musicxml").read_bytes()
PART = "<part-list><score-part id='P1'><part-name/></score-part></part-list><part id='P1'>{}</part>"
SCORE = "<score-partwise>" + PART + "</score-partwise>"
NOTE = "<note><pitch><step>C</step><octave>5</octave></pitch><duration>1</duration><type>quarter</type></note>"
MEASURE = f"<measure number='1'><attributes><divisions>1</divisions></attributes>{NOTE}</measure>"


def sounds(score: Score) -> list[list[tuple[Fraction, int, Fraction]]]:
    """What each line of each voice plays: when, which, and how long each note is as it is written."""
    found = []
    for number, voice in enumerate(score.voices):
        for line in range(voice.lines):
            notes = []
            for bar in playing_order(score, number):
                at = bar.start
                for chord in bar.bar.lines[line] if line < len(bar.bar.lines) else []:
                    notes += [(at, pitch.midi, chord.length) for pitch in chord.pitches]
                    at += chord.length
            found += [notes] if notes else []
    return found


def packed(files: dict[str, bytes], method: int = zipfile.ZIP_DEFLATED) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", method) as file:
        for name, content in files.items():
            file.writestr(name, content)
    return buffer.getvalue()


def midi(*events: bytes, division: int = 480) -> bytes:
    track = b"".join(events) + b"\x00\xff\x2f\x00"
    head = b"MThd" + (6).to_bytes(4, "big") + b"\0\0\0\1" + division.to_bytes(2, "big")
    return head + b"MTrk" + len(track).to_bytes(4, "big") + track


def melody(*notes: tuple[int, int]) -> bytes:
    """Notes of these pitches and quarters, one after another."""

    def after(ticks: int) -> bytes:
        return bytes([ticks >> 7 | 0x80, ticks & 0x7F])

    return b"".join(
        b"\0" + bytes([0x90, pitch, 80]) + after(480 * quarters) + bytes([0x80, pitch, 0]) for pitch, quarters in notes
    )


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.stem)
def test_a_score_that_is_written_as_abc_is_the_same_when_it_is_read(case: Path) -> None:
    score = read(case.read_text("utf-8"))
    again = read(score_writer.write(score))
    assert sounds(again) == sounds(score)
    assert (again.key.fifths, again.key.altered, again.meter) == (score.key.fifths, score.key.altered, score.meter)
    assert (again.titles, again.parts) == (score.titles, score.parts)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.stem)
def test_musicxml_that_went_out_comes_in_again_with_the_same_notes(case: Path) -> None:
    score = with_parts_in_order(read(case.read_text("utf-8")))
    found = abc_from_file.to_abc(musicxml_writer.write(score))
    assert (found.kind, found.left_out) == (Kind.MUSICXML, ())
    assert sorted(sounds(read(found.abc))) == sorted(sounds(score))


def test_a_tunes_rhythm_title_and_composer_come_in_again_by_musicxml() -> None:
    score = read("X:1\nT:Morning\nC:Trad.\nR:slip jig\nM:9/8\nL:1/8\nK:D\nDED FEF A3|]\n")
    again = read(abc_from_file.to_abc(musicxml_writer.write(score)).abc)
    assert (again.titles, again.composer, again.rhythm) == (("Morning",), "Trad.", "slip jig")


def test_another_programs_musicxml_is_read_with_all_that_a_tune_has() -> None:
    found = abc_from_file.to_abc(OTHER)
    header, music, words = found.abc.partition("K:")[0], *found.abc.split("\n")[7:9]
    assert {"T:The Other \\& the Same", "C:Trad.", "M:4/4", "Q:1/2=90"} <= set(header.split("\n"))
    assert "K:Ador\n" in found.abc  # the document says one sharp; the tune ends on A
    assert music == 'E2|:((3"Am"AB)^c{d}!staccato!!fermata!B>A [A-E]2A2&z4 =C4|1 z4 G2:|2 A6|]'
    assert words == "w:* Mor-ning"
    assert found.left_out == ("notes without a pitch (measure 0)", "part Drums: it has no pitched notes")
    assert not Reader(found.abc).skipped


def test_a_packed_score_is_found_by_its_container_and_without_one() -> None:
    container = b"<container><rootfiles><rootfile full-path='a/b.xml'/></rootfiles></container>"
    plain = abc_from_file.to_abc(OTHER).abc
    other = b"<opus/>"
    files = {"0.xml": other, "a/b.xml": OTHER, "META-INF/container.xml": container}
    assert abc_from_file.to_abc(packed(files)).abc == plain
    assert abc_from_file.to_abc(packed({"score.musicxml": OTHER})).abc == plain


def test_a_document_by_measures_is_read_as_one_by_parts() -> None:
    parts = "<part id='P1'>{}</part>"
    timewise = f"<score-timewise><measure number='1'>{parts.format(NOTE)}</measure></score-timewise>".encode()
    assert sounds(read(abc_from_file.to_abc(timewise).abc)) == [[(Fraction(0), 72, Fraction(1, 4))]]


def test_a_title_is_the_documents_or_the_files_name() -> None:
    assert abc_from_file.to_abc(OTHER, "name.xml").title == "The Other & the Same"
    untitled = SCORE.format(MEASURE).encode()
    assert abc_from_file.to_abc(untitled, "The Mason's Apron.musicxml").title == "The Mason's Apron"
    assert abc_from_file.to_abc(untitled).title == "Untitled"


@pytest.mark.parametrize(
    ("name", "title"),
    [
        ("a\nK:D\x1b[2J.mid", "a K:D [2J"),
        ("\0\x01.mid", "Untitled"),
        ("abc\u202e3pm.mid", "abc 3pm"),
        ("\u2028", "Untitled"),
    ],
)
def test_the_title_that_is_told_is_the_one_in_the_tune(name: str, title: str) -> None:
    """It went out as it was sent, with line breaks, controls and signs of direction."""
    found = abc_from_file.to_abc(SCORE.format(MEASURE).encode(), name)
    assert found.title == title
    assert found.abc.split("\n")[1] == f"T:{title}"


def test_midi_has_its_pickup_metre_key_and_ties() -> None:
    three_four, one_flat = b"\0\xff\x58\x04\x03\x02\x18\x08", b"\0\xff\x59\x02\xff\x00"
    tune = melody((60, 1), *[(65, 3), (69, 2), (70, 1)] * 3, (65, 5))
    found = abc_from_file.to_abc(midi(three_four, one_flat, tune), "a.mid")
    assert found.kind is Kind.MIDI
    assert found.abc == "X:1\nT:a\nM:3/4\nL:1/4\nK:F\nC|F3|A2 B|F3|A2 B|\nF3|A2 B|F3-|F2 z|]\n"


@pytest.mark.parametrize("body", ["abcd efga|Z2!D.C.!|]", "c[Q:1/4=80]Z2|]", "c2|1[P:B]c2:|d2|]", "c2|[P:B][1c2:|d2|]"])
def test_what_stands_at_a_rest_of_bars_or_at_an_ending_is_written(body: str) -> None:
    score = read(f"X:1\nM:4/4\nL:1/8\nK:C\n{body}\n")
    again = read(score_writer.write(score))
    assert [played.index for played in playing_order(again)] == [played.index for played in playing_order(score)]
    assert tempos_played(again) == tempos_played(score)


def test_percussion_and_words_of_midi_are_named_as_left_out() -> None:
    drum = b"\0\x99\x24\x50\x60\x89\x24\0"
    lyric = b"\0\xff\x05\x02la"
    found = abc_from_file.to_abc(midi(drum, lyric, melody((60, 4))))
    assert found.left_out == ("percussion", "words")
    with pytest.raises(NotationError, match="not a note in the MIDI file, but for percussion"):
        abc_from_file.to_abc(midi(drum))


def _nested(depth: int) -> bytes:
    return b"<score-partwise>" + b"<a>" * depth + b"</a>" * depth + b"</score-partwise>"


ENTITY = b'<!DOCTYPE score-partwise [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;&a;">]><score-partwise>&b;</score-partwise>'
OUTSIDE = b'<!DOCTYPE score-partwise [<!ENTITY a SYSTEM "file:///etc/passwd">]><score-partwise>&a;</score-partwise>'
ATTRIBUTES = b'<!DOCTYPE score-partwise [<!ATTLIST note a CDATA "" b CDATA "">]><score-partwise/>'
MANY_ATTRIBUTES = "<score-partwise " + " ".join(f"a{n}='1'" for n in range(101)) + "/>"
FAR = b"\xff\xff\xff\x7f\x90\x3c\x50\1\x80\x3c\0"
LONG_TUPLET = "<time-modification><actual-notes>97</actual-notes><normal-notes>96</normal-notes></time-modification>"


def _divided(count: int) -> bytes:
    """A measure whose notes each have divisions of their own."""
    notes = (f"<attributes><divisions>{n}</divisions></attributes>{NOTE}" for n in range(1, count))
    return SCORE.format(f"<measure number='1'>{''.join(notes)}</measure>").encode()


HOSTILE: dict[str, tuple[Callable[[], bytes], str]] = {
    "entities": (lambda: ENTITY, "declares entities"),
    "an entity from outside": (lambda: OUTSIDE, "declares entities"),
    "attributes by default": (lambda: ATTRIBUTES, "declares attributes"),
    "many attributes": (lambda: MANY_ATTRIBUTES.encode(), "100 attributes"),
    "divisions without end": (lambda: _divided(8000), "measure 1: its divisions"),
    "deep": (lambda: _nested(100_000), "more than 32 deep"),
    "many elements": (lambda: b"<score-partwise>" + b"<a/>" * 400_001, "400,000 elements"),
    "many notes": (lambda: SCORE.format(MEASURE.replace(NOTE, NOTE * 10_001)).encode(), "10,000 notes"),
    "many bars": (lambda: SCORE.format(MEASURE * 2_001).encode(), "2,000 bars"),
    "other XML": (lambda: b"<?xml version='1.0'?><svg/>", "no MusicXML: it begins with <svg>"),
    "broken XML": (lambda: OTHER[:3000], "broken XML: line"),
    "an unknown encoding": (lambda: b"<?xml version='1.0' encoding='latin-99'?><score-partwise/>", "encoding|broken"),
    "no notes": (lambda: SCORE.format("").encode(), "not a note in the score"),
    "a zip bomb": (lambda: packed({"score.xml": b" " * (musicxml_document.MAX_XML_BYTES + 1)}), "more than the"),
    "a zip of another method": (lambda: packed({"score.xml": OTHER}, zipfile.ZIP_LZMA), "not read here"),
    "a zip of many files": (lambda: packed({f"{n}.txt": b"" for n in range(201)}), "201 files"),
    "a zip without a score": (lambda: packed({"a.txt": b"a"}), "holds no score"),
    "a broken zip": (lambda: packed({"score.xml": OTHER})[:-30], "broken"),
    "a zip of a broken file": (lambda: packed({"score.xml": OTHER}).replace(b"PK\1\2", b"PK\1\3"), "broken"),
    "a long number": (lambda: midi(b"\x80" * 200_000), "broken"),
    "MIDI broken off": (lambda: midi(melody((60, 4)))[:-8], "not a note|broken"),
    "MIDI without a status": (lambda: midi(b"\0\x40\x40"), "broken"),
    "MIDI in film frames": (lambda: midi(melody((60, 4)), division=0xE728), "film frames"),
    "MIDI of many notes": (lambda: midi(b"\0\x90\x3c\x50\1\x80\x3c\0" * 20_001), "20,000 notes"),
    "MIDI without end": (lambda: midi(melody((60, 1)), FAR * 8, division=1), "5,000 whole notes"),
    "MIDI of many bars": (lambda: midi(melody((60, 1)), b"\xff\xff\xff\x7f\x90\x3c\x50\1\x80\x3c\0"), "2,000 bars"),
    "MIDI of many tracks": (lambda: midi() + b"MTrk\0\0\0\0" * 300, "256 tracks"),
    "a long MIDI file": (lambda: b"MThd" + b"\0" * midi_file.MAX_BYTES, "1,048,576 are allowed"),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_file_is_refused_in_words(name: str) -> None:
    make, told = HOSTILE[name]
    with pytest.raises(NotationError, match=told):
        abc_from_file.to_abc(make())


@pytest.mark.parametrize(
    ("added", "count"),
    [(LONG_TUPLET + "<type>64th</type>", 9_000), ("<notations><fermata/></notations>" * 100_000, 1)],
    ids=["a tuplet that is never filled", "many notations"],
)
def test_what_goes_on_without_end_is_read_once(added: str, count: int) -> None:
    note = NOTE.replace("<type>quarter</type>", added)
    first = note.replace("64th", "long")
    found = abc_from_file.to_abc(SCORE.format(f"<measure number='1'>{first}{note * (count - 1)}</measure>").encode())
    assert found.abc.splitlines()[-1].count("c") == count


@pytest.mark.parametrize("content", [b"", b"\x7fELF", b"RIFF", "été".encode("latin-1")])
def test_what_is_neither_is_refused_as_such(content: bytes) -> None:
    with pytest.raises(MediaTypeError, match="this is neither"):
        abc_from_file.to_abc(content)


def test_abc_is_told_to_be_that_already() -> None:
    with pytest.raises(MediaTypeError, match="this seems to be ABC already"):
        abc_from_file.to_abc(b"X:1\nK:D\nDEF|\n")


def test_many_staves_and_voices_are_left_out_by_name() -> None:
    notes = "".join(NOTE.replace("<type>", f"<staff>{staff}</staff><type>") for staff in range(1, 30))
    found = abc_from_file.to_abc(SCORE.format(f"<measure number='1'>{notes}</measure>").encode())
    assert len(read(found.abc).voices) == 8
    assert found.left_out == ("staves of a part beyond 8 (21 times, first in measure 1)",)
