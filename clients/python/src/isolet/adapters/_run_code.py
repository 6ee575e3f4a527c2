"""The tool `run_code`, as every framework is told of it."""

from __future__ import annotations

from typing import Any, Final

from .. import Scope

NAME: Final = "run_code"
#: The tokens that the types of a scope may take in a description.
BUDGET: Final = 2000

_DESCRIPTION: Final = """\
Run a TypeScript program: the body of an async function, which may call these functions and returns what you need to know. Do as much as you can in one
program: loop, filter and combine results there.

{types}"""


def schema() -> dict[str, Any]:
    """The JSON Schema of its arguments: the program."""
    return {
        "type": "object",
        "properties": {"program": {"type": "string", "description": "The program."}},
        "required": ["program"],
        "additionalProperties": False,
    }


async def description(scope: Scope, budget: int | None) -> str:
    """What a model reads of it: the types of the scope within `budget` tokens."""
    return _DESCRIPTION.format(types=await scope.types(budget=budget))


async def run(scope: Scope, program: str) -> str:
    """What a model is told of the program: a failure included, which it mends. Faults of the host and of the caller are raised."""
    return (await scope.run(program)).for_model()
