"""The answer to a job: its text, the tunes in it with what they copy, and why it ended."""

from dataclasses import dataclass

from app.abc.tunebook import Tune
from app.generation.model_registry import ModelId
from app.generation.originality import Judgement, Originality
from app.inference.completion import FinishReason


@dataclass(frozen=True)
class JudgedTune:
    """A tune, and what it has in common with the training tunes; None where that cannot be said.

    `score` is how real the critic takes it for, 0 to 1; None where it was not asked.
    """

    tune: Tune
    originality: Originality | None
    score: float | None = None

    @property
    def is_copy(self) -> bool:
        return self.originality is not None and self.originality.judgement is Judgement.COPIES


@dataclass(frozen=True)
class Answer:
    """The whole text, and the tunes in it.

    Args:
        seed: makes the same text again.
        characters: how many were made for the text, what was drawn and thrown away left out.
        changed_bars: the numbers of the bars that are other than before; None where no bars were to be made anew.
    """

    abc: str
    tunes: tuple[JudgedTune, ...]
    seed: int
    model: ModelId
    finish_reason: FinishReason
    characters: int
    changed_bars: tuple[int, ...] | None = None
