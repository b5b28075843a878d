"""The pages work where a reverse proxy serves them under a path of a host that has other things too."""

import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, Response, expect

from tests.servers import Server
from tests.web.bench import is_made, make, visit
from tests.web.elsewhere import under


@pytest.fixture(scope="module")
def url(server: Server) -> Iterator[str]:
    with under(server.url, "/music/lilt/") as url:
        yield url


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    """A page of a browser, in which all that is asked for has to be there."""
    context = browser.new_context()
    page, failed = context.new_page(), list[Response]()
    page.on("response", lambda response: failed.append(response) if response.status >= 400 else None)
    yield page
    context.close()
    assert [f"{response.status} {response.url}" for response in failed] == []


def test_a_tune_is_made_played_and_shared(page: Page, url: str) -> None:
    visit(page, url)
    make(page, rhythm="jig", seed="7")
    is_made(page)
    page.locator("#play").click()
    expect(page.locator("#score .sounding").first).to_be_attached()
    page.wait_for_function("() => navigator.serviceWorker.controller")
    assert page.evaluate("async () => (await navigator.serviceWorker.ready).scope") == url
    page.get_by_role("button", name="Share", exact=True).click()
    expect(page.locator("#link")).to_have_value(re.compile(rf"{re.escape(url)}#t="))
    link = page.locator("#link").input_value()
    page.goto(link.replace("#", "embed#"))
    expect(page.locator("#score svg")).to_be_visible()
    assert page.locator("#bench").evaluate("(link) => link.href") == link


def test_the_interface_is_tried_out_there(page: Page, url: str) -> None:
    page.goto(f"{url}docs")
    page.get_by_text("/version", exact=True).click()
    page.get_by_role("button", name="Try it out").click()
    page.get_by_role("button", name="Execute").click()
    expect(page.locator(".live-responses-table tr.response .response-col_status").first).to_contain_text("200")
