"""Request and response bodies; every bound is a Field."""

from itertools import islice
from typing import Annotated, Literal, Self

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, field_validator, model_validator

from app.abc import rhythms
from app.abc.written_subset import MAX_TITLE_CHARACTERS
from app.errors import Fault
from app.generation.answer import Answer, JudgedTune
from app.generation.jobs import MAX_BEST_OF, MAX_SEED, GenerationJob, InfillJob, Job
from app.generation.model_registry import ModelId as ServedModelId
from app.generation.originality import Judgement, Originality
from app.grammar import Form, Menus, Request
from app.inference.completion import FinishReason
from app.inference.sampler import SamplingParams
from app.rendering.arrangement import Arrangement
from app.rendering.backing import Backing
from app.rendering.general_midi import NAMES, program_of
from app.rendering.render_job import RenderOptions
from app.version import VERSION
from model_store.manifest import CorpusRecord, Defaults, Manifest, ModelConfig

Seed = Annotated[int, Field(ge=0, le=MAX_SEED)]


def _program_number(value: object) -> object:
    return program_of(value) if isinstance(value, str) and not value.strip().isdecimal() else value


Program = Annotated[
    int,
    Field(ge=0, le=127),
    BeforeValidator(_program_number, json_schema_input_type=Annotated[int, Field(ge=0, le=127)] | str),
]
"""An instrument, by number or name."""

_MAX_NAMED = 20
"""unknown fields that an answer names"""


