"""The one interface of everything that is under way to an answer: its text as a stream, and the answer."""

from collections.abc import AsyncGenerator, Callable
from dataclasses import dataclass
from typing import Protocol

from app.generation.answer import Answer

KEEP_ALIVE_S = 10.0  # proxies drop a connection that is silent for longer, often for 30 to 60 s


@dataclass(frozen=True)
class End:
    """How a generation ended, and the characters made for it: those of tunes that were not chosen too."""

    outcome: str
    characters: int


CANCELLED = "cancelled"
FAILED = "failed"


class Generation(Protocol):
    """A job on its way to an answer.

    Its errors are DeadlineError: it took too long; DecoderError: the decoder failed; BusyError: too much waits already;
    RequestError: what was asked for cannot be had.
    """

    def when_ended(self, call: Callable[[End], None]) -> None:
        """Call once no more characters will be made, before the answer is given."""
        ...

    def cancel(self) -> None:
        """Leave the work, which then has ended; nothing where it has already."""
        ...

    async def answer(self) -> Answer:
        """The answer; leaving early ends the work for it. After `chunks`, that of the same text."""
        ...

    def chunks(self) -> AsyncGenerator[str, None]:
        """The new text, piece by piece as it is made; "" now and then while there is none."""
        ...
