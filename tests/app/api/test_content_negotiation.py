"""Content negotiation by `Accept`."""

import pytest

from app.api.content_negotiation import choose_media_type
from app.errors import NotAcceptableError

OFFERED = ("application/json", "text/vnd.abc")


@pytest.mark.parametrize(
    ("accept", "chosen"),
    [
        (None, "application/json"),
        ("", "application/json"),
        ("*/*", "application/json"),
        ("text/vnd.abc", "text/vnd.abc"),
        ("TEXT/*", "text/vnd.abc"),
        ("text/vnd.abc;q=0.5, application/json", "application/json"),
        ("text/vnd.abc, application/json;q=0.5", "text/vnd.abc"),
        ("application/json;q=0, */*", "text/vnd.abc"),
        ("text/html, */*;q=0.1", "application/json"),
    ],
)
def test_the_preferred_type_is_chosen(accept: str | None, chosen: str) -> None:
    assert choose_media_type(accept, OFFERED) == chosen


@pytest.mark.parametrize("accept", ["text/html", "image/png", "application/json;q=0", "a;q=x"])
def test_an_accept_that_nothing_meets_is_refused_with_what_there_is(accept: str) -> None:
    with pytest.raises(NotAcceptableError, match=r"application/json, text/vnd\.abc"):
        choose_media_type(accept, OFFERED)
