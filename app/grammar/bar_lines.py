"""Rules for bar lines: whole bars, pickups and their completion, repeats, endings and the end of the tune.

Every rule takes the state before a bar line and answers the state after it, or None where that bar line is wrong.
A section that ends inside a bar (`d6:|A2|`) leaves the rest of the bar to the next one (`Body.split`), so that both
together are whole; a repeat that began with a pickup must end as much too early, for it goes back to that pickup.
ABC standard 2.1, sections 4.8 (bar lines), 4.9 and 4.10 (first and second repeats).
"""

from app.grammar.state import At, Body, Partner, Repeat


def plain(state: Body) -> Body | None:
    """`|`: the bar is whole, or it is the tune's pickup."""
    is_pickup = state.opening and state.left > 0
    if state.fresh or (state.left and not is_pickup) or not _tie_holds_over_bar(state):
        return None
    if is_pickup and state.named and state.left % state.context.chord_stroke:
        return None
    bars = _bars_with_this(state)
    if state.context.form and (bars >= state.context.form.bars or state.ending):
        return None
    return _new_bar(state)._replace(
        at=At.BAR_LINE, bars=bars, pickup=state.context.bar - state.left if is_pickup else state.pickup
    )


def double_bar(state: Body) -> Body | None:
    """`||`: a section without repeat, or a second ending, is over; its last bar may want its pickup."""
    is_last_bar = state.left in (0, state.pickup)
    form = state.context.form
    is_part = form is None or (_bars_with_this(state) == form.bars and form.repeated == (state.ending > 0))
    if not is_last_bar or not is_part or (form and state.left != state.pickup):
        return None
    return split_section(state)


def final_bar(state: Body) -> Body | None:
    """`|]`: the same, where the tune may end."""
    after = double_bar(state)
    form = state.context.form
    if not after or not after.final or (form and not form.repeated and not after.over):
        return None
    return after


def split_section(state: Body) -> Body | None:
    """A section ends inside any bar, which goes on after it: sound, but generated only where a pickup is wanting."""
    if not _may_turn(state) or state.repeat is Repeat.OPEN or state.ending == 1:
        return None
    is_odd = state.left % state.context.chord_stroke > 0 and state.left != state.pickup
    if is_odd or (state.left and (state.opening or state.split)):
        return None
    after = _next_part(_turn(state))
    may_end = after.over if state.context.form else state.left in (0, state.pickup)
    return after._replace(at=At.BAR_LINE, repeat=Repeat.CLOSED, ending=0, pickup=state.left, final=may_end)


def close_repeat(state: Body) -> Body | None:
    """`:|`: back to the last `|:`, or to the beginning; after a first ending the second follows."""
    if not _may_turn(state) or state.repeat is Repeat.CLOSED or state.ending == 2 or state.left != state.pickup:
        return None
    form = state.context.form
    if state.ending:
        after = _new_bar(state)._replace(at=At.SECOND, ending=2, repeat=Repeat.CLOSED)
        return after._replace(bars=form.bars - 1) if form else after
    if form and not (form.repeated and _bars_with_this(state) == form.bars):
        return None
    after = _next_part(_turn(state))
    return after._replace(at=At.BAR_LINE, repeat=Repeat.CLOSED, final=after.over or not form)


def double_repeat(state: Body) -> Body | None:
    """`::`: a repeated section is over and another begins."""
    after = close_repeat(state)
    if not after or state.ending or after.over:
        return None
    return after._replace(at=At.OPENING, repeat=Repeat.OPEN, final=False)


def open_repeat(state: Body) -> Body | None:
    """`|:`: by itself at the start of a bar, or in place of the bar line before it."""
    if state.tie or state.slur or state.over or state.repeat is Repeat.OPEN or state.ending == 1:
        return None
    return _open_repeat_alone(state) if state.fresh else _open_repeat_after_bar(state)


def _open_repeat_alone(state: Body) -> Body | None:
    form = state.context.form
    if (state.ending and state.at is not At.LINE) or (form and (state.bars or not form.repeated)):
        return None
    return state._replace(
        at=At.OPENING, repeat=Repeat.OPEN, pickup=state.left if state.split else 0, ending=0, final=False
    )


def _open_repeat_after_bar(state: Body) -> Body | None:
    is_pickup = state.opening and state.left > 0
    form = state.context.form
    if state.left and not is_pickup:
        return None
    if not state.ending:
        if form and not (is_pickup and form.repeated):
            return None
        after = _new_bar(state)
    else:
        after = _next_part(_new_bar(state))
        if state.pickup or (form and (_bars_with_this(state) != form.bars or after.over)):
            return None
    return after._replace(at=At.OPENING, repeat=Repeat.OPEN, ending=0, pickup=0)


def first_ending(state: Body) -> Body | None:
    """`|1`, or `[1` on a new line: after a whole bar within a repeat."""
    if state.tie or state.slur or state.repeat is Repeat.CLOSED or state.ending or state.split:
        return None
    is_after_bar = state.at in (At.LINE, At.LINE_BRACKET) and not state.opening if state.fresh else not state.left
    bars = state.bars if state.fresh else _bars_with_this(state)
    form = state.context.form
    if not is_after_bar or (form and not (form.repeated and bars == form.bars - 1)):
        return None
    return _new_bar(state)._replace(at=At.OPENING, ending=1, bars=bars, final=False)


def needs_repeat_sign(state: Body) -> bool:
    """Whether the form wants `|:` before the next note."""
    form = state.context.form
    return form is not None and form.repeated and state.repeat is Repeat.CLOSED and not state.ending


def goes_on(state: Body) -> bool:
    """Whether the form lets another bar of the part follow this one, pickup or not."""
    form = state.context.form
    return form is None or state.bars + (not state.split) < form.bars


def _may_turn(state: Body) -> bool:
    """Whether anything but a plain bar line can stand here: no tie or slur reaches over it."""
    return not (state.fresh or state.tie or state.slur)


def _tie_holds_over_bar(state: Body) -> bool:
    """Whether the tied note sounds the same after the bar line, which ends the accidentals of the bar."""
    return not state.tie or not state.altered or state.tie[0] in "^_="


def _new_bar(state: Body) -> Body:
    return state._replace(
        left=state.context.bar,
        fresh=True,
        opening=False,
        named=False,
        split=False,
        altered=False,
        partner=state.partner if state.partner >= Partner.TRIPLET else Partner.NONE,
        shift=0,
    )


def _turn(state: Body) -> Body:
    """The same bar goes on after the bar line if it is not whole; otherwise a new one begins."""
    after = _new_bar(state)
    if not state.left:
        return after
    passed = state.context.bar - state.left
    return after._replace(left=state.left, split=True, shift=-passed % (2 * state.context.swung or 1))


def _next_part(state: Body) -> Body:
    form = state.context.form
    if not form:
        return state
    return state._replace(part=state.part + 1, bars=0, over=state.part + 1 == form.parts)


def _bars_with_this(state: Body) -> int:
    """Whole bars of the part, counting the one that ends here; a pickup is part of a bar that is counted elsewhere."""
    is_upbeat = state.split or (state.opening and state.left > 0)
    return state.bars + 1 if state.context.form and not is_upbeat else state.bars
