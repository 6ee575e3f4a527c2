"""JSON Schema from annotations, and arguments into what the annotations say."""

from __future__ import annotations

import dataclasses
import datetime
import decimal
import enum
import pathlib
import sys
import types
import typing
import uuid
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from typing import Annotated, Any, Literal, Union, cast, get_args, get_origin

Schema = dict[str, Any]

_REF = "#/$defs/{}"
_PLAIN: dict[Any, Schema] = {
    str: {"type": "string"},
    int: {"type": "integer"},
    float: {"type": "number"},
    bool: {"type": "boolean"},
    None: {"type": "null"},
    type(None): {"type": "null"},
    Any: {},
    object: {},
    list: {"type": "array"},
    tuple: {"type": "array"},
    dict: {"type": "object"},
    datetime.datetime: {"type": "string", "format": "date-time"},
    datetime.date: {"type": "string", "format": "date"},
    uuid.UUID: {"type": "string", "format": "uuid"},
    decimal.Decimal: {"type": "string"},
    pathlib.Path: {"type": "string"},
}
_ARRAYS = (list, set, frozenset, Sequence, Collection, Iterable)
_COLLECTIONS: dict[Any, Callable[[Any], Any]] = {tuple: tuple, set: set, frozenset: frozenset}
_PARSED = (datetime.datetime, datetime.date)
#: What a member of a TypedDict may be marked with; there since Python 3.11.
_MARKS = tuple(getattr(typing, name) for name in ("Required", "NotRequired") if hasattr(typing, name))
_MADE_OF_TEXT = (uuid.UUID, decimal.Decimal, pathlib.Path)


class Definitions:
    """The schemas of one tool, whose named types are shared."""

    def __init__(self) -> None:
        self.named: dict[str, Schema] = {}
        self._names: dict[Any, str] = {}

    def of(self, annotation: Any) -> Schema:
        """The schema of what has this annotation."""
        if _is_pydantics(annotation):
            return self._of_pydantic(annotation)
        try:
            if annotation in _PLAIN:
                return dict(_PLAIN[annotation])
        except TypeError:  # an annotation that cannot be hashed
            pass
        origin, arguments = get_origin(annotation), get_args(annotation)
        if origin is Annotated:
            schema = self.of(arguments[0])
            texts = [text for text in arguments[1:] if isinstance(text, str)]
            return {**schema, "description": texts[0]} if texts else schema
        if origin in _MARKS:
            return self.of(arguments[0])
        if origin is Literal:
            return {"enum": [_literal(value) for value in arguments]}
        if origin in (Union, types.UnionType):
            return {"anyOf": [self.of(member) for member in arguments]}
        if origin is tuple:
            return self._of_tuple(arguments)
        if origin in _ARRAYS:
            unique = {"uniqueItems": True} if origin in (set, frozenset) else {}
            return {"type": "array", "items": self.of(arguments[0]), **unique}
        if origin in (dict, Mapping) or isinstance(origin, type) and issubclass(origin, Mapping):
            if arguments[0] not in (str, Any):
                raise TypeError(f"{annotation!r} cannot be JSON: its keys are no strings")
            return {"type": "object", "additionalProperties": self.of(arguments[1])}
        if isinstance(annotation, type):
            return self._of_class(cast("type[Any]", annotation))
        raise TypeError(f"{annotation!r} cannot be said in JSON Schema: annotate with a type that JSON has, or define the tool by `Definition`")

    def _of_tuple(self, members: tuple[Any, ...]) -> Schema:
        if len(members) == 2 and members[1] is Ellipsis:
            return {"type": "array", "items": self.of(members[0])}
        items = [self.of(member) for member in members]
        return {"type": "array", "prefixItems": items, "minItems": len(items), "maxItems": len(items), "items": False}

    def _of_class(self, annotation: type[Any]) -> Schema:
        if annotation in (set, frozenset):
            return {"type": "array", "uniqueItems": True}
        if issubclass(annotation, enum.Enum):
            return {"enum": [_literal(member) for member in annotation]}
        if dataclasses.is_dataclass(annotation) or typing.is_typeddict(annotation):
            return self._named(annotation)
        raise TypeError(f"`{annotation.__qualname__}` cannot be said in JSON Schema: take a dataclass, a TypedDict or a pydantic model")

    def _named(self, annotation: type[Any]) -> Schema:
        name = self._names.get(annotation)
        if name is None:
            name = _free(annotation.__name__, self.named)
            self._names[annotation] = name
            self.named[name] = {}  # for a type within itself
            self.named[name] = self._of_members(annotation)
        return {"$ref": _REF.format(name)}

    def _of_members(self, annotation: type) -> Schema:
        hints = typing.get_type_hints(annotation, include_extras=True)
        properties = {name: self.of(hints[name]) for name in _members(annotation, hints)}
        required = [name for name in properties if name in _required(annotation)]
        schema: Schema = {"type": "object", "properties": properties, "additionalProperties": False}
        return {**schema, "required": required} if required else schema

    def _of_pydantic(self, annotation: Any) -> Schema:
        import pydantic

        schema = pydantic.TypeAdapter(annotation).json_schema(ref_template=_REF.format("{model}"))
        for name, definition in schema.pop("$defs", {}).items():
            self.named.setdefault(name, definition)
        return schema


