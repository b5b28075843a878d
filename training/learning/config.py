"""Recipes: every number that a training run depends on, beside its corpus."""

import dataclasses
from dataclasses import dataclass
from typing import Any, Literal, Self, get_args, get_type_hints

from training.errors import ConfigError

Batching = Literal["crops", "streams"]
Optimizer = Literal["adam", "adamw"]
Schedule = Literal["constant", "cosine"]
Portion = Literal["train", "everything"]
Precision = Literal["auto", "float32", "mixed_float16"]
RecurrentInitializer = Literal["glorot_uniform", "orthogonal"]


@dataclass(frozen=True)
class TrainingConfig:
    """One run's settings; `RECIPES` holds the named ones.

    Probabilities are those of dropping. `batching` is how text becomes batches (see `input_pipeline`). `steps` is the
    length of the run and of the cosine; a run ends sooner after `patience` looks at the validation tunes, one every
    `validate_every` steps, that were no better (0: never).
    """

    recipe: str
    seed: int = 1
    # the network
    embedding_dim: int = 256
    lstm_units: int = 1024
    embedding_range: float = 0.05  # the embedding begins uniform between minus and plus this; Keras' own is 0.05
    recurrent_initializer: RecurrentInitializer = "glorot_uniform"
    lookback: bool = False  # whether it is told where it stands and what stood there (see `app.abc.lookback`)
    plan: bool = False  # whether it is told the tune's plan too (see `app.abc.lookback.plan`); it takes `lookback`
    match: bool = False  # and what followed the last signs before (see `app.abc.lookback.match_model`); it takes `plan`
    pointer_dim: int = 32  # of the embedding of the character that a pointer points at
    run_dim: int = 8  # of that of how long it has been right
    place_dim: int = 16  # of each of the other things that it is told
    # the text
    translate: bool = False  # into plain ABC, and without the tunes that cannot be said in it
    learn_from: Portion = "train"
    batching: Batching = "crops"
    sequence_length: int = 250
    batch_size: int = 64
    carry_state: bool = True  # from batch to batch, as a stateful layer does; else each crop begins from zeros
    beginnings: int = 0  # rows of each batch of streams that are the beginnings of tunes instead, read from zeros
    extra_until: float = 1.0  # share of the steps after which the extra books are left; the last of it is the others'
    transpose: float = 0.0  # share of the tunes that are moved to another key, anew each epoch
    transpose_until: float = 1.0  # share of the steps after which none is moved: tunes end up as high as in the books
    drawn_tunes: int = 0  # so many are drawn by the version that the run goes on from, and learnt from beside real ones
    drawn_candidates: int = 1  # so many are drawn for each of them, of which a critic chooses one
    drawn_share: float = 0.0  # of the tunes of an epoch
    # the steps
    steps: int = 2000
    optimizer: Optimizer = "adam"
    learning_rate: float = 5e-3
    schedule: Schedule = "constant"
    warmup_steps: int = 0
    weight_decay: float = 0.0
    clip_norm: float = 0.0  # of the whole gradient; 0: none
    average_decay: float = 0.0  # of the moving average that is kept as the result; 0: the last weights themselves
    precision: Precision = "auto"
    # the teacher: the version which the run goes on from
    distillation: float = 0.0  # share of the loss that is its probabilities' in place of the character's itself
    # the noise
    character_dropout: float = 0.0
    embedding_dropout: float = 0.0
    recurrent_dropout: float = 0.0  # of the recurrent weights: DropConnect (Merity et al., 2017)
    output_dropout: float = 0.0
    pointer_dropout: float = 0.0  # of what one pointer points at, at one character
    plan_dropout: float = 0.0  # of a tune's plan, as a whole
    # the result
    temperature: float = 1.0  # that its logits are divided by, once and for all, before it is judged and published
    calibration_rounds: int = 0  # of drawing tunes to make it write each character as often as the books do
    calibration_tunes: int = 4000  # drawn in each of them
    # the record
    validate_every: int = 100
    patience: int = 0
    checkpoint_every: int = 100
    checkpoint_seconds: float = 30.0

    def __post_init__(self) -> None:
        hints = get_type_hints(type(self))
        for name in hints:
            self._check(name, getattr(self, name), hints[name])
        if not self.beginnings < self.batch_size:
            raise ConfigError(f"beginnings: {self.beginnings} is not below batch_size, {self.batch_size}")
        for name in ("extra_until", "transpose_until"):
            if getattr(self, name) > 1:
                raise ConfigError(f"{name}: {getattr(self, name)} is not in [0, 1]")
        if bool(self.drawn_tunes) != bool(self.drawn_share):
            raise ConfigError("drawn_tunes and drawn_share: one without the other says nothing")
        if self.drawn_tunes and self.batching != "streams":
            raise ConfigError("drawn_tunes: crops of one text have none; set batching=streams")
        if self.plan and not self.lookback:
            raise ConfigError("plan: a network that is told a plan needs lookback=true too")
        if self.match and not self.plan:
            raise ConfigError("match: a network that is told what the match model says needs plan=true too")

    def _check(self, name: str, value: float | str, hint: type) -> None:
        allowed = get_args(hint)
        if allowed and value not in allowed:
            raise ConfigError(f"{name}: {value!r} is not one of {', '.join(allowed)}")
        if isinstance(value, str | bool):
            return
        if name in _PROBABILITIES and not 0.0 <= value < 1.0:
            raise ConfigError(f"{name}: {value} is not in [0, 1)")
        if name in _POSITIVE and not value > 0:
            raise ConfigError(f"{name}: {value} is not above 0")
        if not 0 <= value < 1e12:
            raise ConfigError(f"{name}: {value} is not a number from 0 up")

    @classmethod
    def from_recipe(cls, recipe: str, overrides: dict[str, str] | None = None) -> Self:
        """A recipe with some of its settings replaced, each given as text.

        Raises:
            ConfigError: there is no such recipe or setting, or the text is not a value of it.
        """
        if recipe not in RECIPES:
            raise ConfigError(f"recipe {recipe!r} is not one of {', '.join(RECIPES)}")
        hints = get_type_hints(cls)
        values = dict(RECIPES[recipe])
        for name, text in (overrides or {}).items():
            if name not in hints or name == "recipe":
                raise ConfigError(f"setting {name!r} is not one of {', '.join(n for n in hints if n != 'recipe')}")
            values[name] = _parse(name, text, hints[name])
        return cls(recipe=recipe, **values)

    @classmethod
    def from_json(cls, values: dict[str, Any]) -> Self:
        """The inverse of `to_json`.

        Raises:
            ConfigError: a setting is missing or unknown.
        """
        try:
            return cls(**values)
        except TypeError as error:
            raise ConfigError(f"settings of another version of this code ({error})") from None

    def to_json(self) -> dict[str, Any]:
        return dataclasses.asdict(self)


