"""Who runs, who waits and who is paused: decisions alone, without a thread or a lock."""

from collections import deque
from dataclasses import dataclass

from app.errors import BusyError
from app.inference.sequence import Sequence

TURN_STEPS = 512  # after so many, a sequence gives its place to one that waits, and queues again


@dataclass(frozen=True)
class Changes:
    """What changes in one lane between two steps.

    Args:
        leaving: sequences to take out of its batch, with their state.
        joining: those to put into it.
        ended: those that nobody steps any more; some of them never were in the batch.
    """

    leaving: tuple[Sequence, ...] = ()
    joining: tuple[Sequence, ...] = ()
    ended: tuple[Sequence, ...] = ()


class Scheduler:
    """Deals sequences out among lanes; lane 0 steps few of them together, the others share them out once it is full.

    Args:
        rooms: for each lane, the sequences that it can step together; one for lane 0 alone.
        max_waiting: sequences that may wait for their first step before new ones are turned away.
    """

    def __init__(self, rooms: tuple[int, ...], max_waiting: int) -> None:
        self._rooms = rooms
        self._max_waiting = max_waiting
        self._few, self._many = (0,), tuple(range(1, len(rooms)))
        self._running: tuple[dict[Sequence, int], ...] = tuple({} for _ in rooms)  # with `fed` when the turn began
        self.on_duty: tuple[int, ...] = self._few
        """The lanes that step; another one that holds sequences is to hand them over."""
        self.waiting: deque[Sequence] = deque()
        """The sequences that wait for a first step, or are paused until their next turn or room in another lane."""
        self.max_running = sum(rooms[1:] or rooms)

    @property
    def running(self) -> int:
        """Sequences that some lane steps."""
        return sum(map(len, self._running))

    @property
    def held(self) -> int:
        """Sequences that have not ended."""
        return self.running + len(self.waiting)

    def add(self, sequence: Sequence) -> None:
        """Queue a new sequence.

        Raises:
            BusyError: too many wait already.
        """
        unbegun = sum(not queued.fed for queued in self.waiting)
        if unbegun >= self._max_waiting:
            raise BusyError(f"{unbegun} requests are waiting already", retry_after_s=1)
        self.waiting.append(sequence)
        self._choose_lanes()

    def is_settled(self, lane: int) -> bool:
        """Whether the lane can take another step as it is, as far as other sequences than its own go."""
        return not self.waiting and lane in self.on_duty

    def schedule(self, lane: int) -> Changes:
        """Let go of the lane's sequences that have ended, and let in its share of those that wait."""
        running = self._running[lane]
        ended = [sequence for sequence in running if sequence.finish_reason]
        for sequence in ended:
            del running[sequence]
        self._choose_lanes()
        if lane not in self.on_duty:
            return Changes(leaving=(*ended, *self._hand_over(lane)), ended=tuple(ended))
        leaving = (*ended, *self._pause(lane))
        joining, cancelled = self._admit(lane)
        self._choose_lanes()
        return Changes(leaving, joining, (*ended, *cancelled))

    def give_up(self, lane: int) -> tuple[Sequence, ...]:
        """Let go of all that the lane was stepping."""
        running = self._running[lane]
        given_up = tuple(running)
        running.clear()
        self._choose_lanes()
        return given_up

    def _hand_over(self, lane: int) -> tuple[Sequence, ...]:
        """Queue all of a lane's sequences, before those that have not begun."""
        handed_over = self.give_up(lane)
        self.waiting.extendleft(reversed(handed_over))
        return handed_over

    def _pause(self, lane: int) -> tuple[Sequence, ...]:
        """Queue as many as there is no room for, of those that have had their turn."""
        running = self._running[lane]
        crowd = self.held - self.max_running
        if crowd <= 0:
            return ()
        had_turn = [sequence for sequence, began in running.items() if sequence.fed - began >= TURN_STEPS]
        paused = tuple(had_turn[:crowd])
        for sequence in paused:
            del running[sequence]
        self.waiting.extend(paused)
        return paused

    def _admit(self, lane: int) -> tuple[tuple[Sequence, ...], tuple[Sequence, ...]]:
        """The lane's share of the waiting sequences, and the cancelled ones among them."""
        running = self._running[lane]
        share = min(self._rooms[lane], -(-self.held // len(self.on_duty)))
        joining, cancelled = [], []
        while self.waiting and len(running) < share:
            sequence = self.waiting.popleft()
            if sequence.finish_reason:
                cancelled.append(sequence)
            else:
                running[sequence] = sequence.fed
                joining.append(sequence)
        return tuple(joining), tuple(cancelled)

    def _choose_lanes(self) -> None:
        """Lane 0 alone for few sequences, the other lanes for many; in between the choice stays as it was."""
        max_few = self._rooms[0] if self.on_duty is self._few else self._rooms[0] * 3 // 4
        self.on_duty = self._many if self._many and self.held > max_few else self._few
