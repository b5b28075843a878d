"""A vocabulary's characters as the tracker needs them: what kind of sign each is, and its degree in each scale."""

from app.abc.lookback.columns import RUNS, columns
from app.abc.pitch import STEPS

(
    OTHER,
    NOTE,
    REST,
    DIGIT,
    SLASH,
    BAR,
    COLON,
    SPACE,
    NEWLINE,
    BROKEN,
    ROUND,
    OPEN,
    CLOSE,
    QUOTE,
    GRACE,
    GRACE_END,
    BANG,
) = range(17)
_KINDS = {
    **dict.fromkeys("ABCDEFGabcdefg", NOTE),
    **dict.fromkeys("zxZX", REST),
    **dict.fromkeys("0123456789", DIGIT),
    "/": SLASH,
    "|": BAR,
    ":": COLON,
    " ": SPACE,
    "\t": SPACE,
    "\n": NEWLINE,
    **dict.fromkeys("<>", BROKEN),
    "(": ROUND,
    "[": OPEN,
    "]": CLOSE,
    '"': QUOTE,
    "{": GRACE,
    "}": GRACE_END,
    "!": BANG,
}


class Alphabet:
    """A vocabulary's characters as the tracker needs them, by id.

    Args:
        is_planned: for a network that is told a plan.
        is_matched: for one that is told what the match model says too.
    """

    def __init__(self, characters: str, is_planned: bool = False, is_matched: bool = False) -> None:
        self.characters = characters
        self.nowhere = len(characters) * RUNS
        self.kinds = [_KINDS.get(character, OTHER) for character in characters]
        self.is_blank = [kind in (SPACE, NEWLINE) for kind in self.kinds]
        self.is_bar_line = [kind in (BAR, COLON, CLOSE) for kind in self.kinds]
        steps = [STEPS.find(c.upper()) if c in "ABCDEFGabcdefg" else -1 for c in characters]
        self.degrees = [[(step - tonic) % 7 + 1 if step >= 0 else 0 for step in steps] for tonic in range(7)]
        """Of each tonic's scale; the last one: of none."""
        self.degrees.append([0] * len(characters))
        self.digits = [int(c) if c in "0123456789" else 0 for c in characters]
        self.is_planned, self.is_matched = is_planned, is_planned and is_matched
        self.width = len(columns(len(characters), is_planned, is_matched))

    @classmethod
    def of_width(cls, characters: str, width: int) -> "Alphabet":
        """The one whose rows have so many columns beside the character.

        Raises:
            ValueError: there is none.
        """
        for told in ((False, False), (True, False), (True, True)):
            if width == (alphabet := cls(characters, *told)).width:
                return alphabet
        raise ValueError(f"no {width} columns are known that stand beside a character")
