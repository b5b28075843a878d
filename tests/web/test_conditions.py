"""The page where browsers give it less: by plain http on a local network, and without storage."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.servers import Server, serving
from tests.web.bench import abc_of, is_made, make, visit
from tests.web.browser import LAN_NAME, chromium_without_storage


@pytest.fixture(scope="module")
def lan_url() -> Iterator[str]:
    with serving(hosts=LAN_NAME) as server:
        yield server.url.replace("127.0.0.1", LAN_NAME)


@pytest.fixture
def lan_page(browser: Browser, lan_url: str) -> Iterator[Page]:
    context = browser.new_context(base_url=lan_url)
    page = context.new_page()
    visit(page)
    assert page.evaluate("() => isSecureContext") is False
    yield page
    context.close()


def test_a_tune_is_made_and_kept_by_plain_http_on_a_local_network(lan_page: Page) -> None:
    make(lan_page, rhythm="jig", seed="4")
    is_made(lan_page)
    expect(lan_page.locator("#stop")).to_be_hidden()
    expect(lan_page.locator("#message")).to_be_empty()
    made = abc_of(lan_page)
    lan_page.get_by_role("button", name="Keep", exact=True).click()
    lan_page.reload()
    lan_page.locator("#shelf .name").click()
    assert abc_of(lan_page) == made


def test_abc_is_copied_by_plain_http_on_a_local_network(lan_page: Page) -> None:
    make(lan_page, seed="4")
    is_made(lan_page)
    expect(lan_page.locator("#stop")).to_be_hidden()
    made = abc_of(lan_page)
    lan_page.get_by_role("button", name="Share", exact=True).click()
    lan_page.get_by_role("button", name="Copy ABC").click()
    expect(lan_page.locator("#sharing-message")).to_have_text("The ABC is copied.")
    lan_page.get_by_role("button", name="Close").click()
    lan_page.locator("#more").evaluate("(more) => { more.open = true; }")
    lan_page.locator("#start").fill("")
    lan_page.locator("#start").press("Control+v")
    expect(lan_page.locator("#start")).to_have_value(made)


def test_where_storage_is_refused_tunes_stay_in_memory_and_that_is_said_once(
    browser: Browser, server: Server, tmp_path: Path
) -> None:
    with chromium_without_storage(browser, tmp_path, server.url) as page:
        visit(page)
        assert page.evaluate("() => { try { return localStorage.length; } catch (error) { return error.name; } }") == (
            "SecurityError"
        )
        expect(page.locator("#message")).to_be_empty()
        for seed in ("3", "4"):
            make(page, seed=seed)
            is_made(page)
            expect(page.locator("#stop")).to_be_hidden()
            message = page.locator("#message")
            if seed == "3":
                expect(message).to_contain_text("stores nothing for this page")
                message.click()
            expect(message).to_be_empty()
        page.get_by_role("button", name="Keep", exact=True).click()
        page.locator("#show-history").click()
        expect(page.locator("#shelf .name")).to_have_count(2)
        page.locator("#shelf .name").nth(1).click()
        is_made(page)
        expect(page.locator("#message")).to_be_empty()
