"""How far an overlay reaches, for what passes it over in a text: `&&` begins two bars back (ABC 2.1, section 7.4)."""


class Overlay:
    """What is written after `&`: in the bar that it stands in or, where nothing does there, in those before."""

    def __init__(self) -> None:
        self.is_on = False
        self._bars_behind = 0

    def begin(self, signs: str, *, has_music: bool, bars: int) -> None:
        """Begin at `&` signs.

        Args:
            signs: one or more.
            has_music: whether anything stands before them in their bar.
            bars: before that one.
        """
        self._bars_behind = min(len(signs) - has_music, bars)
        self.is_on = has_music or self._bars_behind > 0

    def passes(self, *, has_music: bool) -> bool:
        """Whether a bar line only leads it on to the next of the bars that are written already."""
        if not self._bars_behind:
            return False
        self._bars_behind -= 1
        self.is_on = has_music or self._bars_behind > 0
        return True

    def end_line(self, line: str, *, has_music: bool) -> None:
        """End what is behind where a line of music ends that is not continued."""
        if self._bars_behind and not line.rstrip().endswith("\\"):
            self._bars_behind, self.is_on = 0, has_music

    def end(self) -> None:
        """End it with its bar."""
        self._bars_behind, self.is_on = 0, False
