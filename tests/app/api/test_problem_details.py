"""What a client is told where the system has no room for the service's work."""

import asyncio

import httpx
import pytest
from fastapi import FastAPI

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
