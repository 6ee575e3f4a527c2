"""A scope as one tool of LangChain and LangGraph: needs `langchain-core`."""

from __future__ import annotations

from langchain_core.tools import BaseTool, StructuredTool

from .. import Scope
from . import _run_code


async def run_code_tool(scope: Scope, *, name: str = _run_code.NAME, budget: int | None = _run_code.BUDGET) -> BaseTool:
    """The tool `run_code`, whose description has the types of the scope within `budget` tokens.

    What the program did, a failure included, is the tool's result: the model mends it. Faults of the host and of the caller are raised.
    """

    async def run_code(program: str) -> str:
        return await _run_code.run(scope, program)

    description = await _run_code.description(scope, budget)
    return StructuredTool(name=name, description=description, args_schema=_run_code.schema(), coroutine=run_code)
