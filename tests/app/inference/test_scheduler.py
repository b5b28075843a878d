"""Who runs, who waits and who is paused, as a table of what happens and what comes of it."""

import numpy as np
import pytest

from app.errors import BusyError
from app.inference.completion import FinishReason
from app.inference.sampler import SamplingParams
from app.inference.scheduler import TURN_STEPS, Scheduler
from app.inference.sequence import Sequence


class Play:
    """A scheduler and sequences with names of one letter.

    `+a` queues a, `a*` is a turn of a's steps, `a.` its last, and a number has that lane look for changes.
    """

    def __init__(self, rooms: tuple[int, ...], script: str, max_waiting: int = 100) -> None:
        self.scheduler = Scheduler(rooms, max_waiting)
        self.sequences: dict[str, Sequence] = {}
        self.lanes: list[list[str]] = [[] for _ in rooms]
        self.ended = ""
        for event in script.split():
            self._happen(event)

    def _happen(self, event: str) -> None:
        if event.startswith("+"):
            self.sequences[event[1]] = sequence()
            self.scheduler.add(self.sequences[event[1]])
        elif event.endswith("*"):
            self.sequences[event[0]].fed += TURN_STEPS
        elif event.endswith("."):
            self.sequences[event[0]].finish_reason = FinishReason.LENGTH
        else:
            self._schedule(int(event))

    def _schedule(self, lane: int) -> None:
        names = {sequence: name for name, sequence in self.sequences.items()}
        changes = self.scheduler.schedule(lane)
        for gone in changes.leaving:
            self.lanes[lane].remove(names[gone])
        self.lanes[lane] += [names[come] for come in changes.joining]
        self.ended += "".join(names[ended] for ended in changes.ended)

    def __str__(self) -> str:
        """The lanes' sequences, those that wait, and those that have ended."""
        waiting = {sequence: name for name, sequence in self.sequences.items()}
        lanes = "|".join(map("".join, self.lanes))
        return f"{lanes} waiting:{''.join(waiting[each] for each in self.scheduler.waiting)} ended:{self.ended}"


def sequence() -> Sequence:
    return Sequence(np.zeros(1, np.int32), 1, SamplingParams())


TABLE = [
    # rooms, what happens, and what comes of it
    ((2,), "+a +b +c 0", "ab waiting:c ended:"),
    ((2,), "+a +b +c 0 a. 0", "bc waiting: ended:a"),
    ((2,), "+a +b +c 0 a* 0", "bc waiting:a ended:"),  # a has had its turn, and c waits
    ((2,), "+a +b 0 a* 0", "ab waiting: ended:"),  # nobody waits
    ((2,), "+a +b +c 0 a* b* 0", "bc waiting:a ended:"),  # there is one too many, not two
    ((2,), "+a +b +c 0 a* 0 b* 0", "ca waiting:b ended:"),
    ((1,), "+a +b +c 0 b. a. 0", "c waiting: ended:ab"),  # b was left while it waited
    ((1,), "+a a. 0", " waiting: ended:a"),
    ((2, 2, 2), "+a +b 0", "ab|| waiting: ended:"),
    ((2, 2, 2), "+a +b 0 +c", "ab|| waiting:c ended:"),  # lane 0 has not looked yet
    ((2, 2, 2), "+a +b 0 +c 0", "|| waiting:abc ended:"),  # it hands over, before those that have not begun
    ((2, 2, 2), "+a +b 0 +c 0 1 2", "|ab|c waiting: ended:"),
    ((2, 2, 2), "+a +b +c +d 1 2", "|ab|cd waiting: ended:"),
    ((2, 2, 2), "+a +b +c +d +e 1 2", "|ab|cd waiting:e ended:"),
    ((2, 2, 2), "+a +b +c +d +e 1 2 c* 2", "|ab|de waiting:c ended:"),
    ((2, 2, 2), "+a +b +c 1 2 a. 1", "|b|c waiting: ended:a"),  # two left: not few enough to go back for
    ((2, 2, 2), "+a +b +c 1 2 a. b. 1 2 0", "c|| waiting: ended:ab"),
    ((2, 2, 2), "+a +b +c 1 2 a. b. 1 0", "||c waiting: ended:ab"),  # lane 2 has not looked yet
]


@pytest.mark.parametrize(("rooms", "script", "outcome"), TABLE)
def test_who_runs_and_who_waits(rooms: tuple[int, ...], script: str, outcome: str) -> None:
    assert str(Play(rooms, script)) == outcome


def test_new_sequences_are_turned_away_where_too_many_wait_for_their_first_step() -> None:
    play = Play((1,), "+a 0 +b +c", max_waiting=2)
    with pytest.raises(BusyError, match="2 requests are waiting already"):
        play.scheduler.add(sequence())
    assert play.scheduler.held == 3


def test_one_that_is_paused_keeps_nobody_out() -> None:
    play = Play((1,), "+a 0 +b a* 0", max_waiting=1)
    assert str(play) == "b waiting:a ended:"
    play.scheduler.add(sequence())


def test_what_a_lane_gives_up_is_held_no_more() -> None:
    play = Play((2, 2, 2), "+a +b +c +d 1 2")
    assert len(play.scheduler.give_up(1)) == 2
    assert (play.scheduler.running, play.scheduler.held) == (2, 2)


def test_a_lane_takes_another_step_while_nobody_else_comes_or_goes() -> None:
    assert Play((2,), "+a 0").scheduler.is_settled(0)
    assert not Play((2,), "+a 0 +b").scheduler.is_settled(0)
    assert not Play((1, 1, 1), "+a 0 +b 1 2").scheduler.is_settled(0)
