"""A scope as one tool of Claude's Agent SDK: needs `claude-agent-sdk`."""

from __future__ import annotations

from typing import Any

from claude_agent_sdk import SdkMcpTool

from .. import Scope
from . import _run_code


async def run_code_tool(scope: Scope, *, name: str = _run_code.NAME, budget: int | None = _run_code.BUDGET) -> SdkMcpTool[Any]:
    """The tool for `create_sdk_mcp_server(tools=[...])`, whose description has the types of the scope within `budget` tokens.

    What the program did, a failure included, is the tool's result: the model mends it. Faults of the host and of the caller are raised.
    """

    async def handle(arguments: dict[str, Any]) -> dict[str, Any]:
        return {"content": [{"type": "text", "text": await _run_code.run(scope, str(arguments["program"]))}]}

    description = await _run_code.description(scope, budget)
    return SdkMcpTool(name=name, description=description, input_schema=_run_code.schema(), handler=handle)
