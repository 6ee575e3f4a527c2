"""A scope as a toolset of Pydantic AI: needs `pydantic-ai-slim`."""

from __future__ import annotations

from typing import Any

from pydantic_ai.toolsets import FunctionToolset

from .. import Scope
from . import _run_code


async def run_code_toolset(
    scope: Scope, *, name: str = _run_code.NAME, budget: int | None = _run_code.BUDGET
) -> FunctionToolset[Any]:
    """The toolset for `Agent(toolsets=[...])`: one tool, whose description has the types of the scope within `budget` tokens.

    What the program did, a failure included, is the tool's result: the model mends it. Faults of the host and of the caller are raised.
    """

    async def run_code(program: str) -> str:
        return await _run_code.run(scope, program)

    toolset = FunctionToolset[Any]()
    toolset.add_function(run_code, name=name, description=await _run_code.description(scope, budget))
    return toolset
