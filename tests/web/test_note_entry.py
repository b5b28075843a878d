"""Notes changed without ABC: dragged on the score, and played on a MIDI keyboard."""

from playwright.sync_api import Browser, Page, expect

from tests.servers import Server
from tests.web.bench import SCALE, abc_of, bring, draw_over_two_bars, visit

TONES = """() => {
  window.tones = [];
  const Own = OscillatorNode;
  window.OscillatorNode = class extends Own {
    constructor(context, options) {
      super(context, options);
      window.tones.push(Math.round(69 + 12 * Math.log2(options.frequency / 440)));
    }
  };
}"""
"""Writes down the pitches that sound while notes are changed."""

MIDI = """
  window.keyboard = Object.assign(new EventTarget(), { name: "Test keys", onmidimessage: null });
  window.asked = [];
  navigator.requestMIDIAccess = async (options) => {
    window.asked.push(options);
    return { inputs: new Map([["1", window.keyboard]]), onstatechange: null };
  };
  window.key = (...data) => window.keyboard.onmidimessage?.({ data: Uint8Array.from(data) });
"""
"""A keyboard in the browser's place: this machine has none. `key` is what it sends."""


def drag(page: Page, steps: int) -> None:
    """Drag the marked note by steps of the scale, and let it go."""
    box = page.locator("#score .handle").bounding_box()
    height = page.locator("#score .abcjs-staff").first.bounding_box()
    assert box
    assert height
    x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
    page.mouse.move(x, y)
    page.mouse.down()
    page.mouse.move(x, y - steps * height["height"] / 8, steps=6)


def test_a_chosen_note_is_dragged_heard_and_put_back(page: Page) -> None:
    bring(page, SCALE)
    page.locator("#score .abcjs-note").nth(5).click(force=True)
    page.evaluate(TONES)
    drag(page, 2)
    assert abc_of(page) == SCALE  # until it is let go
    page.mouse.up()
    expect(page.locator("#bars-abc")).to_have_value("G2c2B2c2")
    assert abc_of(page) == SCALE.replace("G2A2B2c2", "G2c2B2c2")
    expect(page.locator("#score rect.chosen-bar")).to_have_count(1)
    assert page.evaluate("() => window.tones") == [71, 72]
    drag(page, -3)
    page.mouse.up()
    expect(page.locator("#bars-abc")).to_have_value("G2G2B2c2")
    drag(page, 3)
    page.keyboard.press("Escape")
    page.mouse.up()
    expect(page.locator("#bars-abc")).to_have_value("G2G2B2c2")
    page.locator("#undo").click()
    page.locator("#undo").click()
    assert abc_of(page) == SCALE


def test_a_finger_drags_the_chosen_note_over_several_steps_and_not_the_page(browser: Browser, server: Server) -> None:
    context = browser.new_context(
        base_url=server.url,
        viewport={"width": 390, "height": 844},
        has_touch=True,
        is_mobile=True,
        reduced_motion="reduce",  # what is scrolled to is there at once
        service_workers="block",
    )
    page = context.new_page()
    visit(page)
    bring(page, SCALE)
    page.locator("#score .abcjs-note").nth(5).tap(force=True)
    box = page.locator("#score .handle").bounding_box()
    staff = page.locator("#score .abcjs-staff").first.bounding_box()
    assert box
    assert staff
    x, y, step = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2, staff["height"] / 8
    before = page.evaluate("() => scrollY")
    session = context.new_cdp_session(page)
    session.send("Input.dispatchTouchEvent", {"type": "touchStart", "touchPoints": [{"x": x, "y": y}]})
    for part in range(1, 9):
        point = {"x": x, "y": y + 5 * step * part / 8}
        session.send("Input.dispatchTouchEvent", {"type": "touchMove", "touchPoints": [point]})
    session.send("Input.dispatchTouchEvent", {"type": "touchEnd", "touchPoints": []})
    expect(page.locator("#bars-abc")).to_have_value("G2C2B2c2")
    assert page.evaluate("() => scrollY") == before
    page.evaluate(TONES)
    page.locator("#score .handle").tap()  # no drag, so it is heard, as by a click
    page.wait_for_function("() => window.tones.length === 1")
    assert abc_of(page) == SCALE.replace("G2A2B2c2", "G2C2B2c2")
    context.close()


