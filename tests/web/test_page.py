"""The page in a real browser, before the real service."""

import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, Request, expect

from tests.servers import Server
from tests.web.browser import chromium

EXPECTED_COMPLAINTS = (
    "status of 422",  # Chromium's word on a refusal
    "ERR_INTERNET_DISCONNECTED",  # and on a service that is not there
    "> attribute ",  # abcjs drawing bars that do not add up
)


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium() as browser:
        yield browser


@pytest.fixture
def requests() -> list[Request]:
    """Every request that the page makes."""
    return []


@pytest.fixture
def page(browser: Browser, server: Server, requests: list[Request]) -> Iterator[Page]:
    """The page, freshly opened; it must finish without a complaint in the console."""
    complaints: list[str] = []
    page = browser.new_page(base_url=server.url)
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.on("console", lambda message: complaints.append(message.text) if message.type == "error" else None)
    page.on("request", lambda request: requests.append(request))
    page.goto("/")
    expect(page.get_by_label("Begin with")).to_have_value("X:1\n")
    yield page
    page.close()
    assert [text for text in complaints if not any(word in text for word in EXPECTED_COMPLAINTS)] == []


def make(page: Page, **fields: str) -> None:
    for label, value in fields.items():
        page.get_by_label({"start": "Begin with", "seed": "Seed", "length": "Most characters"}[label]).fill(value)
    page.get_by_role("button", name="Make a tune").click()


def test_a_press_makes_a_tune_and_its_score(page: Page) -> None:
    start = "X:1\nT:Morning\nM:6/8\nL:1/8\nK:D\nDFA d2f|afd D3|"
    make(page, start=start, seed="1")
    expect(page.get_by_label("ABC", exact=True)).to_have_value(re.compile("^" + re.escape(start)))
    expect(page.get_by_role("img", name="Score of Morning").locator("svg")).to_be_visible()
    expect(page.get_by_text("Seed 1,")).to_be_visible()


def test_the_same_seed_shows_the_same_tune(page: Page) -> None:
    shown = []
    for _ in range(2):
        make(page, seed="42")
        expect(page.get_by_text("Seed 42,")).to_be_visible()
        shown.append(page.get_by_label("ABC", exact=True).input_value())
        page.reload()
    assert shown[0] == shown[1] != ""


def test_play_sounds(page: Page) -> None:
    make(page)
    page.get_by_label("ABC", exact=True).fill("X:1\nT:Scale\nM:4/4\nL:1/8\nK:C\nCDEF GABc|c8|\n")
    page.get_by_role("button", name="Play").click()
    page.wait_for_function("() => document.querySelector('audio').currentTime > 0.3")
    assert 3 < page.evaluate("() => document.querySelector('audio').duration") < 10


def test_an_unknown_character_is_told_and_marked(page: Page) -> None:
    make(page, start="X:1\nT:A \u2603 day\n")
    expect(page.locator("#message")).to_contain_text("position 8")
    assert page.evaluate("() => document.getSelection().toString()") == "\u2603"


def test_a_tune_that_cannot_be_played_says_why(page: Page) -> None:
    make(page)
    page.get_by_label("ABC", exact=True).fill("X:1\nK:C\n%%abc-include /etc/passwd\nCDEF|\n")
    page.get_by_role("button", name="Play").click()
    expect(page.locator("#message")).to_contain_text("line 3")


def test_a_service_that_went_away_is_told_in_words(page: Page) -> None:
    page.context.set_offline(offline=True)
    page.get_by_role("button", name="Make a tune").click()
    expect(page.locator("#message")).to_contain_text("does not answer")
    page.context.set_offline(offline=False)


def test_nothing_is_loaded_from_elsewhere(page: Page, server: Server, requests: list[Request]) -> None:
    make(page)
    page.goto("/docs")
    expect(page.get_by_text("/generate", exact=False).first).to_be_visible()
    assert len(requests) > 8
    assert [request.url for request in requests if not request.url.startswith((server.url, "data:", "blob:"))] == []
