"""What a checkpoint says of itself: the typed contents of its `manifest.json`."""

import hashlib
import json
from datetime import datetime
from math import prod
from typing import Annotated, Any, Literal, Self

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    JsonValue,
    SerializerFunctionWrapHandler,
    StringConstraints,
    ValidationError,
    model_serializer,
    model_validator,
)

from model_store.errors import InvalidCheckpointError, NewerFormatError
from model_store.vocabulary import Vocabulary

FORMAT_VERSION = 2
"""The newest: it lists a model's inputs beside the character. A model without any is still written in format 1."""

_OLDEST_FORMAT = 1
WEIGHTS_FILE = "weights.safetensors"
DECODER_FILE = "decoder.tflite"
CARD_FILE = "README.md"
TUNES_FILE = "tunes.safetensors"
LEXICON_FILE = "lexicon.json"
PLANS_FILE = "plans.json"
CRITIC_FILE = "critic.safetensors"

Name = Annotated[str, StringConstraints(pattern=r"^[a-z0-9][a-z0-9_-]{0,63}$")]
Sha256 = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}$")]
FileName = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$")]


class _Frozen(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", protected_namespaces=())


class Input(_Frozen):
    """What a network is told beside each character: one integer, in which so many numbers of these ranges are joined.

    Each number has an embedding of its own. The last one counts fastest: of factors (a, b), x · b + y says (x, y).
    """

    name: Annotated[str, StringConstraints(pattern=r"^[a-z0-9_]{1,32}$")]
    factors: tuple[Annotated[int, Field(ge=1)], ...] = Field(min_length=1)
    dims: tuple[Annotated[int, Field(ge=1)], ...] = Field(min_length=1)
    gate: bool = False
    """Whether the first number is a character (`vocab_size`: none) that has a copying gate on the way out."""

    @property
    def size(self) -> int:
        return prod(self.factors)

    def tensors(self) -> dict[str, tuple[int, int]]:
        """Name → shape of its embeddings."""
        shapes = zip(self.factors, self.dims, strict=True)
        return {f"inputs/{self.name}/{number}": shape for number, shape in enumerate(shapes)}


class ModelConfig(_Frozen):
    """The network's shape: Embedding → LSTM → Dense, V characters out.

    With `inputs`, their embeddings stand beside the character's, and the dense layer gives a number for each gate too.
    """

    vocab_size: int = Field(ge=1)
    embedding_dim: int = Field(ge=1)
    lstm_units: int = Field(ge=1)
    layers: Literal[1] = 1  # all that training and decoders know; manifests have always said it
    dropout: float = Field(default=0.0, ge=0.0, lt=1.0)
    inputs: tuple[Input, ...] = ()

    @model_validator(mode="after")
    def _check_inputs(self) -> Self:
        names = [each.name for each in self.inputs]
        if len(set(names)) < len(names):
            raise ValueError("two inputs have one name")
        for each in self.inputs:
            if len(each.factors) != len(each.dims):
                raise ValueError(f"input {each.name}: {len(each.factors)} factors, but {len(each.dims)} dims")
            if each.gate and each.factors[0] != self.vocab_size + 1:
                raise ValueError(
                    f"input {each.name}: a gate for {each.factors[0]} characters, not {self.vocab_size + 1}"
                )
        return self

    @model_serializer(mode="wrap")
    def _serialize(self, serialize: SerializerFunctionWrapHandler) -> dict[str, Any]:
        """Without `inputs` where there are none, as format 1 has it."""
        values: dict[str, Any] = serialize(self)
        if not self.inputs:
            del values["inputs"]
        return values

    @property
    def gates(self) -> int:
        """How many copying gates there are."""
        return sum(each.gate for each in self.inputs)

    def weight_shapes(self) -> dict[str, tuple[int, ...]]:
        """Name → shape of every tensor in the weights file; gates lie in Keras' order i, f, g, o."""
        vocab, units = self.vocab_size, self.lstm_units
        shapes: dict[str, tuple[int, ...]] = {"embedding": (vocab, self.embedding_dim)}
        for each in self.inputs:
            shapes |= each.tensors()
        return shapes | {
            "lstm_0/kernel": (self.embedding_dim + sum(sum(each.dims) for each in self.inputs), 4 * units),
            "lstm_0/recurrent_kernel": (units, 4 * units),
            "lstm_0/bias": (4 * units,),
            "dense/kernel": (units, vocab + self.gates),
            "dense/bias": (vocab + self.gates,),
        }


class CorpusRecord(_Frozen):
    """Where training text came from, under which licence, and how much of it there was."""

    name: str
    origin: str
    licence: str
    tunes: int = Field(ge=0)
    characters: int = Field(ge=0)
    sha256: Sha256


class FileRecord(_Frozen):
    """What a file must be for the checkpoint to be whole."""

    sha256: Sha256
    size: int = Field(ge=0)

    @classmethod
    def of(cls, content: bytes) -> Self:
        return cls(sha256=hashlib.sha256(content).hexdigest(), size=len(content))


class Defaults(_Frozen):
    """What a form offers before anyone has chosen."""

    start_string: str = "X:1\n"
    length: int = Field(default=1000, ge=1)
    temperature: float = Field(default=1.0, ge=0.0)


class Draft(_Frozen):
    """A manifest before publication: all that the trainer knows."""

    name: Name
    model: ModelConfig
    vocabulary: str = Field(min_length=1, description="the characters, in the order of their ids")
    corpora: tuple[CorpusRecord, ...]
    training: dict[str, JsonValue]
    metrics: dict[str, float]
    libraries: dict[str, str]
    defaults: Defaults = Defaults()


class Manifest(Draft):
    """A published checkpoint's `manifest.json`; `digest` is the SHA-256 of all the rest."""

    format_version: int
    version: int = Field(ge=1)
    created: datetime
    files: dict[FileName, FileRecord]
    digest: Sha256

    @classmethod
    def seal(cls, draft: Draft, *, version: int, created: datetime, files: dict[str, FileRecord]) -> Self:
        """The manifest of a draft that is about to be published."""
        newest_needed = FORMAT_VERSION if draft.model.inputs else 1
        unsealed = cls(
            **dict(draft), format_version=newest_needed, version=version, created=created, files=files, digest="0" * 64
        )
        return unsealed.model_copy(update={"digest": _digest(unsealed.model_dump(mode="json"))})

    @classmethod
    def parse(cls, text: bytes, where: str) -> Self:
        """Read and verify a manifest.

        Args:
            text: the file's bytes.
            where: the file's name, for errors.

        Raises:
            NewerFormatError: it was written in a later format.
            InvalidCheckpointError: it is not JSON, lacks a field, or was altered.
        """
        try:
            raw: Any = json.loads(text)
        except ValueError as error:
            raise InvalidCheckpointError(f"{where}: not JSON ({error})") from None
        if not isinstance(raw, dict) or not isinstance(raw.get("format_version"), int):
            raise InvalidCheckpointError(f"{where}: not a checkpoint manifest (no format_version)")
        if raw["format_version"] > FORMAT_VERSION:
            raise NewerFormatError(
                f"{where}: format {raw['format_version']} is newer than this Lilt reads (up to {FORMAT_VERSION}): "
                "upgrade Lilt, or roll the model back"
            )
        if raw["format_version"] < _OLDEST_FORMAT:
            raise InvalidCheckpointError(
                f"{where}: format {raw['format_version']} is older than this Lilt reads (from {_OLDEST_FORMAT}): "
                "publish the model again from its run"
            )
        if raw.get("digest") != _digest(raw):
            raise InvalidCheckpointError(f"{where}: altered since it was published (its digest does not match)")
        try:
            manifest = cls.model_validate(raw)
            vocabulary = Vocabulary(manifest.vocabulary)
        except ValidationError as error:
            first = error.errors()[0]
            field = ".".join(map(str, first["loc"]))
            raise InvalidCheckpointError(f"{where}: field {field}: {first['msg']}") from None
        except ValueError as error:
            raise InvalidCheckpointError(f"{where}: {error}") from None
        if manifest.model.inputs and manifest.format_version < FORMAT_VERSION:
            raise InvalidCheckpointError(f"{where}: a model with inputs in format {manifest.format_version}")
        size, expected = len(vocabulary), manifest.model.vocab_size
        if size != expected:
            raise InvalidCheckpointError(f"{where}: the vocabulary has {size} characters, but vocab_size is {expected}")
        return manifest

    def to_json(self) -> bytes:
        """The manifest as the bytes of `manifest.json`."""
        return (json.dumps(self.model_dump(mode="json"), indent=2, ensure_ascii=False) + "\n").encode()


def _digest(raw: dict[str, Any]) -> str:
    rest = {key: value for key, value in raw.items() if key != "digest"}
    canonical = json.dumps(rest, sort_keys=True, separators=(",", ":"), ensure_ascii=True)
    return hashlib.sha256(canonical.encode()).hexdigest()
