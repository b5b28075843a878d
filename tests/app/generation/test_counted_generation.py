"""Each generation is counted once, however it ends and however many draws it took."""

import asyncio

import pytest
from prometheus_client import REGISTRY
from starlette.requests import ClientDisconnect
from starlette.types import Message

from app.abc.tunebook import Tune
from app.api.generate_routes import EventStream
from app.api.schemas.base import ModelId as ModelBody
from app.api.schemas.generation import GenerateStart
from app.errors import DeadlineError, DecoderError, RequestError
from app.generation.answer import Answer, JudgedTune
from app.generation.buffered import Buffered
from app.generation.counted_generation import CountedGeneration
from app.generation.generation import End, Generation
from app.generation.model_registry import ModelId
from app.inference.completion import FinishReason

TUNE = Tune("X:1\nK:D\nDFA|\n", None, "D", None, None, complete=True, problems=())
ANSWER = Answer(
    abc=TUNE.abc,
    tunes=(JudgedTune(TUNE, None),),
    seed=1,
    model=ModelId("m", 1, ""),
    finish_reason=FinishReason.TUNES,
    characters=13,
)
DRAWN = 40


class Known(Buffered):
    """Draws 40 characters, and then has a known answer or fails by a known error."""

    def __init__(self, error: BaseException | None = None) -> None:
        super().__init__(start_string="X:1\n")
        self._error = error

    @property
    def drawn(self) -> int:
        return DRAWN

    async def _make(self) -> Answer:
        if self._error:
            raise self._error
        return ANSWER


def count(name: str, **labels: str) -> float:
    return REGISTRY.get_sample_value(f"lilt_{name}_total", labels) or 0.0


async def streamed(generation: Generation) -> Answer:
    assert [text async for text in generation.chunks()] == ["K:D\nDFA|\n"]
    return await generation.answer()


@pytest.mark.parametrize("is_streamed", [True, False])
def test_an_answer_is_counted_once_streamed_or_not(*, is_streamed: bool) -> None:
    model = f"streamed {is_streamed}"

    async def generate() -> Answer:
        generation = CountedGeneration(Known().start(), model)
        return await (streamed(generation) if is_streamed else generation.answer())

    assert asyncio.run(generate()) == ANSWER
    assert count("generations", model=model, outcome="tunes") == count("tunes", model=model) == 1
    assert count("characters", model=model) == DRAWN


@pytest.mark.parametrize(
    ("error", "outcome"),
    [
        (RequestError("no bars were found"), "failed"),
        (DecoderError("the decoder failed"), "failed"),
        (DeadlineError("not made in time"), "cancelled"),
        (asyncio.CancelledError(), "cancelled"),
    ],
)
def test_what_fails_or_is_left_is_counted_too(error: BaseException, outcome: str) -> None:
    model = f"{type(error).__name__}"

    async def generate() -> Answer:
        return await CountedGeneration(Known(error).start(), model).answer()

    with pytest.raises(type(error)):
        asyncio.run(generate())
    assert count("generations", model=model, outcome=outcome) == 1
    assert count("tunes", model=model) == 0
    assert count("characters", model=model) == DRAWN


def test_what_nobody_reads_ends_once_it_is_left() -> None:
    """Before its work has begun, and before its response has sent a byte."""
    ends: list[End] = []

    async def receive() -> Message:
        return {"type": "http.disconnect"}

    async def send(_: Message) -> None:
        raise OSError  # as a server says that the client has gone

    async def leave() -> None:
        generation = CountedGeneration(Known().start(), "left")
        generation.when_ended(ends.append)
        stream = EventStream(GenerateStart(seed=1, model=ModelBody.of(ANSWER.model)), generation, {})
        with pytest.raises(ClientDisconnect):
            await stream({"type": "http", "asgi": {"spec_version": "2.4"}}, receive, send)
        with pytest.raises(asyncio.CancelledError):
            await generation.answer()

    asyncio.run(leave())
    assert ends == [End("cancelled", DRAWN)]
    assert count("generations", model="left", outcome="cancelled") == 1


def test_what_has_ended_is_not_cancelled_afterwards() -> None:
    ends: list[End] = []

    async def generate() -> None:
        generation = Known().start()
        generation.when_ended(ends.append)
        await streamed(generation)
        generation.cancel()
        assert await generation.answer() == ANSWER

    asyncio.run(generate())
    assert ends == [End("tunes", DRAWN)]
