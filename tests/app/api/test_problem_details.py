"""What a client is told where the system has no room for the service's work."""

import asyncio
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
    assert "no thread can be started" in caplog.text


def test_every_error_has_a_status_a_type_and_a_title_of_its_own() -> None:
    own = [found for found in vars(errors).values() if isinstance(found, type) and issubclass(found, errors.LiltError)]
    assert set(problem_details.PROBLEM_TYPES) == set(own) - {errors.LiltError}
    rows = problem_details.PROBLEM_TYPES.values()
    assert len({row.kind for row in rows}) == len({row.title for row in rows}) == len(rows)
    assert all(row.status >= HTTPStatus.BAD_REQUEST for row in rows)
