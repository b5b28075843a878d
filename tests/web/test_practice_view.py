"""A score to practise from: large and alone on the screen."""

import pytest
from playwright.sync_api import Page, expect

from tests.web.bench import PICKUPS, bring

LONG = PICKUPS.replace("T:Pick", "T:Long") + PICKUPS[PICKUPS.index("|:A2A") :] * 6


def test_the_score_is_large_parts_loop_and_a_pedal_plays_and_turns(page: Page) -> None:
    bring(page, PICKUPS)
    staff = "() => document.querySelector('#score .abcjs-staff').getBoundingClientRect().height"
    before = page.evaluate(staff)
    page.evaluate("() => { navigator.wakeLock.request = async (kind) => { window.awake = kind; }; }")
    page.get_by_role("button", name="Practise").click()
    assert page.evaluate(staff) > 1.5 * before
    assert page.evaluate("() => window.awake") == "screen"
    for hidden in ("#make", ".shelf", ".heading", ".top"):
        expect(page.locator(hidden)).to_be_hidden()
    expect(page.locator("#practice-title")).to_have_text("Pick")
    expect(page.locator("#practice-parts button")).to_have_text(["All", "A", "B"])
    page.keyboard.press("PageDown")
    page.wait_for_function("() => !document.querySelector('#sound').paused")
    page.keyboard.press("PageDown")
    page.wait_for_function("() => document.querySelector('#sound').paused")
    page.get_by_role("button", name="Loop part B").click()
    expect(page.get_by_role("button", name="Loop part B")).to_have_attribute("aria-pressed", "true")
    page.wait_for_function(LIT_AFTER, arg=13)
    page.get_by_role("button", name="Play all").click()
    page.locator("#play").click()
    page.keyboard.press("Escape")
    expect(page.locator("#make")).to_be_visible()
    assert page.evaluate(staff) == pytest.approx(before, abs=0.1)


LIT_AFTER = """(first) => {
  const notes = [...document.querySelectorAll("#score .abcjs-note")];
  return notes.indexOf(document.querySelector("#score .sounding")?.closest(".abcjs-note")) >= first;
}"""


def test_on_a_phone_a_pedal_turns_the_page_and_nothing_sticks_out(page: Page) -> None:
    page.set_viewport_size({"width": 390, "height": 844})
    bring(page, LONG)
    page.get_by_role("button", name="Practise").click()
    at = page.evaluate("() => scrollY")
    page.keyboard.press("PageDown")
    page.wait_for_function("(at) => scrollY > at + 300", arg=at)
    assert page.evaluate("() => document.documentElement.scrollWidth <= innerWidth")
    page.get_by_role("button", name="Leave").click()
    expect(page.locator("#make")).to_be_visible()
