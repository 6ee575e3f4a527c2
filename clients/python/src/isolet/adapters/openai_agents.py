"""A scope as one tool of OpenAI's Agents SDK: needs `openai-agents`."""

from __future__ import annotations

import json
from typing import Any

from agents import FunctionTool
from agents.tool_context import ToolContext

from .. import Scope
from . import _run_code


async def run_code_tool(scope: Scope, *, name: str = _run_code.NAME, budget: int | None = _run_code.BUDGET) -> FunctionTool:
    """The tool for `Agent(tools=[...])`, whose description has the types of the scope within `budget` tokens.

    What the program did, a failure included, is the tool's result: the model mends it. Faults of the host and of the caller are raised.
    """

    async def invoke(_: ToolContext[Any], arguments: str) -> str:
        try:
            program = json.loads(arguments)["program"]
        except (KeyError, TypeError, ValueError):
            program = None
        if not isinstance(program, str):
            return json.dumps({"end": "threw", "message": "the arguments are `{ \"program\": \"...\" }`", "repair_safe": True})
        return await _run_code.run(scope, program)

    description = await _run_code.description(scope, budget)
    return FunctionTool(name=name, description=description, params_json_schema=_run_code.schema(), on_invoke_tool=invoke)