_PROBABILITIES = frozenset(
    {
        "transpose",
        "drawn_share",
        "distillation",
        "average_decay",
        "character_dropout",
        "embedding_dropout",
        "recurrent_dropout",
        "output_dropout",
        "pointer_dropout",
        "plan_dropout",
    }
)
_POSITIVE = frozenset(
    {
        "temperature",
        "embedding_dim",
        "embedding_range",
        "lstm_units",
        "pointer_dim",
        "drawn_candidates",
        "calibration_tunes",
        "run_dim",
        "place_dim",
        "sequence_length",
        "batch_size",
        "steps",
        "learning_rate",
        "validate_every",
    }
    | {"checkpoint_every", "checkpoint_seconds"}
)


def _parse(name: str, text: str, hint: type) -> float | str:
    if hint is bool:
        if text.lower() not in ("true", "false"):
            raise ConfigError(f"{name}: {text!r} is not true or false")
        return text.lower() == "true"
    kind: type[int] | type[float] | type[str] = hint if hint in (int, float) else str
    try:
        return kind(text)
    except ValueError:
        kinds = {int: "a whole number", float: "a number"}
        raise ConfigError(f"{name}: {text!r} is not {kinds[kind]}") from None


RECIPES: dict[str, dict[str, Any]] = {
    # MIT 6.S191, Lab 1, part 2, to the letter; but it learns from the train tunes alone (`learn_from`), so that its
    # held-out loss means something, where the notebook learns from the whole text.
    "lab": {},
    # What one does first against over-fitting; the yardstick of `small`.
    "plain": {
        "lstm_units": 512,
        "sequence_length": 100,
        "batch_size": 32,
        "carry_state": False,
        "learning_rate": 3e-3,
        "schedule": "cosine",
        "warmup_steps": 50,
        "clip_norm": 1.0,
        "output_dropout": 0.3,
        "steps": 1000,
        "validate_every": 50,
    },
    # Regularised, for one tunebook.
    "small": {
        "embedding_dim": 64,
        "embedding_range": 1.0,  # a character must be heard from the first step: this alone saves several epochs
        "lstm_units": 512,
        "recurrent_initializer": "orthogonal",
        "batching": "streams",
        "sequence_length": 100,
        "batch_size": 32,
        "transpose": 0.3,
        "steps": 2000,
        "optimizer": "adamw",
        "learning_rate": 5e-3,
        "schedule": "cosine",
        "warmup_steps": 100,
        "weight_decay": 0.01,
        "clip_norm": 1.0,
        "average_decay": 0.98,
        "character_dropout": 0.03,
        "recurrent_dropout": 0.2,
        "output_dropout": 0.2,
        "validate_every": 80,
        "patience": 10,
    },
}
# The default model's: `small` for several tunebooks, which take longer to learn by heart.
RECIPES["books"] = RECIPES["small"] | {
    "translate": True,
    "transpose": 0.4,
    "steps": 8000,
    "average_decay": 0.99,
    "recurrent_dropout": 0.25,
    "output_dropout": 0.25,
    "validate_every": 200,
    "patience": 0,
}
# The same, told where it stands and what stood there: by far the most that anything has brought (docs/tunes.md).
RECIPES["lookback"] = RECIPES["books"] | {
    "lookback": True,
    "character_dropout": 0.03,
    "recurrent_dropout": 0.35,
    "output_dropout": 0.35,
    "pointer_dropout": 0.15,
    "beginnings": 2,
    "average_decay": 0.998,
    "steps": 12000,
    "validate_every": 250,
}
# The same, told the plan of the tune as well; a fifth of the tunes without, so that it knows what to do where none is.
# Drawn a little cooler, tunes have more of the turns that real ones share (docs/decisions/020-redrawn-endings.md).
RECIPES["planned"] = RECIPES["lookback"] | {
    "plan": True,
    "plan_dropout": 0.2,
    "extra_until": 0.7,
    "temperature": 0.95,
}
# From version 4 of `irish`, which is not told a plan (`--from irish/4`): a budget of 5,000 steps, 30 minutes of one
# thread. It has learnt its books nearly by heart: more noise and more other keys are needed than at first. The extra
# books, airs and marches for the most part, are left when the network knows plans, so that it ends as the others are.
RECIPES["replanned"] = RECIPES["planned"] | {
    "steps": 5000,
    "extra_until": 0.35,
    "learning_rate": 3e-3,
    "transpose": 0.5,
    "recurrent_dropout": 0.4,
    "output_dropout": 0.4,
}
# From version 7 of `irish`, which teaches it: fewer units, so that a character takes two thirds of the time
# (docs/decisions/022-fewer-units.md). They have enough to do: little noise is needed.
RECIPES["distilled"] = RECIPES["replanned"] | {
    "lstm_units": 384,
    "steps": 6000,
    "extra_until": 0.7,
    "learning_rate": 2.5e-3,
    "recurrent_dropout": 0.12,
    "output_dropout": 0.12,
    "distillation": 0.7,
    "drawn_tunes": 12000,
    "drawn_share": 0.5,
    "temperature": 0.97,
}
# From version 8 of `irish`, which is not told what followed the last signs before (docs/decisions/025-match-model.md).
# Cooler, tunes have more turns in common with real ones, and fewer of the rarer characters: calibration makes up for
# that (docs/decisions/027-calibration.md).
RECIPES["matched"] = RECIPES["replanned"] | {
    "match": True,
    "steps": 3000,
    "transpose_until": 0.5,
    "learning_rate": 2e-3,
    "temperature": 0.92,
    "calibration_rounds": 4,
}
# From a published version to twenty to two hundred tunes of one's own.
RECIPES["finetune"] = RECIPES["planned"] | {
    "steps": 300,
    "learning_rate": 5e-4,
    "warmup_steps": 20,
    "average_decay": 0.95,
    "transpose": 0.5,
    "validate_every": 20,
    "patience": 5,
}
