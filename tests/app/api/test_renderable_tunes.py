"""`complete` is said of a tune only where `/render` takes it."""

import httpx
import pytest

HEADER = "X:1\nM:4/4\nL:1/8\nK:D\n"


@pytest.mark.parametrize(
    ("start", "is_complete"),
    [
        (HEADER + "d8|", True),
        ("X:10\nT:Dóite\nQ:1/4=120\nM:4/4\nL:1/8\nK:D\n", True),
        ("X:1\nQ:1/4=9999\nM:4/4\nL:1/8\nK:D\n", False),
        ("X:1\nm:q=cdec\nM:4/4\nL:1/8\nK:D\n", False),
        ("X:1\nQ:1/4=1\nM:4/4\nL:1/8\nK:D\nd8|", False),
        ("X:1\n%%abc-include other.abc\nM:4/4\nL:1/8\nK:D\n", False),
        (HEADER + "d9999|", False),
        (HEADER + "d8|d8|\n" * 300, False),
    ],
)
def test_complete_is_what_can_be_rendered(client: httpx.Client, start: str, is_complete: bool) -> None:
    answer = client.post("/generate", json={"start_string": start, "seed": 1}).json()
    (tune,) = answer["tunes"]
    assert tune["complete"] is is_complete
    rendered = client.post("/render", json={"abc": tune["abc"], "format": "midi"})
    assert rendered.status_code == (200 if is_complete else 422), rendered.text
    reasons = [problem["message"] for problem in tune["problems"] if "cannot be rendered" in problem["message"]]
    assert len(reasons) == (not is_complete)
