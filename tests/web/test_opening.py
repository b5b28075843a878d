"""Tunes from outside: pasted, dropped, chosen as a file."""

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
    page.evaluate(DROP, ["tune.mid", "MThd\x00\x00\x00\x06"])
    expect(page.locator("#message")).to_contain_text("This is a MIDI file. Lilt opens ABC")
    page.locator("#import-file").set_input_files(
        FilePayload(name="tune.musicxml", mimeType="text/xml", buffer=b"<?xml version='1.0'?><score-partwise/>")
    )
    expect(page.locator("#message")).to_contain_text("MusicXML")
    expect(page.locator("#shelf .name")).to_have_count(2)


def test_a_tune_that_cannot_be_played_says_why(page: Page) -> None:
    page.evaluate(PASTE, "X:1\nT:Two\nM:4/4\nL:1/4\nK:C\nCDE|[CEG|\n")
    expect(page.locator("#message")).to_contain_text("There is a fault in it: line ")
    page.evaluate(PASTE, "X:1\nT:Two\nM:4/4\nL:1/4\nK:C\nC1000000|\n")
    expect(page.locator("#message")).to_contain_text("cannot be played as it stands: line 6")
