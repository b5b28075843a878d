"""Tunes from outside: pasted, dropped, chosen as a file."""

import httpx
from playwright.sync_api import FilePayload, Page, expect

from tests.web.bench import PICKUPS, SCALE, abc_of, is_made

SONG = """X:1
T:Song
%%pagewidth 3cm
M:4/4
L:1/4
K:C
V:1
CDEF|GABc|]
w:one two three four five six sev-en
V:2
CCCC|GGGG|]
"""
MUSICXML = """<?xml version="1.0"?>
<score-partwise version="4.0">
  <work><work-title>Drums too</work-title></work>
  <part-list>
    <score-part id="P1"><part-name>Flute</part-name></score-part>
    <score-part id="P2"><part-name>Drums</part-name></score-part>
  </part-list>
  <part id="P1"><measure number="1">
    <attributes><divisions>1</divisions><key><fifths>2</fifths></key><time><beats>2</beats>
    <beat-type>4</beat-type></time><clef><sign>G</sign><line>2</line></clef></attributes>
    <note><pitch><step>D</step><octave>5</octave></pitch><duration>2</duration><type>half</type></note>
  </measure></part>
  <part id="P2"><measure number="1">
    <attributes><divisions>1</divisions><clef><sign>percussion</sign></clef></attributes>
    <note><unpitched/><duration>2</duration><type>half</type></note>
  </measure></part>
</score-partwise>
"""
PITCHES = """async (abc) => {
  const { read } = await import("/js/timing.js");
  const headers = { "Content-Type": "text/vnd.abc" };
  const answer = await fetch("/render?format=midi&feel=0", { method: "POST", headers, body: abc });
  return read(await answer.arrayBuffer()).notes.map(({ pitch }) => pitch);
}"""
PASTE = """(text) => {
  const data = new DataTransfer();
  data.setData("text/plain", text);
  document.body.dispatchEvent(new ClipboardEvent("paste", { clipboardData: data, bubbles: true, cancelable: true }));
}"""
DROP = """([name, text]) => {
  const data = new DataTransfer();
  data.items.add(new File([text], name));
  for (const type of ["dragover", "drop"])
    document.body.dispatchEvent(new DragEvent(type, { dataTransfer: data, bubbles: true, cancelable: true }));
}"""


def test_a_pasted_tune_is_played_judged_changed_and_continued(page: Page) -> None:
    page.evaluate(PASTE, SCALE.removeprefix("X:1\n"))
    is_made(page)
    assert abc_of(page) == SCALE
    expect(page.locator("#title")).to_have_text("Scale")
    page.locator("#play").click()
    page.wait_for_function("() => document.querySelector('#sound').currentTime > 0.3")
    page.get_by_role("button", name="Edit").click()
    page.get_by_role("button", name="Continue the tune").click()
    expect(page.locator("#settings button")).to_have_text(["1 pasted", "2 continued"])
    assert page.locator("#shelf .name").count() == 0
    page.locator("#undo").click()
    page.locator("#undo").click()
    expect(page.locator("#title")).to_have_text("The New Munster")


def test_words_and_voices_are_shown_and_what_is_not_played_is_said(page: Page) -> None:
    page.get_by_role("button", name="Open a tune").click()
    page.locator("#pasted").fill(SONG)
    page.get_by_role("button", name="Put it on the bench").click()
    is_made(page)
    expect(page.locator("#score .abcjs-lyric").first).to_have_text("one")
    expect(page.locator("#message")).to_contain_text("line 3")
    expect(page.locator("#message")).to_contain_text("%%pagewidth")
    assert abc_of(page) == SONG


def test_a_dropped_book_is_kept_and_other_kinds_of_files_are_refused_in_words(page: Page) -> None:
    page.evaluate(DROP, ["book.abc", SCALE + "\n" + PICKUPS])
    expect(page.locator("#shelf .name")).to_have_count(2)
    expect(page.locator("#message")).to_have_text("2 tunes opened.")
    expect(page.locator("#title")).to_have_text("Scale")
    page.evaluate(DROP, ["tune.pdf", "%PDF-1.7"])
    expect(page.locator("#message")).to_contain_text("tune.pdf is a PDF. Lilt opens ABC, MIDI")
    page.evaluate(DROP, ["tune.mid", "MThd\x00\x00\x00\x06"])
    expect(page.locator("#message")).to_contain_text("tune.mid: ")
    expect(page.locator("#message")).not_to_contain_text("Press Edit")
    page.evaluate(DROP, ["words.txt", "Once upon a time"])
    expect(page.locator("#message")).to_contain_text("There is no tune in this")
    expect(page.locator("#shelf .name")).to_have_count(2)


def test_a_midi_and_a_musicxml_file_become_tunes_that_are_judged_played_and_changed(
    page: Page, client: httpx.Client
) -> None:
    """The files that the service makes of a tune are read as that tune."""
    for kind, name in (("midi", "mine.mid"), ("musicxml", "mine.musicxml")):
        content = client.post("/render", json={"abc": SCALE, "format": kind, "feel": 0}).content
        page.get_by_role("button", name="Open a tune").click()
        with page.expect_file_chooser() as chooser:
            page.get_by_role("button", name="Choose a file").click()
        chooser.value.set_files(FilePayload(name=name, mimeType="", buffer=content))
        expect(page.locator("#recipe-facts")).to_contain_text(f"Read from {name}")
        expect(page.locator("#message")).to_contain_text("on the bench")
        is_made(page)
        assert page.evaluate(PITCHES, abc_of(page)) == page.evaluate(PITCHES, SCALE)
        page.locator("#play").click()
        page.wait_for_function("() => document.querySelector('#sound').currentTime > 0.3")
        page.locator("#play").click()
        page.locator("#score .abcjs-note").nth(2).click(force=True)
        page.get_by_role("button", name="Higher").click()
        expect(page.locator("#settings button")).to_have_text(["1 opened", "2 edited"])


def test_what_of_a_file_is_not_in_the_tune_is_said_and_stays(page: Page) -> None:
    page.evaluate(PASTE, MUSICXML)
    expect(page.locator("#message")).to_contain_text("Left out of the MusicXML file: ")
    page.reload()
    page.locator("#recipe summary").click()
    expect(page.locator("#recipe-facts")).to_contain_text("Left out: ")
    expect(page.locator("#title")).to_have_text("Drums too")


def test_a_tune_that_cannot_be_played_says_why(page: Page) -> None:
    page.evaluate(PASTE, "X:1\nT:Two\nM:4/4\nL:1/4\nK:C\nCDE|[CEG|\n")
    expect(page.locator("#message")).to_contain_text("There is a fault in it: line ")
    page.evaluate(PASTE, "X:1\nT:Two\nM:4/4\nL:1/4\nK:C\nC1000000|\n")
    expect(page.locator("#message")).to_contain_text("cannot be played as it stands: line 6")
