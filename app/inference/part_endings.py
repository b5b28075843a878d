"""Says when the last bar of a planned part is to be drawn again, since it ends otherwise than planned, and when to end.

What is kept of such draws has the network's own distribution given its ending (rejection sampling), where a mask would
cut off what the network had in mind. The mask is left once the bar has been drawn as often as the plan allows; then it
has the part end too, for of what comes after a planned end no network has learnt anything. Nor of what comes after the
last planned part, behind which a tune that can end does.
"""

from enum import Enum, auto

from app.abc.lookback.tracker import Tracker

_TONIC = 1  # its degree


class Verdict(Enum):
    """What is to be done before the character is read that a tracker was told last."""

    NONE = auto()
    MARK = auto()  # remember this place: a last bar begins
    KEEP = auto()  # the part has ended, or is left as it is
    AGAIN = auto()  # go back to the mark


class PartEndings:
    """Those of one sequence, which `follow` is asked about after each character."""

    def __init__(self) -> None:
        self.place: tuple[int, int] | None = None
        """The last bar that is followed to the end of its part; None between these."""
        self.redraws_left = 0
        """Of that bar; with none it is held to its ending by the mask."""
        self._at_home = False
        self._is_filled = False  # whether the bar has ended, as planned if that can be; its part may still go on
        self.is_over = False
        """Whether all planned parts have ended, and nothing follows them yet: `place` is behind them."""

    @property
    def is_due(self) -> bool:
        """Whether the part has all its bars, and is not to be drawn again: what comes next is to end it."""
        return self.place is not None and self._is_filled and not (self.redraws_left or self.is_over)

    def follow(self, tracker: Tracker, *, may_redraw: bool) -> Verdict:
        """Take note of a character, which may have ended the bar or its part.

        Args:
            may_redraw: whether another draw would give anything else.
        """
        if self.is_over:
            if tracker.in_body and tracker.bar_of_part == self.place and not tracker.ticks:
                return Verdict.NONE
            self.place, self.is_over = None, False
        if self.place is None:
            return self._begin(tracker, may_redraw=may_redraw)
        part, bar = self.place
        at = tracker.bar_of_part
        if at == self.place and tracker.in_body:
            return Verdict.NONE
        goes_on = at == (part, bar + 1) and tracker.in_body
        if self._is_filled:
            is_right = not (goes_on and tracker.ticks)
        else:
            self._is_filled, is_right = True, (tracker.degree == _TONIC) == self._at_home
        is_open = goes_on and not tracker.ticks
        if is_open and (is_right or not self.redraws_left):  # whether it ends here, the next characters tell
            return Verdict.NONE
        if is_right or not self.redraws_left:
            left = tracker.parts_left
            self.is_over = not goes_on and tracker.in_body and left is not None and left < 0
            self.place = at if self.is_over else None
            return Verdict.KEEP
        self.redraws_left -= 1
        self._is_filled = False
        return Verdict.AGAIN

    def _begin(self, tracker: Tracker, *, may_redraw: bool) -> Verdict:
        if tracker.ending is None:
            return Verdict.NONE
        self.place, self._at_home, self._is_filled = tracker.bar_of_part, tracker.ending, False
        self.redraws_left = tracker.redraws if may_redraw else 0
        return Verdict.MARK if self.redraws_left else Verdict.NONE
