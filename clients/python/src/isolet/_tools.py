"""Tools: functions with annotations, or definitions with a callback."""

from __future__ import annotations

import inspect
import json
import typing
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, overload

from ._schema import Definitions, Schema, convert


@dataclass(frozen=True)
class Definition:
    """A tool as MCP defines it, and what answers its calls.

    `call` gets the arguments as one dictionary, which matches `input_schema`; it may be `async`.
    """

    name: str
    call: Callable[[dict[str, Any]], Any]
    input_schema: Mapping[str, Any] = field(default_factory=lambda: {"type": "object"})
    description: str | None = None
    output_schema: Mapping[str, Any] | None = None

    def definition(self) -> dict[str, Any]:
        """The definition as `tools/list` has it."""
        given = {"name": self.name, "description": self.description, "inputSchema": self.input_schema, "outputSchema": self.output_schema}
        return {name: value for name, value in given.items() if value is not None}


class Tool:
    """A function as a tool. It can be called as before."""

    def __init__(self, function: Callable[..., Any], *, name: str | None = None, description: str | None = None) -> None:
        self.function = function
        self.name = name if name is not None else function.__name__
        self.description = description if description is not None else inspect.getdoc(function)
        self.__doc__ = function.__doc__
        self._signature = inspect.signature(function)
        self._hints = typing.get_type_hints(function, include_extras=True)
        definitions = Definitions()
        self.input_schema = self._input_schema(definitions)
        self.output_schema: Schema | None = None
        returned = self._hints.get("return", Any)
        if returned is not Any:
            named = Definitions()
            self.output_schema = _with_named(named.of(returned), named)

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        return self.function(*args, **kwargs)

    def call(self, arguments: dict[str, Any]) -> Any:
        """Calls the function with the arguments of a program."""
        return self.function(**{name: convert(self._hints.get(name, Any), value) for name, value in arguments.items()})

    def definition(self) -> dict[str, Any]:
        """The definition as `tools/list` has it."""
        return Definition(self.name, self.call, self.input_schema, self.description, self.output_schema).definition()

    def _input_schema(self, definitions: Definitions) -> Schema:
        properties: Schema = {}
        required: list[str] = []
        is_open = False
        for name, parameter in self._signature.parameters.items():
            if parameter.kind is parameter.VAR_KEYWORD:
                is_open = True
                continue
            if parameter.kind in (parameter.VAR_POSITIONAL, parameter.POSITIONAL_ONLY):
                raise TypeError(f"the parameter `{name}` of `{self.name}` has no name for a caller: tools are called with named arguments")
            member = definitions.of(self._hints.get(name, Any))
            if parameter.default is parameter.empty:
                required.append(name)
            elif _is_json(parameter.default) and "$ref" not in member:
                member["default"] = parameter.default
            properties[name] = member
        schema: Schema = {"type": "object", "properties": properties, "additionalProperties": is_open}
        if required:
            schema["required"] = required
        return _with_named(schema, definitions)


@overload
def tool(function: Callable[..., Any], /) -> Tool: ...
@overload
def tool(*, name: str | None = None, description: str | None = None) -> Callable[[Callable[..., Any]], Tool]: ...
def tool(
    function: Callable[..., Any] | None = None, /, *, name: str | None = None, description: str | None = None
) -> Tool | Callable[[Callable[..., Any]], Tool]:
    """Makes a function a tool: its name, its docstring and its annotations are what a model sees.

    Parameters may be annotated with what JSON has, `Literal`, `Optional`, lists and dictionaries, dataclasses, `TypedDict`, enums and pydantic
    models; `Annotated[T, "text"]` describes one. A function that is not `async` is called in a thread.
    """
    if function is not None:
        return Tool(function)

    def made(function: Callable[..., Any]) -> Tool:
        return Tool(function, name=name, description=description)

    return made


def _with_named(schema: Schema, definitions: Definitions) -> Schema:
    return {**schema, "$defs": definitions.named} if definitions.named else schema


def _is_json(value: Any) -> bool:
    try:
        json.dumps(value, allow_nan=False)
    except (TypeError, ValueError):
        return False
    return True
