"""The page on security names tests; each of them is there."""

import re

from tests.servers import ROOT

TESTS = {path.name: path.read_text("utf-8") for path in (ROOT / "tests").rglob("test_*.py")}


def test_every_test_that_the_page_names_exists() -> None:
    named, file = 0, ""
    for found in re.finditer(
        r"`(?:tests/[\w/]+/)?(test_\w+\.py)?(?:::(\w+))?`", (ROOT / "docs/security.md").read_text()
    ):
        if not found[1] and not found[2]:
            continue
        file = found[1] or file
        assert file in TESTS, found[0]
        assert not found[2] or f"def {found[2]}(" in TESTS[file], found[0]
        named += 1
    assert named > 20
