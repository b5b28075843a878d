"""The fields of the service's requests as options of commands, and back: `start_string` is `--start-string`.

What a field means, its default and its bounds are said in `app.api.schemas` alone, so a wish that `/generate` learns is
an option here too, and both refuse the same in the same words.
"""

from collections.abc import Callable, Collection
from types import NoneType, UnionType
from typing import Annotated, Literal, TypeVar, Union, get_args, get_origin

import click
from pydantic import BaseModel, BeforeValidator, ValidationError
from pydantic.fields import FieldInfo

from app.api import validation_messages

Body = TypeVar("Body", bound=BaseModel)
_Function = TypeVar("_Function", bound=Callable[..., object])

_OFF = {
    "constrained": ("--free", "Do not hold tunes to the grammar."),
    "chords": ("--no-chords", "Do not play the chord symbols."),
}
"""flags that switch a field off, and what is said of them"""
_TOLD = {
    "tunes": "Stop after this many whole tunes.",
    "rhythm": "As in `R:`: `reel`, `slip jig`; one that there is not is answered with the list. It says the metre too.",
    "program": "General MIDI instrument, by number or name (`lilt instruments` lists them); else one that suits the "
    "rhythm or metre.",
}
"""what is said of fields whose own description speaks of the service"""
_TYPES: dict[object, tuple[type, str]] = {int: (int, "N"), float: (float, "X"), str: (str, "TEXT")}
"""and how the usage calls a value"""


def options_of(
    request: type[BaseModel], leave_out: Collection[str], defaults: dict[str, object]
) -> Callable[[_Function], _Function]:
    """A decorator that gives a command an option for each field.

    Args:
        leave_out: fields that have none.
        defaults: of fields, where the command's are others.
    """

    def decorate(function: _Function) -> _Function:
        for name, field in reversed(request.model_fields.items()):
            if name not in leave_out:
                function = _option(name, field, defaults.get(name, field.default))(function)
        return function

    return decorate


def request_of(request: type[Body], given: dict[str, object], **fields: object) -> Body:
    """A request of what was given on the command line, and of other fields.

    Raises:
        click.UsageError: a value is not allowed; the text names the option.
    """
    said = {name: value for name, value in given.items() if name in request.model_fields and value is not None}
    try:
        return request.model_validate(fields | said, strict=False)
    except ValidationError as error:
        raise click.UsageError(
            "; ".join(_told(fault["loc"], validation_messages.in_words(fault)) for fault in error.errors())
        ) from None


def _option(name: str, field: FieldInfo, default: object) -> Callable[[_Function], _Function]:
    dashed = name.replace("_", "-")
    told = _TOLD.get(name, field.description or "")
    kind = _kind(field.annotation)
    if kind is bool:
        # Not a pair of flags: what is not given must stay unsaid, for the request's own default.
        flag, told = _OFF.get(name, (f"--no-{dashed}", f"Switch off: {told}")) if default else (f"--{dashed}", told)
        return click.option(flag, name, flag_value=not default, type=click.BOOL, default=None, help=told)
    shown = (
        "" if default is None or default == "" else f" [{default!r}]" if isinstance(default, str) else f" [{default}]"
    )
    if get_origin(kind) is Literal:
        return click.option(f"--{dashed}", name, type=click.Choice(get_args(kind)), help=f"{told}{shown}")
    type_, metavar = _TYPES[kind]
    return click.option(f"--{dashed}", name, type=type_, metavar=metavar, help=f"{told}{shown}")


def _kind(annotation: object) -> object:
    """An annotation without its bounds, and without None; text where a validator makes something of it."""
    if get_origin(annotation) is Annotated:
        kind, *rest = get_args(annotation)
        return str if any(isinstance(each, BeforeValidator) for each in rest) else _kind(kind)
    if get_origin(annotation) in (Union, UnionType):
        (kind,) = (each for each in get_args(annotation) if each is not NoneType)
        return _kind(kind)
    return annotation


def _told(place: tuple[int | str, ...], message: str) -> str:
    named = "".join(f"--{str(part).replace('_', '-')}: " for part in place[:1])
    return f"{named}{message[:1].lower()}{message[1:]}"
