"""The page in Firefox, where it is installed: a tune is made, drawn and changed, and nothing is complained of.

What sounds is left to Chromium's tests: without a sound card Firefox plays nothing.
"""

from pathlib import Path

import pytest

from tests.servers import Server
from tests.web.firefox import PROGRAM, firefox

_WATCH = """
  window.complaints = [];
  addEventListener("error", ({ message }) => window.complaints.push(message));
  addEventListener("unhandledrejection", ({ reason }) => window.complaints.push(String(reason)));
  document.addEventListener("securitypolicyviolation", (event) => window.complaints.push(event.violatedDirective));
"""


@pytest.mark.skipif(not PROGRAM, reason="needs firefox-esr or firefox")
def test_a_tune_is_made_and_a_note_is_changed(server: Server, tmp_path: Path) -> None:
    with firefox(tmp_path) as page:
        page.go(server.url)
        page.wait_for("document.querySelectorAll('#rhythm option').length > 1")
        page.script(_WATCH)
        page.press("#make-button")
        page.wait_for("document.querySelector('#welcome').hidden && !document.querySelector('#tune.growing')")
        page.wait_for("document.querySelector('#stop').hidden && document.querySelector('#score .bar-number')")
        made = page.script("return document.querySelector('#abc').value")
        assert page.script("return document.querySelectorAll('#score .abcjs-note').length") > 8
        page.press("#score")
        assert page.script("return document.activeElement.id") == "bars-abc"
        page.type("_")
        page.wait_for("document.querySelectorAll('#settings button').length === 2")
        changed = page.script("return document.querySelector('#abc').value")
        assert changed != made
        assert "_" in changed
        assert page.script("return window.complaints") == []
