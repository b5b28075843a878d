"""The result of a sequence, a value: its new ids, why it ended, and the state after it."""

from dataclasses import dataclass
from enum import StrEnum

from app.inference.memory import Memory


class FinishReason(StrEnum):
    TUNES = "tunes"  # the stop rule or the constraint said so
    LENGTH = "length"  # as many ids as were asked for
    CANCELLED = "cancelled"  # nobody waits for it any more


@dataclass(frozen=True, eq=False)
class Completion:
    """A sequence that has ended.

    Args:
        new_ids: those that were made.
        state: what is remembered of it; None where it was never stepped.
        log_probability: nats of the part of its prompt that was to be scored; 0 where none was.
    """

    new_ids: tuple[int, ...]
    finish_reason: FinishReason
    state: Memory | None = None
    log_probability: float = 0.0
