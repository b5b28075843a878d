"""`/generate`: what to continue, or which bars to make anew, and the tunes that come of it."""

from typing import Annotated, Self

from pydantic import BaseModel, Field, field_validator, model_validator

from app.abc import rhythms
from app.abc.written_subset import MAX_TITLE_CHARACTERS
from app.api.schemas.base import Body, FieldError, ModelId, Problem, Seed
from app.api.schemas.originality import TuneOriginality
from app.generation.answer import Answer, JudgedTune
from app.generation.jobs import MAX_BEST_OF, GenerationJob, InfillJob, Job
from app.grammar import Form, Request
from app.inference.completion import FinishReason
from app.inference.sampler import SamplingParams

_OF_NEW_TUNES = ("start_string", "length", "tunes", "title", "form", "key", "meter", "rhythm", "best_of")


class GenerateRequest(Body):
    """What to continue, how far, and how wildly."""

    start_string: str = Field(
        default="X:1\n",
        max_length=20_000,
        description="Text that the tune begins with. Header lines and marks among the notes that the model has not "
        "learnt (`Q:`, `C:`, chord symbols, decorations, grace notes) are kept, and not read by it; every other "
        "character must be in its vocabulary.",
        examples=["X:1\nT:Morning\nM:6/8\nK:D\n"],
    )
    length: int = Field(default=1000, ge=1, description="Most characters to add.")
    temperature: float = Field(
        default=1.0,
        ge=0.0,
        le=10.0,
        allow_inf_nan=False,
        description="0 always takes the likeliest character; 1 is the model's own taste; above it is wilder.",
    )
    top_k: int | None = Field(default=None, ge=1, description="Draw from this many likeliest characters.")
    top_p: float = Field(
        default=1.0, gt=0.0, le=1.0, allow_inf_nan=False, description="Draw from the likeliest that make up this share."
    )
    seed: Seed | None = Field(default=None, description="The same seed makes the same tune; drawn when missing.")
    tunes: int | None = Field(
        default=1,
        ge=1,
        le=1000,
        description="Stop after this many whole tunes; null adds exactly `length` characters.",
    )
    key: str | None = Field(default=None, max_length=20, description="As in `K:`: `D`, `Bm`, `Ador`.")
    meter: str | None = Field(default=None, max_length=10, description="As in `M:`: `6/8`, `C|`.")
    rhythm: str | None = Field(
        default=None,
        max_length=40,
        description="As in `R:`: `reel`, `slip jig`; `/models` has the list. It says the metre too.",
    )
    title: str | None = Field(
        default=None,
        max_length=MAX_TITLE_CHARACTERS,
        description="As in `T:`, of the first tune; it stays as it is. The start string must be empty or end with its "
        "`X:` line.",
        examples=["The Morning Dew on the Hob"],
    )
    form: str | None = Field(
        default=None,
        max_length=20,
        description="Parts and the bars in each: `AABB8` is two parts of eight bars, each played twice.",
    )
    low: int | None = Field(default=None, ge=0, le=127, description="Lowest note, as a MIDI number (60: middle C).")
    high: int | None = Field(default=None, ge=0, le=127, description="Highest note, as a MIDI number.")
    constrained: bool = Field(
        default=True, description="Hold tunes to ABC's grammar: bars as long as their metre, repeats that close."
    )
    abc: str | None = Field(
        default=None,
        max_length=20_000,
        description="A tune of which some bars are made anew.",
    )
    bars: list[Annotated[int, Field(ge=0)]] | None = Field(
        default=None,
        min_length=1,
        max_length=200,
        description="Which: bars count from 1, a pickup before them is 0. All else stays byte for byte.",
        examples=[[7, 8]],
    )
    everywhere: bool = Field(
        default=False,
        description="With `bars`: each is replaced wherever it comes again in the tune, by the same new bar.",
    )
    vary: float | None = Field(
        default=None,
        ge=0,
        le=1,
        allow_inf_nan=False,
        description="In place of `bars`: the share of the tune's different bars that are made anew, each at all its "
        "places, so that bars that were the same stay the same and no others become so.",
        examples=[0.3],
    )
    avoid_copies: bool = Field(
        default=False, description="Draw anew, a few times at the most, while a tune copies one that was trained on."
    )
    best_of: int = Field(
        default=1,
        ge=1,
        le=MAX_BEST_OF,
        description="Draw so many side by side and answer with the one that the model's critic chooses.",
    )
    model: str | None = Field(default=None, description="The name of a loaded model; the default one if missing.")

    @field_validator("start_string")
    @classmethod
    def _lines_end_alike(cls, text: str) -> str:
        return text.replace("\r\n", "\n").replace("\r", "\n")

    @model_validator(mode="after")
    def _wishes_need_the_grammar(self) -> Self:
        wishes = [name for name in ("key", "meter", "rhythm", "form", "low", "high") if getattr(self, name) is not None]
        if wishes and not self.constrained:
            raise FieldError(wishes[0], "only a constrained tune can be held to what is asked for")
        return self

    @model_validator(mode="after")
    def _only_whole_tunes_are_chosen(self) -> Self:
        if self.best_of > 1 and self.tunes is None:
            raise FieldError("best_of", "only whole tunes are chosen among; say how many `tunes`")
        return self

    @model_validator(mode="after")
    def _bars_are_those_of_a_tune(self) -> Self:
        if (self.abc is None) != (self.bars is None and self.vary is None):
            raise FieldError("abc", "`abc` and `bars` (or `vary`) must be sent together")
        if self.bars is not None and self.vary is not None:
            raise FieldError("vary", "not beside `bars`; send one of them: which bars, or what share of them")
        if self.everywhere and self.bars is None:
            raise FieldError("everywhere", "only with `bars`; `vary` changes bars at all their places by itself")
        others = [name for name in _OF_NEW_TUNES if name in self.model_fields_set]
        if self.abc is not None and (others or not self.constrained):
            raise FieldError((others or ["constrained"])[0], "not for a tune of which bars are made anew")
        return self

    def job(self, seed: int) -> Job:
        """What is asked for, with a seed in place of a missing one.

        Raises:
            RequestError: there is no such key, metre, rhythm or form, or the range is upside down.
        """
        if self.rhythm is not None:
            rhythms.check(self.rhythm, self.meter)
        wishes = Request(
            key=self.key,
            meter=self.meter,
            rhythm=self.rhythm,
            form=Form.parse(self.form) if self.form is not None else None,
            low=self.low,
            high=self.high,
        )
        sampling = SamplingParams(self.temperature, self.top_k, self.top_p, seed if self.seed is None else self.seed)
        if self.abc is not None:
            bars = tuple(self.bars or ())
            return InfillJob(self.abc, bars, self.everywhere, self.vary, wishes, self.avoid_copies, sampling)
        return GenerationJob(
            self.start_string,
            self.length,
            self.tunes,
            wishes,
            self.constrained,
            self.avoid_copies,
            self.best_of,
            sampling,
            self.title,
        )