def test_bars_are_still_drawn_over_beside_the_chosen_note(page: Page) -> None:
    bring(page, SCALE)
    page.locator("#score .abcjs-note").nth(1).click(force=True)
    expect(page.locator("#score .handle")).to_have_count(1)
    draw_over_two_bars(page)
    page.locator("#unchoose").click()
    expect(page.locator("#score .handle")).to_have_count(0)


def test_keys_that_are_played_take_the_place_of_notes(page: Page) -> None:
    """Spelt as the key has it; what a sign of theirs would alter later in the bar keeps its pitch."""
    page.add_init_script(MIDI)
    visit(page)
    tune = "X:1\nT:Played\nM:4/4\nL:1/4\nK:G\nGFAF|GABz|[GB]GFE|\n"
    bring(page, tune)
    page.evaluate(TONES)
    page.get_by_role("button", name="MIDI keyboard").click()
    expect(page.locator("#message")).to_contain_text("Listening to Test keys")
    assert page.evaluate("() => window.asked") == [{"sysex": False}]
    page.locator("#score .abcjs-note").first.click(force=True)
    for message in ([0x90, 65, 90], [0x80, 65, 0], [0x90, 66, 90], [0x90, 66, 0]):
        page.evaluate("(message) => window.key(...message)", message)
    assert abc_of(page) == tune.replace("GFAF", "=F^FAF", 1)
    for pitch in (68, 71, 62, 72, 74, 76):
        page.evaluate("(pitch) => window.key(0x91, pitch, 64)", pitch)
    assert abc_of(page).splitlines()[-1] == "=F^F^GB|DcdE'|[GB]GFE|".replace("E'", "e")
    expect(page.locator("#score rect.chosen-bar")).to_have_count(1)
    page.evaluate("() => window.key(0x90, 60, 64)")
    expect(page.locator("#message")).to_contain_text("no single note")
    assert page.evaluate("() => window.tones").count(76) == 1
    page.get_by_role("button", name="MIDI keyboard").click()
    made = abc_of(page)
    page.locator("#score .abcjs-note").nth(5).click(force=True)
    page.evaluate("() => window.key(0x90, 60, 64)")
    assert abc_of(page) == made


ENTERED = """async ([abc, bar, index, pitch]) => {
  const { entered } = await import("/js/note_entry.js");
  const from = abc.indexOf(bar);
  const notes = [...bar.matchAll(/[_^=]?[A-Ga-g][,']*/g)].map((note) => ({
    from: from + note.index, to: from + note.index + note[0].length }));
  return entered(abc, notes, index, pitch).slice(from).split("|")[0];
}"""


def test_a_pitch_is_spelt_by_its_key_and_its_bar(page: Page) -> None:
    head = "X:1\nL:1/4\nM:4/4\nK:"
    for key, bar, index, pitch, expected in (
        ("F", "FGAc", 3, 70, "FGAB"),
        ("F", "FGAc", 3, 71, "FGA=B"),
        ("F", "FGAc", 2, 68, "FG_Ac"),  # an A flat, as flat keys have it
        ("D", "DEFG", 3, 68, "DEF^G"),
        ("D", "F=FFF", 1, 66, "FF=FF"),  # what was natural because of it stays so
        ("C", "^FGFG", 0, 67, "GG^FG"),
        ("C", "CDEF", 0, 48, "C,DEF"),
        ("C", "CDEF", 0, 84, "c'DEF"),
    ):
        found = page.evaluate(ENTERED, [f"{head}{key}\nC4|{bar}|C4|]\n", bar, index, pitch])
        assert found == expected, (key, bar)


def test_a_keyboard_that_is_refused_is_told(page: Page) -> None:
    page.evaluate("() => { navigator.requestMIDIAccess = () => Promise.reject(new Error('no')); }")
    page.get_by_role("button", name="MIDI keyboard").click()
    expect(page.locator("#message")).to_contain_text("Allow MIDI devices")
    expect(page.get_by_role("button", name="MIDI keyboard")).to_have_attribute("aria-pressed", "false")
