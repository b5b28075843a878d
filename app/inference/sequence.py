"""One sequence's progress through the engine: the ids it was given, those it has made, and when it ends."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol, Self, runtime_checkable

import numpy as np
from numpy.typing import NDArray

from app.abc.lookback.plan import Planner
from app.inference.completion import Completion, FinishReason
from app.inference.memory import Memory
from app.inference.part_endings import PartEndings
from app.inference.sampler import SamplingParams
from app.inference.scoring import PromptScorer


class Constraint(Protocol):
    """Says, before each new id, which ones it may be."""

    @property
    def mask(self) -> NDArray[np.float32]:
        """What is added to the logits: 0 for what it may be, -inf for the rest, [V]."""
        ...

    def advance(self, id_: int) -> bool:
        """Take the new id; True ends the sequence."""
        ...


@runtime_checkable
class EndingConstraint(Constraint, Protocol):
    """One that can have a bar end on the tonic or away from it, as a tune's plan says."""

    def ending(self, tonic: str, *, at_home: bool, parts_left: int | None) -> NDArray[np.float32]:
        """The mask in a bar that is to end on the tonic, by its letter, or away from it, [V].

        Args:
            parts_left: how many parts follow the one that is to end with this bar; None: it need not.
        """
        ...

    def closing(self, parts_left: int) -> NDArray[np.float32]:
        """The mask behind the `|` of such a bar, where its part is to end, [V]."""
        ...

    def ended(self) -> NDArray[np.float32]:
        """The mask behind the last part, where the tune is to end if it may, [V]."""
        ...

    def copy(self) -> Self:
        """One that goes its own way from here."""
        ...

    def stand_as(self, other: Self) -> None:
        """Go on from where a copy stands."""
        ...


@dataclass(frozen=True)
class _Mark:
    """A place that a sequence may go back to: what was remembered, and where its constraint stood."""

    memory: Memory
    constraint: EndingConstraint


class Sequence:
    """Ids in, ids out; stepped by one thread at a time, which `cancel` alone need not be called by.

    Args:
        prompt: ids [N] int32, N ≥ 1, fed before anything is drawn.
        max_new: ids to make at the most, ≥ 1.
        params: how they are drawn.
        stop: told each new id, in order; True ends the sequence.
        constraint: what new ids may be, and when they are enough; it takes the place of `stop`.
        state: of another sequence, which this one goes on from.
        planner: of the tunes whose headers end with the prompt or later, for a model that is told plans.
        scored_from: the place in the prompt, ≥ 1, from which on its ids' probabilities are added up; None: nowhere.

    `new_ids` only grows, so another thread may read it at any time: from a mark on (`set_mark`) ids are kept back until
    it is certain that they stay. `state` is what is remembered of the sequence while it is not being stepped; None
    before its first step.
    """

    def __init__(
        self,
        prompt: NDArray[np.int32],
        max_new: int,
        params: SamplingParams,
        stop: Callable[[int], bool] = lambda _: False,
        constraint: Constraint | None = None,
        state: Memory | None = None,
        scored_from: int | None = None,
        planner: Planner | None = None,
    ) -> None:
        if not len(prompt):
            raise ValueError("a sequence needs at least one id to begin from")
        self.params = params
        self.constraint = constraint
        self.ending_constraint = constraint if isinstance(constraint, EndingConstraint) else None
        """The same, if it is of that kind: asked once, as to ask a protocol takes as long as three characters."""
        self.new_ids: list[int] = []
        self.finish_reason: FinishReason | None = None
        self.state = state
        self.fed = 0
        """Steps taken so far, without those that were taken back."""
        self.part_endings = PartEndings()
        self._prompt: list[int] = prompt.tolist()
        self._prompt_length = len(prompt)
        self._last = len(prompt) - 1 + max_new  # steps
        self._mark: _Mark | None = None
        self._kept_back: list[int] = []  # new ids since the mark
        self._taken_back = 0
        self.planner = planner
        self._stop = constraint.advance if constraint else stop
        self.scorer = PromptScorer(self._prompt, scored_from) if scored_from is not None else None

    @property
    def next_input(self) -> int:
        """The id that the coming step reads."""
        return self._prompt[self.fed] if self.fed < len(self._prompt) else (self._kept_back or self.new_ids)[-1]

    @property
    def next_draw(self) -> int:
        """The number of the draw that the coming step makes; below 0 while the prompt is being fed."""
        return self.fed + 1 - self._prompt_length + self._taken_back

    @property
    def prompt_left(self) -> int:
        """How many ids of the prompt are still to be fed."""
        return max(0, self._prompt_length - self.fed)

    def advance(self, drawn: int) -> int:
        """Take the result of one step, which is nobody's while the prompt is being fed.

        Returns:
            The id that the next step reads.
        """
        self.fed = fed = self.fed + 1
        if fed < self._prompt_length:
            return self._prompt[fed]
        (self._kept_back if self._mark else self.new_ids).append(drawn)
        if self._stop(drawn):
            self.finish_reason = FinishReason.TUNES
        elif fed >= self._last:
            self.finish_reason = FinishReason.LENGTH
        if self.finish_reason:
            self.leave_mark()
        return drawn

    def set_mark(self, memory: Memory, constraint: EndingConstraint) -> None:
        """Be ready to go back to this place.

        Args:
            memory: what is remembered before the coming step; nobody else changes it.
            constraint: that of the sequence.
        """
        self._mark = _Mark(memory, constraint.copy())

    def leave_mark(self) -> None:
        """What was kept back since the mark stays."""
        self._mark = None
        self.new_ids += self._kept_back
        self._kept_back = []

    def go_back(self, constraint: EndingConstraint) -> Memory:
        """Take back all since the mark, which is left where it is; what is drawn next is drawn anew.

        Returns:
            What was remembered there.
        """
        assert self._mark is not None  # noqa: S101
        self.fed -= len(self._kept_back)
        self._taken_back += len(self._kept_back)
        self._kept_back.clear()
        constraint.stand_as(self._mark.constraint)
        return self._mark.memory

    def cancel(self) -> None:
        """End it at the next step."""
        self.finish_reason = self.finish_reason or FinishReason.CANCELLED

    def completion(self) -> Completion:
        """What it came to; it has ended."""
        assert self.finish_reason is not None  # noqa: S101
        scored = self.scorer.log_probability if self.scorer else 0.0
        return Completion(tuple(self.new_ids), self.finish_reason, self.state, scored)
