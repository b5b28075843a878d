"""Draws a plan for each new tune among those of real tunes of its rhythm and metre: the same for the same seed."""

from bisect import bisect_right
from collections.abc import Iterable
from dataclasses import dataclass, replace
from itertools import accumulate
from random import Random
from typing import Self

from app.abc.lookback.header_numbers import form_number, meter_of_form
from app.abc.lookback.plan import RELATIONS, UNSAID, Part, Plan, Planner
from app.grammar.request import Form
from model_store.errors import InvalidCheckpointError
from model_store.plans import Plans

MIN_PLANS = 20
"""Of a rhythm in a metre; where there are fewer, those of all rhythms in this metre are drawn from."""


@dataclass(frozen=True)
class _Choice:
    """Plans, and how often each of them or one before it was seen."""

    plans: tuple[tuple[Part, ...], ...]
    ends: tuple[int, ...]

    @classmethod
    def of(cls, counted: Iterable[tuple[tuple[Part, ...], int]]) -> Self:
        plans, counts = zip(*counted, strict=True)
        return cls(plans, tuple(accumulate(counts)))

    @property
    def counts(self) -> list[int]:
        """How often each plan was seen."""
        return [end - before for end, before in zip(self.ends, (0, *self.ends), strict=False)]

    def draw(self, generator: Random) -> Plan:
        return Plan(self.plans[bisect_right(self.ends, generator.random() * self.ends[-1])])

    def likeliest(self) -> Plan:
        return Plan(self.plans[self.counts.index(max(self.counts))])

    def like(self, form: Form) -> Self | None:
        """Those of that form; None where there are none."""
        found = [(plan, count) for plan, count in zip(self.plans, self.counts, strict=True) if _has_form(plan, form)]
        return type(self).of(found) if found else None


class Planning:
    """The plans of a model.

    Args:
        label: what the file is called in errors.

    Raises:
        InvalidCheckpointError: they say of bars what this Lilt does not know.
    """

    def __init__(self, known: Plans, label: str) -> None:
        by_form: dict[int, list[tuple[tuple[Part, ...], int]]] = {}
        by_meter: dict[int, list[tuple[tuple[Part, ...], int]]] = {}
        for each in known.plans:
            if any(bar >= RELATIONS for _, bars in each.parts for bar in bars):
                raise InvalidCheckpointError(f"{label}: plans that say of bars what this Lilt does not know")
            form = form_number(each.rhythm, each.meter)
            parts = tuple(Part(bars, at_home) for at_home, bars in each.parts)
            by_form.setdefault(form, []).append((parts, each.count))
            by_meter.setdefault(meter_of_form(form), []).append((parts, each.count))
        self._is_held, self._redraws = known.are_held, known.redraws
        self._by_form = {form: _Choice.of(plans) for form, plans in by_form.items() if _total(plans) >= MIN_PLANS}
        self._by_meter = {meter: _Choice.of(plans) for meter, plans in by_meter.items() if _total(plans) >= MIN_PLANS}

    def planner(self, seed: int | None, form: Form | None = None) -> Planner:
        """One for a sequence of tunes, all of a form if one is asked for.

        Args:
            seed: that of the sequence; None takes the likeliest plan, as temperature 0 takes the likeliest character.
            form: what each tune is to have.
        """
        generator = None if seed is None else Random(f"plans of {seed}")  # noqa: S311

        def plan_of(number: int) -> Plan | None:
            choice = self._by_form.get(number) or self._by_meter.get(meter_of_form(number))
            if form:
                choice = choice and choice.like(form)
            if choice:
                plan = choice.draw(generator) if generator else choice.likeliest()
                return replace(plan, is_held=self._is_held, redraws=self._redraws)
            return _of_form(form) if form else None

        return plan_of


def _total(counted: list[tuple[tuple[Part, ...], int]]) -> int:
    return sum(count for _, count in counted)


def _has_form(parts: tuple[Part, ...], form: Form) -> bool:
    return len(parts) == form.parts and all(len(part.bars) == form.bars for part in parts)


def _of_form(form: Form) -> Plan:
    """Nothing but its form."""
    return Plan((Part((UNSAID,) * form.bars, at_home=True),) * form.parts)
