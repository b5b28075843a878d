"""Chromium for the tests of the page: Debian's, or the one that LILT_CHROMIUM names."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from playwright.sync_api import Browser, sync_playwright

LAN_NAME = "lilt.lan"
"""this machine by a name as a local network gives one: browsers take plain http under it for an insecure page"""
_FLAGS = [
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
    f"--host-resolver-rules=MAP {LAN_NAME} 127.0.0.1",
]
_AS_ROOT = ["--no-sandbox"]  # Chromium's own sandbox does not start as root


@contextmanager
def chromium() -> Iterator[Browser]:
    """A headless browser."""
    path = os.environ.get("LILT_CHROMIUM", "/usr/bin/chromium")
    assert Path(path).exists(), f"no Chromium at {path}; `make test` installs it, or set LILT_CHROMIUM"
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=path, args=_FLAGS + (_AS_ROOT if os.geteuid() == 0 else [])
        )
        yield browser
        browser.close()
