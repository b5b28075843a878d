"""`python -m tests.web.picture docs/page.png`: the README's picture of the page."""

import sys
from pathlib import Path

from tests.servers import serving
from tests.web.browser import chromium

START = "X:1\nT:Morning\nR:jig\nM:6/8\nL:1/8\nK:D\n"
SEED = "1"


def take(file: Path) -> None:
    """Make a tune on the page, play it, and keep what is seen."""
    with serving() as server, chromium() as browser:
        page = browser.new_page(base_url=server.url, viewport={"width": 900, "height": 600})
        page.goto("/")
        page.get_by_label("Begin with").fill(START)
        page.get_by_label("Seed").fill(SEED)
        page.get_by_role("button", name="Make a tune").click()
        page.get_by_role("button", name="Play").click()
        page.wait_for_function("() => document.querySelector('audio').currentTime > 2")
        file.parent.mkdir(exist_ok=True)
        page.screenshot(path=file, full_page=True)


if __name__ == "__main__":
    take(Path(sys.argv[1]))
