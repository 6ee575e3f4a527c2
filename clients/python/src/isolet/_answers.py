"""The answers to calls of tools: a value as JSON, or why there is none, without a traceback."""

from __future__ import annotations

import asyncio
import contextvars
import dataclasses
import datetime
import decimal
import enum
import inspect
import logging
import os
import uuid
from collections.abc import Callable, Mapping
from typing import Any, cast

from ._errors import ToolError
from ._peer import encode
from ._threads import Threads
from ._tools import Definition, Tool

log = logging.getLogger("isolet")

_TEXT_MAX = 2000

#: What becomes which collection of JSON.
_MADE: tuple[tuple[Any, Callable[[Any], Any]], ...] = ((Mapping, dict), ((set, frozenset), list))


async def answer_of(number: Any, tool: Tool | Definition, arguments: dict[str, Any], threads: Threads, bytes_max: int) -> bytes:
    """The message that answers a call. Whatever the tool does, there is one."""
    try:
        value = await _called(tool, arguments, threads)
    except ToolError as error:
        return _failure(number, error.message, error.code, error.retryable)
    except asyncio.CancelledError:
        return _failure(number, "the tool was cancelled", "cancelled", None)
    except Exception as error:
        log.exception("the tool `%s` failed", tool.name)
        return _failure(number, _words_of(error), "tool_failed", None)
    try:
        line = encode({"jsonrpc": "2.0", "id": number, "result": {"value": value}}, _as_json)
    except Exception as error:  # a property of what was returned may raise anything
        return _failure(number, f"the tool `{tool.name}` returned what JSON cannot say: {_words_of(error)}", "invalid_reply", None)
    if len(line) > bytes_max:
        words = f"the answer of the tool `{tool.name}` has {len(line)} bytes, the limit is {bytes_max}: ask for less at a time"
        return _failure(number, words, "too_large", None)
    return line


def no_tool(number: Any, server: str, name: str) -> bytes:
    """The answer to a call of what is not there."""
    return _failure(number, f"there is no tool `{name}` in `{server}`", "internal", None)


async def _called(tool: Tool | Definition, arguments: dict[str, Any], threads: Threads) -> Any:
    function = tool.function if isinstance(tool, Tool) else tool.call
    if inspect.iscoroutinefunction(function):
        return await tool.call(arguments)
    context = contextvars.copy_context()
    value = await threads.run(lambda: context.run(tool.call, arguments))
    return await value if inspect.isawaitable(value) else value


def _as_json(value: Any) -> Any:
    """What is no JSON itself, and plainly means some."""
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {field.name: getattr(value, field.name) for field in dataclasses.fields(value)}
    if callable(dump := getattr(value, "model_dump", None)):
        return dump(mode="json")
    if isinstance(value, enum.Enum):
        return value.value
    if isinstance(value, (datetime.date, datetime.time)):
        return value.isoformat()
    if isinstance(value, (uuid.UUID, decimal.Decimal)):
        return str(value)
    if isinstance(value, os.PathLike):
        return os.fspath(cast("os.PathLike[str]", value))
    for kind, made in _MADE:
        if isinstance(value, kind):
            return made(value)
    raise TypeError(f"a `{type(value).__qualname__}`")


def _words_of(error: BaseException) -> str:
    """The exception's own text, and nothing of where it was raised."""
    text = str(error).strip()
    return (f"{type(error).__name__}: {text}" if text else type(error).__name__)[:_TEXT_MAX]


def _failure(number: Any, message: str, code: str, retryable: bool | None) -> bytes:
    data = {"code": code} if retryable is None else {"code": code, "retryable": retryable}
    return encode({"jsonrpc": "2.0", "id": number, "error": {"code": 1, "message": message, "data": data}})
