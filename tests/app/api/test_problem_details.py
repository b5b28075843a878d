"""Problem documents: the table of errors, and the response where no thread can be started."""

import asyncio
import re
from http import HTTPStatus

import httpx
import pytest
from fastapi import FastAPI

from app import errors
from app.api import problem_details


def test_where_no_thread_can_be_started_a_client_is_told_to_come_back(caplog: pytest.LogCaptureFixture) -> None:
    app = FastAPI()
    problem_details.install(app)

    @app.get("/")
    async def fail() -> None:
        raise RuntimeError("can't start new thread")

    async def ask() -> httpx.Response:
        async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://lilt") as client:
            return await client.get("/")

    answer = asyncio.run(ask())
    assert (answer.status_code, answer.headers["Retry-After"]) == (503, "10")
    assert answer.json()["type"] == "urn:lilt:problem:busy"
    assert "cannot start a thread: the limit on processes is reached" in caplog.text


def test_every_error_has_a_status_a_type_and_a_title_of_its_own() -> None:
    own = [found for found in vars(errors).values() if isinstance(found, type) and issubclass(found, errors.LiltError)]
    assert set(problem_details.PROBLEM_TYPES) == set(own) - {errors.LiltError}
    rows = problem_details.PROBLEM_TYPES.values()
    assert len({row.kind for row in rows}) == len({row.title for row in rows}) == len(rows)
    assert all(row.status >= HTTPStatus.BAD_REQUEST for row in rows)


@pytest.mark.parametrize("accept", ["*/*", "application/json", "image/png", "application/json, text/html;q=0.1"])
def test_programs_get_a_problem_where_nothing_is(client: httpx.Client, accept: str) -> None:
    answer = client.get("/nothing", headers={"Accept": accept})
    assert (answer.status_code, answer.headers["Content-Type"]) == (404, "application/problem+json")


def test_people_get_a_page_where_nothing_is(client: httpx.Client) -> None:
    answer = client.get("/nothing", headers={"Accept": "text/html,application/xhtml+xml,*/*;q=0.8"})
    assert answer.status_code == 404
    assert answer.headers["Content-Type"].startswith("text/html")
    assert "default-src 'self'" in answer.headers["Content-Security-Policy"]


@pytest.mark.parametrize(
    ("path", "home"), [("/nothing", "./"), ("/a/b/c", "../../"), ("/a/", "../"), ("/a%2Fb", "./"), ("//a", "../")]
)
def test_the_links_of_that_page_lead_home_from_any_depth(client: httpx.Client, path: str, home: str) -> None:
    """Under a path of a host too, which the service does not know of."""
    url = httpx.URL(str(client.base_url).rstrip("/") + path)
    page = client.get(url, headers={"Accept": "text/html"}).text
    links = re.findall('(?:href|src)="(.*?)"', page)
    assert {link.removeprefix(home) for link in links} == {"", "icon.svg", "style.css", "docs"}
    assert all(link.startswith(home) for link in links)


def test_an_unknown_character_is_named_and_the_known_ones_are_not_listed(client: httpx.Client) -> None:
    problem = client.post("/generate", json={"start_string": "X:1\nT:\u2603\n"}).json()
    assert problem["detail"] == "the model does not know the character '\u2603' at position 6"
