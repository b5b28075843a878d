"""Chromium for the tests of the page: Debian's, or the one that LILT_CHROMIUM names."""

import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from playwright.sync_api import Browser, Page, sync_playwright

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


def launch_options() -> dict[str, Any]:
    """How Chromium is started."""
    path = os.environ.get("LILT_CHROMIUM", "/usr/bin/chromium")
    assert Path(path).exists(), f"no Chromium at {path}; `make test` installs it, or set LILT_CHROMIUM"
    return {"executable_path": path, "args": _FLAGS + (_AS_ROOT if os.geteuid() == 0 else [])}


@contextmanager
def chromium() -> Iterator[Browser]:
    """A headless browser."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(**launch_options())
        yield browser
        browser.close()


@contextmanager
def chromium_without_storage(browser: Browser, profile: Path, url: str) -> Iterator[Page]:
    """A page of a browser that refuses cookies and storage to all sites, as people may set it."""
    (profile / "Default").mkdir()
    settings = {"profile": {"default_content_setting_values": {"cookies": 2}}}
    (profile / "Default" / "Preferences").write_text(json.dumps(settings))
    context = browser.browser_type.launch_persistent_context(profile, base_url=url, **launch_options())
    yield context.new_page()
    context.close()
