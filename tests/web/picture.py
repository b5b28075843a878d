"""`python -m tests.web.picture docs`: the README's pictures of the page, on a desk, on a phone and in the dark."""

import sys
from pathlib import Path

from playwright.sync_api import Browser

from tests.servers import serving
from tests.web.bench import is_made, unfold
from tests.web.browser import chromium

RECIPE = {"rhythm": "jig", "key": "D", "form": "AABB8"}
SEED = "4"
PICTURES = {"page": (1280, 900, "light"), "page-dark": (1280, 900, "dark"), "page-phone": (390, 844, "light")}


def take(folder: Path) -> None:
    """Make a tune on the page, play it, and keep what is seen."""
    folder.mkdir(exist_ok=True)
    with serving() as server, chromium() as browser:
        for name, (width, height, scheme) in PICTURES.items():
            _take(browser, server.url, folder / f"{name}.png", width, height, scheme)


def _take(browser: Browser, url: str, file: Path, width: int, height: int, scheme: str) -> None:
    context = browser.new_context(
        base_url=url,
        viewport={"width": width, "height": height},
        color_scheme="dark" if scheme == "dark" else "light",
    )
    page = context.new_page()
    page.goto("/")
    unfold(page, "form")
    for menu, value in RECIPE.items():
        page.locator(f"#{menu}").select_option(value)
    page.locator("#more summary").click()
    page.locator("#seed").fill(SEED)
    page.locator("#more summary").click()
    page.locator("#make-button").click()
    is_made(page)
    page.get_by_role("button", name="Keep", exact=True).click()
    page.locator("#play").click()
    page.wait_for_function("() => document.querySelector('#sound').currentTime > 2")
    page.screenshot(path=file)
    context.close()


if __name__ == "__main__":
    take(Path(sys.argv[1]))