class GeneratedTune(BaseModel):
    """One tune of the answer, with what its header says."""

    abc: str
    title: str | None
    key: str | None
    meter: str | None
    rhythm: str | None
    complete: bool = Field(description="Whether it came to its end before `length` ran out, and `/render` takes it.")
    problems: list[Problem]
    originality: TuneOriginality | None = Field(
        default=None, description="Null where the tune is too short, or the model has no index of its training tunes."
    )
    score: float | None = Field(
        default=None,
        description="With `best_of`: how real the critic takes it for beside the model's others, 0 to 1.",
    )

    @classmethod
    def of(cls, judged: JudgedTune) -> "GeneratedTune":
        return cls(
            **vars(judged.tune)
            | {
                "problems": [Problem.of(fault) for fault in judged.tune.problems],
                "originality": TuneOriginality.of(judged.originality) if judged.originality else None,
                "score": judged.score,
            }
        )


class GenerateStart(BaseModel):
    """What a stream begins with: the request and these make the same tune again, had it been left before its end."""

    seed: int
    model: ModelId


class GenerateResponse(BaseModel):
    """The start string and what followed it."""

    abc: str
    tunes: list[GeneratedTune]
    seed: int
    model: ModelId
    finish_reason: FinishReason
    generated: int = Field(description="Characters added to the start string.")
    changed_bars: tuple[int, ...] | None = Field(
        default=None,
        description="With `bars` or `vary`: the numbers of the bars that are other than before, other places included; "
        "bars count from 1, a pickup before them is 0.",
    )

    @classmethod
    def of(cls, answer: Answer) -> "GenerateResponse":
        return cls(
            abc=answer.abc,
            tunes=[GeneratedTune.of(judged) for judged in answer.tunes],
            seed=answer.seed,
            model=ModelId.of(answer.model),
            finish_reason=answer.finish_reason,
            generated=answer.characters,
            changed_bars=answer.changed_bars,
        )
