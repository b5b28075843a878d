"""The page on a phone's screen: what is seen first, what stays free, what never sticks out."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Page, expect

from tests.web.bench import SCALE, bring, visit

HEIGHT = 844
LONG_WORD = "Donaudampfschifffahrtsgesellschaftskapitaensmuetzenhornpipe"


@pytest.fixture
def phone(page: Page) -> Iterator[Page]:
    page.set_viewport_size({"width": 390, "height": HEIGHT})
    visit(page)
    yield page
    assert page.evaluate("() => document.documentElement.scrollWidth") <= 390


def test_a_first_visit_shows_a_tune_and_its_play_button(phone: Page) -> None:
    note = phone.locator("#score .abcjs-note").first.bounding_box()
    player = phone.locator("#player").bounding_box()
    assert note
    assert player
    assert note["y"] + note["height"] < player["y"]
    for name, is_shown in (("rhythm", True), ("make-button", True), ("play", True), ("meter", False)):
        expect(phone.locator(f"#{name}")).to_be_visible(visible=is_shown)


def test_a_title_of_one_long_word_is_broken(phone: Page) -> None:
    bring(phone, SCALE.replace("T:Scale", f"T:{LONG_WORD}"))
    phone.locator("#search").wait_for(state="hidden")
    for place in ("#title", "#shelf .name"):
        box = phone.locator(place).bounding_box()
        assert box
        assert box["x"] + box["width"] <= 390


def test_a_complaint_covers_no_button_of_the_header_and_is_dismissed(phone: Page) -> None:
    phone.locator("#open").click()
    phone.locator("#pasted").fill("X:1\nT:Bad\nM:6/8\nL:1/8\nK:D\nDFA d2f|{{afd D3|\n")
    phone.locator("#open-pasted").click()
    expect(phone.locator("#message")).to_contain_text("There is a fault in it")
    phone.evaluate("() => scrollTo(0, 0)")
    phone.locator("#open").click()
    phone.get_by_role("button", name="Close").click()
    phone.get_by_role("button", name="Dismiss the message").click()
    expect(phone.locator("#message")).to_be_empty()
    expect(phone.locator("#dismiss")).to_be_hidden()


def test_what_can_be_done_with_a_note_leaves_most_of_the_screen_to_the_score(phone: Page) -> None:
    bring(phone, SCALE)
    phone.locator("#score .abcjs-note").nth(1).click(force=True)
    docks = [phone.locator(place).bounding_box() for place in ("#chosen", "#player")]
    assert sum(dock["height"] for dock in docks if dock) < 0.36 * HEIGHT
    phone.locator("#unchoose").click()
    phone.evaluate("() => scrollTo(0, document.documentElement.scrollHeight)")
    last = phone.locator(".foot").bounding_box()
    player = phone.locator("#player").bounding_box()
    assert last
    assert player
    assert last["y"] + last["height"] < player["y"]