def convert(annotation: Any, value: Any) -> Any:
    """`value`, which matches the schema of `annotation`, as the function expects it."""
    if _is_pydantics(annotation):
        import pydantic

        return pydantic.TypeAdapter(annotation).validate_python(value)
    origin, arguments = get_origin(annotation), get_args(annotation)
    if origin is Annotated:
        return convert(arguments[0], value)
    if origin in (Union, types.UnionType):
        return _convert_union(arguments, value)
    if isinstance(value, list):
        return _convert_array(annotation, origin, arguments, value)
    if isinstance(value, dict):
        members = cast("dict[str, Any]", value)
        if len(arguments) == 2 and isinstance(origin, type) and issubclass(origin, Mapping):
            return {name: convert(arguments[1], member) for name, member in members.items()}
        if dataclasses.is_dataclass(annotation) and isinstance(annotation, type):
            hints = typing.get_type_hints(annotation, include_extras=True)
            return annotation(**{name: convert(hints[name], member) for name, member in members.items()})
        return members
    if isinstance(annotation, type):
        if issubclass(annotation, enum.Enum):
            return next((member for member in annotation if member.value == value), value)
        if isinstance(value, str) and issubclass(annotation, _PARSED):
            return annotation.fromisoformat(value.replace("Z", "+00:00"))
        if isinstance(value, str) and issubclass(annotation, _MADE_OF_TEXT):
            return annotation(value)
        if annotation is float and isinstance(value, int) and not isinstance(value, bool):
            return float(value)
    return value


def _convert_union(members: tuple[Any, ...], value: Any) -> Any:
    if value is None or isinstance(value, bool):
        return value
    for member in members:
        if member is type(None) or member is str and isinstance(value, str):
            continue
        try:
            converted = convert(member, value)
        except (TypeError, ValueError, KeyError):
            continue
        if converted is not value:
            return converted
    return value


def _convert_array(annotation: Any, origin: Any, arguments: tuple[Any, ...], value: Any) -> Any:
    made = cast("Any", origin if isinstance(origin, type) else annotation)
    if made is tuple and arguments and not (len(arguments) == 2 and arguments[1] is Ellipsis):
        return tuple(convert(member, item) for member, item in zip(arguments, value, strict=True))
    items: Any = [convert(arguments[0], item) for item in value] if arguments else value
    make = _COLLECTIONS.get(made)
    return items if make is None else make(items)


def _members(annotation: type, hints: Mapping[str, Any]) -> Iterable[str]:
    if dataclasses.is_dataclass(annotation):
        return [field.name for field in dataclasses.fields(annotation) if field.init]
    return hints


def _required(annotation: Any) -> Collection[str]:
    if dataclasses.is_dataclass(annotation):
        missing = dataclasses.MISSING
        fields = dataclasses.fields(annotation)
        return [field.name for field in fields if field.init and field.default is missing and field.default_factory is missing]
    required: frozenset[str] = annotation.__required_keys__
    return required


def _literal(value: Any) -> Any:
    value = value.value if isinstance(value, enum.Enum) else value
    if value is None or isinstance(value, (str, int, float, bool)):
        return value
    raise TypeError(f"{value!r} cannot be JSON")


def _free(name: str, taken: Collection[str]) -> str:
    return next(free for free in (name, *(f"{name}{number}" for number in range(2, 10_000))) if free not in taken)


def _is_pydantics(annotation: Any) -> bool:
    """Whether a part of the annotation is pydantic's; it is not loaded for the question."""
    pydantic = sys.modules.get("pydantic")
    if pydantic is None:
        return False
    arguments = get_args(annotation)
    if not arguments and isinstance(annotation, type) and issubclass(annotation, pydantic.BaseModel):
        return True
    if get_origin(annotation) is Annotated and any(_is_of_pydantic(part) for part in arguments[1:]):
        return True
    return any(_is_pydantics(part) for part in arguments if not isinstance(part, (str, int, bytes)))


def _is_of_pydantic(part: object) -> bool:
    return type(part).__module__.startswith("pydantic")
