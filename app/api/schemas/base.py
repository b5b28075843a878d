"""What bodies of requests have in common, and the schemas that several of them name."""

from itertools import islice
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, model_validator

from app.errors import Fault
from app.generation.jobs import MAX_SEED
from app.generation.model_registry import ModelId as ServedModelId

_MAX_NAMED = 20
"""unknown fields that an answer names"""


class Body(BaseModel):
    """A request's body: values of the types that are said, and no field that is not."""

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


Seed = Annotated[int, Field(ge=0, le=MAX_SEED)]


class Problem(BaseModel):
    """One thing that is wrong with a tune; `line` is 1-based within it."""

    message: str
    line: int | None = None
    column: int | None = None

    @classmethod
    def of(cls, fault: Fault) -> "Problem":
        return cls(message=fault.message, line=fault.line, column=fault.column)


class ModelId(BaseModel):
    """Which model made a tune; `hash` is its manifest's digest."""

    name: str
    version: int
    hash: str

    @classmethod
    def of(cls, id_: ServedModelId) -> "ModelId":
        return cls(name=id_.name, version=id_.version, hash=id_.hash)
