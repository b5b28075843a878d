"""What a network reads of texts: ids, or rows that tell it where it stands and, if it can be told one, the plan."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from app.abc.lookback import track
from app.abc.lookback.alphabet import Alphabet
from app.abc.lookback.plan import UNSAID, Part, Plan
from app.abc.lookback.plan_reader import read_plan
from model_store.vocabulary import Vocabulary

_FORM_ALONE = 0.1
"""Share of the tunes with a plan of which the bars' likeness is not told: as where a form is asked for."""

_BAR_UNSAID = 0.1
"""Share of the bars of which it is not told."""


class Reader:
    """Reads texts for one network.

    Args:
        alphabet: None for a network that reads ids alone.
    """

    def __init__(self, vocabulary: Vocabulary, alphabet: Alphabet | None) -> None:
        self._vocabulary = vocabulary
        self.alphabet = alphabet

    @classmethod
    def of_width(cls, vocabulary: Vocabulary, width: int) -> "Reader":
        """For a network that is told so many numbers beside each character."""
        return cls(vocabulary, Alphabet.of_width(vocabulary.characters, width) if width else None)

    @property
    def is_planned(self) -> bool:
        return self.alphabet is not None and self.alphabet.is_planned

    def read(self, text: str, plan: Plan | None = None) -> NDArray[np.int32]:
        """The rows of a text, [T] or [T, 1 + columns]; `plan` is that of each tune in it."""
        ids = self._vocabulary.encode(text)
        if self.alphabet is None:
            return ids
        return track(self.alphabet, ids.tolist(), (lambda _: plan) if plan else None)

    def plan_of(self, tune: str) -> Plan | None:
        """A tune's own plan; None for a network that is told none."""
        if self.alphabet is None or not self.is_planned:
            return None
        return read_plan(self.alphabet, self._vocabulary.encode(tune).tolist())

    def plans_of(self, tunes: Sequence[str]) -> list[Plan | None]:
        return [self.plan_of(tune) for tune in tunes]


def forget_some(plan: Plan | None, share: float, generator: np.random.Generator) -> Plan | None:
    """A plan as it is told in training: for `share` of the tunes none, and of the others not always all.

    Three numbers are drawn and one a bar, so that one tune's plan does not shift the next one's draws.
    """
    is_gone, is_form_alone, seed = generator.random(3)
    if plan is None or is_gone < share:
        return None
    kept = np.random.default_rng(int(seed * 2**32)).random(sum(len(part.bars) for part in plan.parts)) >= _BAR_UNSAID
    if is_form_alone < _FORM_ALONE:
        kept[:] = False
    left = iter(kept.tolist())
    return Plan(
        tuple(Part(tuple(bar if next(left) else UNSAID for bar in part.bars), part.at_home) for part in plan.parts)
    )
