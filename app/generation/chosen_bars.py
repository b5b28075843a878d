"""Which bars of a tune are made anew: the ones that were named, or a share of its different bars."""

from bisect import bisect_left
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from random import Random
from typing import Self

from app.abc.bar_spans import Region, regions
from app.abc.same_bars import Places, different_bars, numbers_of, places_of, replaceable
from app.abc.timed_notes import timed_bars
from app.errors import Fault, RequestError
from app.generation.infill_candidates import Run
from app.generation.jobs import MAX_BARS_ANEW, InfillJob, share_of
from app.generation.network_text import NetworkText
from app.grammar import Grammar
from app.grammar.infill_constraint import Refill, Span, refills

MAX_RUN = 4
"""Bars of a tune that is varied that are drawn in one run, a phrase: fewer than that, and more candidates are sound."""


@dataclass(frozen=True)
class ChosenBars:
    """What is made anew: where the chosen bars stand, in runs of neighbours, and what may stand in place of each.

    `places` are those of each chosen bar, the first of which is in one of the `runs`; `different`, where it is not
    None, are the numbers of bars that are the same, which stays so.
    """

    runs: tuple[Run, ...]
    places: dict[int, Places]  # by bar number
    refills: dict[int, Refill]  # likewise
    is_all_read: bool
    """whether the text holds nothing that no network has learnt"""
    different: list[list[int]] | None = None

    @classmethod
    def of(cls, grammar: Grammar, text: str, job: InfillJob) -> Self:
        """Find the bars.

        Raises:
            RequestError: there are no such bars, or this model cannot write any.
            BusyError: too many texts are waiting to be read.
        """
        different = None
        if job.vary is not None:
            chosen, different = _varied(text, job.vary, job.sampling.seed)
        elif job.everywhere:
            chosen, different = places_of(text, job.bars), numbers_of(different_bars(text))
        else:
            chosen = [(region,) for run in regions(text, list(job.bars)) for region in run]
        firsts = [places[0] for places in chosen]
        read, spans = _as_grammar_reads(text, firsts)
        made = refills(grammar, read, spans, job.wishes)
        max_run = len(firsts) if job.vary is None else MAX_RUN
        return cls(
            runs=tuple(_runs(firsts, max_run)),
            places={places[0].number: places for places in chosen},
            refills={first.number: refill for first, refill in zip(firsts, made, strict=True)},
            is_all_read=text.isascii() and read == text,
            different=different,
        )


def _varied(text: str, share: float, seed: int) -> tuple[list[Places], list[list[int]]]:
    """A share of the different bars, the same for a seed, and more of them with a greater share."""
    try:
        different = different_bars(text)
    except RequestError as error:
        raise _refused_to_vary(error.detail) from None
    can_be = replaceable(different)
    if share and not can_be:
        raise _refused_to_vary("no bar of this tune can be made anew: it has none, or fields, ties or slurs hold them")
    draw = Random(seed)  # noqa: S311
    order = sorted(can_be, key=lambda _: draw.random())
    wanted = min(MAX_BARS_ANEW, share_of(len(different), share))
    return places_of(text, order[:wanted]), numbers_of(different)


def _refused_to_vary(message: str) -> RequestError:
    return RequestError(message, faults=(Fault(message, field="vary"),))


def _runs(firsts: list[Region], max_run: int) -> Iterator[Run]:
    """Runs of neighbouring bars, of at most that many each."""
    run: list[Region] = []
    for region in firsts:
        if run and (region.number != run[-1].number + 1 or len(run) == max_run):
            yield tuple(run)
            run = []
        run.append(region)
    if run:
        yield tuple(run)


def _as_grammar_reads(text: str, chosen: Iterable[Region]) -> tuple[str, list[Span]]:
    """A tune without the marks that no network has learnt, and where the chosen bars stand in it."""
    read = NetworkText.of(text, set(text))
    bars = [bar for bar in timed_bars(text) if bar.places]
    firsts = [bar.places[0] for bar in bars]
    spans = []
    for region in chosen:
        bar = bars[bisect_left(firsts, region.end) - 1]
        room = bar.room_between(region.begin, region.end)
        spans.append(Span(read.position_of(region.begin), read.position_of(region.end), room, bar.over > 0))
    return read.read, spans