class _Body(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", protected_namespaces=(), strict=True)

    @model_validator(mode="before")
    @classmethod
    def _few_unknown_fields_are_named(cls, fields: object) -> object:
        """Each would be an error of its own; a body of 20,000 took a seventh of a second to refuse."""
        if not isinstance(fields, dict) or len(fields) <= _MAX_NAMED:
            return fields
        known = cls.model_fields.keys()
        unknown = islice((name for name in fields if name not in known), _MAX_NAMED)
        return {name: fields[name] for name in (*(fields.keys() & known), *unknown)}


class FieldError(ValueError):
    """A field is at fault for what others are; raised within a validator of the whole body."""

    def __init__(self, field: str, message: str) -> None:
        super().__init__(f"{field}: {message}")
        self.field, self.message = field, message


_OF_NEW_TUNES = ("start_string", "length", "tunes", "title", "form", "key", "meter", "rhythm", "best_of")


class GenerateRequest(_Body):
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


class Problem(BaseModel):
    """One thing that is wrong with a tune; `line` is 1-based within it."""

    message: str
    line: int | None = None
    column: int | None = None

    @classmethod
    def of(cls, fault: Fault) -> "Problem":
        return cls(message=fault.message, line=fault.line, column=fault.column)


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


class OriginalityRequest(_Body):
    """A tune to hold against those that a model was trained on."""

    abc: str = Field(description="One tune in ABC notation.", examples=["X:1\nM:6/8\nK:D\nDFA d2f|afd D3|\n"])
    model: str | None = Field(default=None, description="The name of a loaded model; the default one if missing.")


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


class ModelId(BaseModel):
    """Which model made a tune; `hash` is its manifest's digest."""

    name: str
    version: int
    hash: str

    @classmethod
    def of(cls, id_: ServedModelId) -> "ModelId":
        return cls(name=id_.name, version=id_.version, hash=id_.hash)


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


class RenderRequest(_Body):
    """A tune, and how to play it."""

    abc: str = Field(
        description="One tune in ABC notation, or a set: two to five that are played one after another.",
        examples=["X:1\nM:6/8\nK:D\nDFA d2f|afd D3|\n"],
    )
    format: Literal["wav", "mp3", "ogg", "flac", "midi", "svg", "png", "pdf", "musicxml", "abc"] | None = Field(
        default=None,
        description="Where it is missing, `Accept` decides; `wav` if that does not. `abc` is the tune as it was read, "
        "written anew: transposed, and with the chords of a backing.",
    )
    tempo: float | None = Field(
        default=None,
        ge=20,
        le=400,
        allow_inf_nan=False,
        description="Quarter notes a minute; else the tune's own `Q:`, or what suits its rhythm or metre.",
    )
    program: Program | None = Field(
        default=None,
        description="General MIDI instrument, by number (0–127) or name (`flute`; `/models` lists them); else one that "
        "suits the rhythm or metre.",
        examples=["flute", 73],
    )
    transpose: int = Field(
        default=0, ge=-36, le=36, description="Semitones, in notation and sound; the key signature follows."
    )
    repeats: int = Field(default=1, ge=1, le=20, description="Times through the whole tune.")
    chords: bool = Field(default=True, description="Whether chord symbols are played.")
    click: bool = Field(default=False, description="A bar's count-in, which a pickup completes.")
    swing: float | None = Field(
        default=None,
        ge=0,
        le=1,
        allow_inf_nan=False,
        description="0 plays eighths even, 1 plays the first of each pair twice as long as the second; "
        "else `feel` decides, by the rhythm.",
    )
    feel: float = Field(
        default=0.5,
        ge=0,
        le=1,
        allow_inf_nan=False,
        description="How much of a player is in it: accents, phrases, uneven eighths, ornaments where the tune says "
        "none. 0 is the grid.",
    )
    variation: bool = Field(default=False, description="Whether second times through a part differ.")
    backing: Literal["none", "guitar", "piano", "session"] = Field(
        default="none",
        description="Who accompanies, on the tune's own chords or on those that `/chords` finds; `session` is guitar "
        "and bodhrán. Scores and MusicXML then show the chords.",
    )

    def options(self) -> RenderOptions:
        """How it is to be rendered."""
        arrangement = Arrangement(
            tempo=self.tempo,
            program=self.program,
            repeats=self.repeats,
            click=self.click,
            swing=self.swing,
            feel=self.feel,
            variation=self.variation,
            backing=Backing(self.backing),
        )
        return RenderOptions(arrangement, self.transpose, self.chords)


class ChordsRequest(_Body):
    """A tune that wants chords."""

    abc: str = Field(description="One tune in ABC notation.", examples=["X:1\nM:6/8\nK:D\nDFA d2f|afd D3|\n"])


class ChordAt(BaseModel):
    """A chord where it begins; bars count from 1, a pickup before them is 0."""

    bar: int
    quarters: float = Field(description="Quarter notes from the bar's beginning.")
    symbol: str


class ChordsResponse(BaseModel):
    """A tune with chord symbols; parts that had some are as they were."""

    abc: str
    chords: list[ChordAt]


class ImportResponse(BaseModel):
    """A tune that was made of a file of another program's."""

    abc: str
    title: str | None = Field(description="The tune's title: the file's own, or its name.")
    kind: Literal["musicxml", "midi"] = Field(description="What the file was.")
    left_out: list[str] = Field(description="What of the file is not in the tune, in words.", examples=[["percussion"]])
    problems: list[Problem] = Field(description="What is wrong with the tune, such as a bar that is too long.")


class CheckRequest(_Body):
    """A text to look through."""

    abc: str = Field(description="A tune in ABC notation, or what is to become one.", examples=["X:1\nK:D\nDFA d2f|\n"])


class CheckedProblem(BaseModel):
    """One thing that is wrong, or was left out; bars count from 1, a pickup before them is 0."""

    severity: Literal["error", "warning", "note"]
    source: Literal["filter", "reader"]
    message: str
    line: int | None = None
    column: int | None = None
    bar: int | None = None


class CheckResponse(BaseModel):
    """What is wrong with a text."""

    playable: bool = Field(description="Whether /render would make sound of it as it is.")
    problems: list[CheckedProblem]
    fixed: str | None = Field(description="The text with its mechanical faults mended; null where none was.")
    title: str | None = None
    duration_s: float | None = Field(default=None, description="How long it lasts at its default tempo.")


class ModelMenus(BaseModel):
    """Values to choose from for what can be asked of a tune, the likeliest first; empty where nothing can be asked.

    `key` and `form` take others of their kind too. `meters_of_rhythm` are the metres that each rhythm can be asked in.
    """

    keys: tuple[str, ...]
    meters: tuple[str, ...]
    rhythms: tuple[str, ...]
    forms: tuple[str, ...]
    meters_of_rhythm: dict[str, tuple[str, ...]]

    @classmethod
    def of(cls, menus: Menus) -> "ModelMenus":
        meters = {name: rhythms.meters_to_ask_for(name) for name in menus.rhythms}
        return cls(**vars(menus), meters_of_rhythm=meters)


class LoadedModel(BaseModel):
    """What a loaded model says of itself."""

    name: str
    version: int
    hash: str
    created: str
    config: ModelConfig
    vocabulary: str
    corpora: tuple[CorpusRecord, ...]
    metrics: dict[str, float]
    defaults: Defaults
    menus: ModelMenus
    max_best_of: int = Field(description="1 for a version that was published without a critic.")

    @classmethod
    def of(cls, manifest: Manifest, menus: Menus, *, has_critic: bool) -> "LoadedModel":
        return cls(
            name=manifest.name,
            version=manifest.version,
            hash=manifest.digest,
            created=manifest.created.isoformat(),
            config=manifest.model,
            vocabulary=manifest.vocabulary,
            corpora=manifest.corpora,
            metrics=manifest.metrics,
            defaults=manifest.defaults,
            menus=ModelMenus.of(menus),
            max_best_of=MAX_BEST_OF if has_critic else 1,
        )


class ModelList(BaseModel):
    """The models that are loaded, the default first, and what tunes can be played on."""

    models: list[LoadedModel]
    instruments: tuple[str, ...] = Field(
        default=NAMES, description="For `program` of `/render`: each stands at its General MIDI number, 0 to 127."
    )


class Version(BaseModel):
    """Which Lilt this is."""

    version: str = Field(default=VERSION, examples=["0.1.0"])


class Health(BaseModel):
    """Alive."""

    status: Literal["ok"] = "ok"


class Readiness(BaseModel):
    """Able to serve; `sandbox` holds the renderers, `synthesizer` plays, `missing` is what they cannot do without."""

    status: Literal["ready", "degraded"]
    models: list[ModelId]
    decoder: str
    sandbox: str
    synthesizer: str
    missing: list[str]


class ProblemFault(BaseModel):
    """One field or place that is at fault."""

    message: str
    field: str | None = None
    position: int | None = None
    line: int | None = None
    column: int | None = None
    bar: int | None = None


class ProblemDocument(BaseModel):
    """RFC 9457 problem details."""

    type: str
    title: str
    status: int
    detail: str
    request_id: str | None = Field(default=None, description="What the service's log calls this request.")
    errors: list[ProblemFault] | None = None
