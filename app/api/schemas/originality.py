"""`/originality`: the training tune that a tune is nearest to; a part of each tune that `/generate` makes."""

from pydantic import BaseModel, Field

from app.api.schemas.base import Body
from app.generation.originality import Judgement, Originality


class OriginalityRequest(Body):
    """A tune to hold against those that a model was trained on."""

    abc: str = Field(description="One tune in ABC notation.", examples=["X:1\nM:6/8\nK:D\nDFA d2f|afd D3|\n"])
    model: str | None = Field(default=None, description="The name of a loaded model; the default one if missing.")


class NearestTune(BaseModel):
    """The training tune that shares the longest run of bars with a tune; `bars` are the run's numbers in it."""

    title: str | None
    corpus: str
    abc: str
    bars: tuple[int, ...]


class TuneOriginality(BaseModel):
    """How much of a tune stands in one training tune, in whatever key.

    `echoes` begins at 4 bars in a row, `copies` at 8, or at 4 that are more than half of the tune.

    Bars count from 1, a pickup before them is 0.
    """

    judgement: Judgement
    shared_bars: int = Field(description="The longest run of bars shared with one training tune.")
    bars: tuple[int, ...] = Field(description="Their numbers in this tune.")
    nearest: NearestTune | None

    @classmethod
    def of(cls, found: Originality) -> "TuneOriginality":
        nearest = NearestTune(**vars(found.nearest)) if found.nearest else None
        return cls(judgement=found.judgement, shared_bars=len(found.bars), bars=found.bars, nearest=nearest)
