"""The sequences that are stepped together, one a row, with their state."""

from array import array
from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray

from app.abc.lookback import Tracker
from app.inference.decoder import Decoder, Ids, State
from app.inference.memory import Memory
from app.inference.part_endings import Verdict
from app.inference.sampler import Sampler
from app.inference.scoring import PromptScorer
from app.inference.sequence import Constraint, EndingConstraint, Sequence
from app.operations import metrics

_OBSERVE_EVERY = 1024  # steps: what that costs is then lost among the others


class Batch:
    """Rows that sequences are put into and taken out of; an empty row is stepped to no end."""

    def __init__(self, decoder: Decoder) -> None:
        self._decoder = decoder
        self._anything = np.zeros(decoder.vocab_size, np.float32)
        self._steps = 0
        self._rows: list[Sequence | None]
        self._state: State
        self._next: NDArray[np.int32]  # the ids that the coming step reads, [B]
        self._ids: Ids  # what it reads, which may be more
        self._trackers: list[Tracker | None]
        self._told: list[bytes | array[int]]  # what each row's says
        self._tracked: list[tuple[int, Tracker]]  # those of the rows that are not empty, if the decoder is told more
        self._masks: list[NDArray[np.float32]]  # each row's, [V]
        self._gathered: NDArray[np.float32]  # where they are put side by side, [B · V]
        self._running: list[tuple[int, Sequence]]  # the rows that are not empty
        self._constrained: list[tuple[int, Constraint]]  # those that may not draw everything
        self._planned: list[
            tuple[int, Sequence, EndingConstraint, Tracker]
        ]  # those of them whose parts may have to end as planned
        self._ending: list[tuple[int, Sequence, EndingConstraint, Tracker]]  # those of these that are in a last bar
        self._scored: list[tuple[int, Sequence, PromptScorer]]  # those that are told what the model makes of a prompt
        self._unbegun: list[Sequence]  # those that have made no id yet
        self._sampler: Sampler
        self._lay_out(decoder.batch_sizes[0])

    def __len__(self) -> int:
        return len(self._running)

    def take_begun(self) -> list[Sequence]:
        """Those that have made their first id since this was last asked."""
        if not self._unbegun:
            return []
        begun = [sequence for sequence in self._unbegun if sequence.new_ids]
        self._unbegun = [sequence for sequence in self._unbegun if not sequence.new_ids]
        return begun

    def take_out(self, sequences: Iterable[Sequence]) -> None:
        """Take out sequences; they keep their state."""
        leaving = set(sequences)
        if not leaving:
            return
        for row, sequence in self._running:
            if sequence in leaving:
                sequence.state = Memory(tuple(part[row].copy() for part in self._state), self._trackers[row])
                self._trackers[row] = None
                self._rows[row] = None
                self._masks[row] = self._anything
                self._sampler.clear(row)
        self._list_rows()

    def clear(self) -> list[Sequence]:
        """Take out all sequences."""
        sequences = [sequence for _, sequence in self._running]
        self.take_out(sequences)
        return sequences

    def take_in(self, arriving: Iterable[Sequence]) -> None:
        """Take in sequences, and be of the smallest size that holds all."""
        arriving = list(arriving)
        running = len(self) + len(arriving)
        size = next(size for size in self._decoder.batch_sizes if size >= max(1, running))
        if size != len(self._rows):
            arriving = self.clear() + arriving
            self._lay_out(size)
        free = [row for row, sequence in enumerate(self._rows) if sequence is None]
        for row, sequence in zip(free, arriving, strict=False):
            self._put_in(row, sequence)
        self._list_rows()

    def step(self) -> bool:
        """One decoder step and one draw for every row; True once any sequence has begun or ended."""
        if self._tracked:
            self._follow()
        logits, self._state = self._decoder.step(self._ids, self._state)
        if not self._steps % _OBSERVE_EVERY:
            self._observe(logits)
        self._steps += 1
        for row, sequence, scorer in self._scored:
            scorer.take(sequence.fed + 1, logits[row])
        for row, sequence, ending, tracker in self._ending:
            endings, parts_left = sequence.part_endings, tracker.parts_left
            if tracker.ending is not None and not endings.redraws_left:
                self._masks[row] = ending.ending(tracker.tonic, at_home=tracker.ending, parts_left=parts_left)
            elif endings.is_over:
                self._masks[row] = ending.ended()
            elif endings.is_due and parts_left is not None:
                self._masks[row] = ending.closing(parts_left)
        drawn = self._sampler.sample(logits, self._mask() if self._constrained else None)
        ids, has_news = self._next, False
        for row, sequence in self._running:
            ids[row] = sequence.advance(drawn[row])
            if sequence.finish_reason:
                has_news = True
        if self._unbegun:
            has_news = has_news or any(sequence.new_ids for sequence in self._unbegun)
        masks = self._masks
        for row, constraint in self._constrained:
            masks[row] = constraint.mask
        return has_news

    def _follow(self) -> None:
        """Tell each tracker its row's next character, and gather what it says of it."""
        ids = self._next.tolist()
        for row, tracker in self._tracked:
            tracker.advance(ids[row])
        if self._ending:
            self._ending = []
        for each in self._planned:
            _, sequence, _, tracker = each
            if tracker.ending is not None or sequence.part_endings.place:
                self._follow_ending(*each)
                self._ending.append(each)
        if len(ids) > 1:  # a single tracker's row is what the decoder reads
            self._ids.reshape(-1)[:] = np.frombuffer(b"".join(self._told), np.int32)

    def _follow_ending(self, row: int, sequence: Sequence, constraint: EndingConstraint, tracker: Tracker) -> None:
        """Set or leave a row's mark, or go back to it; the decoder has not read yet what the tracker has."""
        verdict = sequence.part_endings.follow(
            tracker, may_redraw=not sequence.params.leaves_one(self._decoder.vocab_size)
        )
        if verdict is Verdict.MARK:
            arrays = tuple(part[row].copy() for part in self._state)
            sequence.set_mark(Memory(arrays, tracker.copy()), constraint)
        elif verdict is Verdict.KEEP:
            sequence.leave_mark()
        elif verdict is Verdict.AGAIN:
            memory = sequence.go_back(constraint)
            for part, known in zip(self._state, memory.arrays, strict=True):
                part[row] = known
            if memory.tracker:
                tracker.stand_as(memory.tracker)
            self._next[row] = sequence.next_input
            self._masks[row] = constraint.mask

    def _mask(self) -> NDArray[np.float32]:
        """Those of all rows, [B, V]."""
        if len(self._masks) == 1:
            return self._masks[0][None]
        return np.concatenate(self._masks, out=self._gathered).reshape(len(self._masks), -1)

    def _observe(self, logits: NDArray[np.float32]) -> None:
        metrics.BATCH_SIZE.observe(len(self))
        held = [row for row, sequence in self._running if sequence.constraint and sequence.next_draw >= 0]
        for removed in removed_mass(logits[held], np.isfinite(self._mask()[held])):
            metrics.MASK_REMOVED.observe(removed)

    def _lay_out(self, size: int) -> None:
        self._rows = [None] * size
        self._state = self._decoder.initial_state(size)
        self._next = self._ids = np.zeros(size, np.int32)
        self._trackers = [None] * size
        self._told = []
        if alphabet := self._decoder.alphabet:
            self._ids = np.zeros((size, 1 + alphabet.width), np.int32)
            self._told = [bytes(4 * (1 + alphabet.width))] * size
        self._masks = [self._anything] * size
        self._gathered = np.zeros(size * self._decoder.vocab_size, np.float32)
        self._list_rows()
        self._sampler = Sampler(size, self._decoder.vocab_size)

    def _put_in(self, row: int, sequence: Sequence) -> None:
        self._rows[row] = sequence
        self._next[row] = sequence.next_input
        self._sampler.put(row, sequence.params, sequence.next_draw)
        if sequence.constraint:
            self._masks[row] = sequence.constraint.mask
        for index, part in enumerate(self._state):
            part[row] = sequence.state.arrays[index] if sequence.state else 0.0
        if alphabet := self._decoder.alphabet:
            known = sequence.state.tracker if sequence.state else None
            tracker = known.copy() if known else Tracker(alphabet)
            tracker.plan_by(sequence.planner, after=sequence.prompt_left)
            self._trackers[row] = tracker
            self._told[row] = tracker.row
            if len(self._rows) == 1:
                self._ids = np.frombuffer(tracker.row, np.int32)[None]

    def _list_rows(self) -> None:
        self._running = [(row, sequence) for row, sequence in enumerate(self._rows) if sequence is not None]
        self._constrained = [(row, of.constraint) for row, of in self._running if of.constraint]
        self._scored = [(row, sequence, sequence.scorer) for row, sequence in self._running if sequence.scorer]
        self._unbegun = [sequence for _, sequence in self._running if not sequence.new_ids]
        self._planned = [
            (row, of, constraint, tracker)
            for row, of in self._running
            if (constraint := of.ending_constraint) and (tracker := self._trackers[row])
        ]
        self._ending = []
        self._tracked = [(row, tracker) for row, tracker in enumerate(self._trackers) if tracker]


def removed_mass(logits: NDArray[np.float32], allowed: NDArray[np.bool_]) -> NDArray[np.float64]:
    """Logits [B, V] and what may be drawn [B, V] → the probability of what may not, [B]."""
    mass = np.exp(logits - logits.max(axis=1, keepdims=True)).astype(np.float64)
    removed: NDArray[np.float64] = (mass * ~allowed).sum(axis=1) / mass.sum(axis=1)
    return removed
