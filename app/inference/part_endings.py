"""Says when the last bar of a planned part is to be drawn again, since it ends otherwise than planned.

What is kept of such draws has the network's own distribution given its ending (rejection sampling), where a mask would
cut off what the network had in mind. The mask is left once the bar has been drawn as often as the plan allows.
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
        self._is_filled = False  # whether the bar has ended, as planned; its part may still go on

    def follow(self, tracker: Tracker, *, may_redraw: bool) -> Verdict:
        """Take note of a character, which may have ended the bar or its part.

        Args:
            may_redraw: whether another draw would give anything else.
        """
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
        if is_right and goes_on:  # whether it ends here, the next characters tell
            return Verdict.NONE
        if is_right or not self.redraws_left:
            self.place = None
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
