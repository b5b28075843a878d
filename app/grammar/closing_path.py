"""The closing path: from any state, one short sequence of characters that completes the tune.

A state from which this path reaches the end is safe; the grammar lets a character through only if it leads to a safe
state, and so never runs into a dead end.
"""

from collections.abc import Iterator

from app.grammar.bar_lines import double_bar, needs_repeat_sign
from app.grammar.body import SLUR_CLOSABLE, WILDCARD, note_written, step, ticks_spent
from app.grammar.dawg import Node
from app.grammar.state import At, Body

LONGEST_WALK = 5000  # strides


def next_state(state: Body) -> tuple[int, Body] | None:
    """One stride of the path, to the end of a note at most: its length in characters and where it leads."""
    if state.at in (At.LENGTH, At.REST) or state.may_have_length:
        return _finish_note(state)
    for character in _candidates(state):
        is_writable = character in state.context.writable or character == WILDCARD
        following = step(state, character) if is_writable else None
        if following:
            finished = _finish_note(following) if following.may_have_length else None
            return (1 + finished[0], finished[1]) if finished else (1, following)
    return None


def is_filled(state: Body) -> bool:
    """Whether a bar line is tried next, between notes: the bar is whole, or as long as its section wants its last."""
    if state.tie:
        return not (state.left or state.tuplet)
    return not (state.fresh or state.broken or state.tuplet) and state.left in (0, state.pickup)


def _finish_note(state: Body) -> tuple[int, Body] | None:
    """With the length that brings the end of the bar nearest, and the end of a slur."""
    word = state.context.lengths if state.at is At.PITCH else state.word
    assert word is not None  # noqa: S101
    goal = state.left - state.pickup if state.left > state.pickup else state.left
    for ending in _fitting(state, word, goal):
        note = note_written(state._replace(word=word.walk(ending)))
        if note:
            return _close_slur(state, note, ending)
    return None


def _fitting(state: Body, word: Node[int] | Node[bool], goal: int) -> Iterator[str]:
    """Endings of a length, the longest that takes no more ticks than the goal first, then those that take more."""
    lengths = word.shortest_endings
    for ending, ticks in lengths:
        spent = ticks_spent(state, ticks)
        if spent is not None and spent <= goal:
            yield ending
    for ending, ticks in reversed(lengths):
        spent = ticks_spent(state, ticks)
        if spent is not None and spent > goal:
            yield ending


def _close_slur(state: Body, note: Body, ending: str) -> tuple[int, Body]:
    if note.slur == SLUR_CLOSABLE and ")" in state.context.writable:
        return len(ending) + 1, note._replace(slur=0)
    return len(ending), note._replace(edge=state.edge and not ending)


def _candidates(state: Body) -> Iterator[str]:
    """Characters to try, the shortest path first."""
    if state.word is not None and state.word.meaning is None:
        ending, _ = next(iter(state.word.endings), ("", None))
        yield from ending[:1]
        return
    note = state.tie[0] if state.tie else state.context.pitches.endings[0][0][0]
    match state.at:
        case At.CHORD | At.CHORD_PITCH | At.LINE_BRACKET:
            yield note if state.members < 2 else "]"
        case At.GRACE if not state.members:
            yield note
        case At.GRACE | At.GRACE_PITCH | At.GRACE_LENGTH:
            yield "}"
        case At.PAREN:
            yield note
            yield from sorted(state.context.tuplets, key="3245".index)
        case At.TIED | At.FORCED:
            yield state.tie[0]
        case At.BAR:
            yield "]"
            section = double_bar(state)
            if section and section.final:
                yield "|"
            yield from (note, "|", ":", "1")
        case At.BAR_BRACKET:
            yield from (note, "1")
        case At.FRESH_BAR:
            yield ":"
        case At.COLON | At.PITCH_COLON:
            yield from "|:"
        case At.SECOND | At.SECOND_LINE | At.SECOND_BRACKET:
            yield from "2["
        case _:
            yield from _between(state)


def _between(state: Body) -> Iterator[str]:
    if state.final and state.at in (At.LINE, At.BAR_LINE):
        yield "\n"
    elif is_filled(state):
        yield from "|" if state.tie else ":|"
    elif state.tie:
        yield state.tie[0]
    elif state.fresh and needs_repeat_sign(state):
        yield from "| "
    yield state.context.pitches.endings[0][0][0]
