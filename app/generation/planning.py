"""Draws a plan for each new tune among those of real tunes of its rhythm and metre: the same for the same seed."""

from functools import partial
from random import Random

from app.abc.lookback.header_numbers import form_number, meter_of_form
from app.abc.lookback.plan import RELATIONS, UNSAID, Part, Plan, Planner
from app.generation.drawn_headers import DrawnHeaders
from app.generation.jobs import seed_of_request
from app.generation.weighted_choice import Choice
from app.grammar import DrawnHeader, Form, Request
from model_store.errors import InvalidCheckpointError
from model_store.plans import Plans

MIN_PLANS = 20
"""Of a rhythm in a metre; where there are fewer, those of all rhythms in this metre are drawn from."""


_Parts = tuple[Part, ...]


class Planning:
    """The plans of a model, and the headers of the tunes that it learnt.

    Args:
        label: what the file is called in errors.

    Raises:
        InvalidCheckpointError: they say of bars what this Lilt does not know.
    """

    def __init__(self, known: Plans, label: str) -> None:
        by_form: dict[int, list[tuple[_Parts, int]]] = {}
        by_meter: dict[int, list[tuple[_Parts, int]]] = {}
        for each in known.plans:
            if any(bar >= RELATIONS for _, bars in each.parts for bar in bars):
                raise InvalidCheckpointError(f"{label}: plans that say of bars what this Lilt does not know")
            form = form_number(each.rhythm, each.meter)
            parts = tuple(Part(bars, at_home) for at_home, bars in each.parts)
            by_form.setdefault(form, []).append((parts, each.count))
            by_meter.setdefault(meter_of_form(form), []).append((parts, each.count))
        self._is_held, self._redraws = known.are_held, known.redraws
        self._headers = DrawnHeaders(known.headers)
        self._has_one_a_request = bool(known.headers)
        self._by_form = {form: Choice.of(plans) for form, plans in by_form.items() if _total(plans) >= MIN_PLANS}
        self._by_meter = {meter: Choice.of(plans) for meter, plans in by_meter.items() if _total(plans) >= MIN_PLANS}

    def planner(self, seed: int | None, form: Form | None = None) -> Planner:
        """One for a sequence of tunes, all of a form if one is asked for.

        Args:
            seed: that of the sequence; None takes the likeliest plan, as temperature 0 takes the likeliest character.
                Where headers are drawn, which settle what plans there are, all candidates of a request have the same
                plan too: what is chosen among them has forms and endings as often as they are drawn.
            form: what each tune is to have.
        """
        if seed is not None and self._has_one_a_request:
            seed = seed_of_request(seed)
        generator = None if seed is None else Random(f"plans of {seed}")  # noqa: S311

        def plan_of(number: int) -> Plan | None:
            choice = self._by_form.get(number) or self._by_meter.get(meter_of_form(number))
            if form:
                choice = choice and choice.only(partial(_has_form, form))
            if choice:
                return Plan(choice.draw(generator), self._is_held, self._redraws)
            return _of_form(form) if form else None

        return plan_of

    def headers(self, seed: int | None, request: Request | None = None, start_string: str = "") -> DrawnHeader | None:
        """Those of a sequence of tunes (see `DrawnHeaders.of_sequence`)."""
        return self._headers.of_sequence(seed, request or Request(), start_string)


def _total(counted: list[tuple[_Parts, int]]) -> int:
    return sum(count for _, count in counted)


def _has_form(form: Form, parts: _Parts) -> bool:
    return len(parts) == form.parts and all(len(part.bars) == form.bars for part in parts)


def _of_form(form: Form) -> Plan:
    """Nothing but its form."""
    return Plan((Part((UNSAID,) * form.bars, at_home=True),) * form.parts)
