"""The rules of header and body as one transition function, and how far each state is from the end of its tune.

Distances are counted in characters along the closing path. A state from which there is none is not safe; near the limit
of a length they decide what still leaves time to end the tune.
"""

from app.grammar import body, closing_path, header
from app.grammar.header import Header
from app.grammar.request import Form
from app.grammar.state import At, Body, Repeat
from app.grammar.ticks import METERS
from app.grammar.tune_context import TuneContexts

State = Header | Body

FAR = 1 << 20  # characters: no end within reach
_DETOUR = 100  # characters that the way to the end may be longer from the middle of something, besides twice the way


class Specification:
    """The rules for tunes of one alphabet; distances are cached."""

    def __init__(self, alphabet: str) -> None:
        self._writable = frozenset(alphabet)
        self._contexts = TuneContexts(alphabet)
        self._distances: dict[State, int] = {}

    def __len__(self) -> int:
        """The number of states whose distance is cached."""
        return len(self._distances)

    def step(self, state: State, character: str) -> State | None:
        """The state after one more character; None if it cannot stand there."""
        if isinstance(state, Body):
            return body.step(state, character)
        after = header.step(state, character)
        return self.start_body(after) if after and after.done else after

    def start_body(self, after: Header) -> Body | None:
        """The first state of the bars after a header; fields that a faulty one lacks take their usual values."""
        meter = after.meter or METERS["4/4"]
        context = self._contexts.of(
            meter, after.unit or meter.default_unit, after.sharps, after.fields.request, after.is_swung
        )
        return Body.start(context) if context.pitches.endings else None

    def in_last_bar(self, state: Body, parts_left: int) -> list[Body]:
        """The state in tunes whose parts have one bar each, in each form that it may be of; none where one is kept."""
        if state.context.form:
            return []
        is_within_repeat = state.repeat is Repeat.OPEN or state.ending > 0
        ways = [(True, state.pickup)] if is_within_repeat or state.repeat is Repeat.FIRST else []
        if state.ending == 2 or not is_within_repeat:  # then its end need not lack what the pickup has
            ways += [(is_within_repeat, state.pickup), (is_within_repeat, 0)]
        return [
            state._replace(
                context=self._contexts.with_form(state.context, Form(1, 2, is_repeated)),
                bars=0,
                part=0 if parts_left > 0 else 1,
                pickup=pickup,
            )
            for is_repeated, pickup in dict.fromkeys(ways)
        ]

    def is_safe(self, state: State) -> bool:
        """Whether the tune can be ended from here, however long it takes."""
        if isinstance(state, Header):
            return self.distance(header.after_title(state) or state) < FAR
        return self.distance(state) < FAR

    def distance(self, state: State) -> int:
        """Characters to the end by the closing path, which is short if not always the shortest.

        Follows the path to the end or to a cached state, and caches every state on it.
        """
        path: dict[State, int] = {}  # characters from each state to the next
        here = _as_far(state)
        while (distance := self._distances.get(here)) is None:
            stride = self._stride(here)
            if isinstance(here, Body) and here.at is At.END:
                distance = self._distances[here] = 0
            elif stride is None or stride[1] in path or len(path) > closing_path.LONGEST_WALK:
                distance = self._distances[here] = FAR
            else:
                path[here], here = stride[0], _as_far(stride[1])
                continue
            break
        for passed, characters in reversed(path.items()):
            distance = self._distances[passed] = min(distance + characters, FAR)
        return distance

    def distance_after(self, state: State, character: str) -> int:
        """The distance from where a character leads, and of a new tie, which is still without its text, that too."""
        following = self.step(state, character)
        if following is None:
            return FAR
        is_new_tie = isinstance(following, Body) and following.tie == body.WILDCARD and following.at is At.GAP
        was_tied = isinstance(state, Body) and bool(state.tie)
        return self.distance(following) + body.LONGEST_TIE * (is_new_tie and not was_tied)

    def horizon(self, state: State) -> int:
        """Below this remaining length distances matter; above it, any state with such a context can end in time."""
        start = Body.start(state.context) if isinstance(state, Body) else Header(state.fields)
        return _DETOUR + 2 * self.distance(start)

    def longest_way(self, state: State) -> int:
        """Characters that no way to the end from here takes more of."""
        return min(self.horizon(state), _DETOUR + 2 * self.distance(state))

    def _stride(self, state: State) -> tuple[int, State] | None:
        """One stride of the closing path: its length in characters and where it leads; None where there is none."""
        if isinstance(state, Body):
            return closing_path.next_state(state)
        character = header.next_character(state)
        following = self.step(state, character) if character in self._writable else None
        return (1, following) if following else None


def _as_far(state: State) -> State:
    """A state that is as far from the end: accidentals matter to ties alone, and a pitch is any pitch."""
    if not isinstance(state, Body):
        return state
    if state.may_have_length:
        state = state._replace(at=At.LENGTH, word=state.context.lengths)
    return state._replace(altered=False) if state.altered and not state.tie else state
