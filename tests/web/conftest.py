"""The page in a real browser, before the real service and the real model."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, Request, expect

from tests.servers import Server
from tests.web.bench import visit
from tests.web.browser import chromium

expect.set_options(timeout=20_000)  # a busy machine's page is slow, and not wrong

EXPECTED_COMPLAINTS = (
    "status of 422",  # Chromium's word on a refusal
    "status of 404",
    "ERR_INTERNET_DISCONNECTED",  # and on a service that is not there
    "ERR_CONNECTION",
    "ERR_INCOMPLETE_CHUNKED",
    "> attribute ",  # abcjs drawing bars that do not add up
)


@pytest.fixture(scope="package")
def browser() -> Iterator[Browser]:
    with chromium() as browser:
        yield browser


@pytest.fixture
def requests() -> list[Request]:
    """Every request that the page makes."""
    return []


@pytest.fixture
def page(browser: Browser, server: Server, requests: list[Request]) -> Iterator[Page]:
    """The page, freshly opened in a browser that knows nothing; the console must stay without a complaint.

    No service worker stands between it and the service, where tests listen.
    """
    complaints: list[str] = []
    context = browser.new_context(base_url=server.url, viewport={"width": 1280, "height": 900}, service_workers="block")
    page = context.new_page()
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.on("console", lambda message: complaints.append(message.text) if message.type == "error" else None)
    page.on("request", lambda request: requests.append(request))
    visit(page)
    yield page
    context.close()
    assert [text for text in complaints if not any(word in text for word in EXPECTED_COMPLAINTS)] == []
