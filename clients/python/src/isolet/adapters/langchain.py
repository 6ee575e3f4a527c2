"""A scope as one tool of LangChain and LangGraph: needs `langchain-core`."""

from __future__ import annotations

from langchain_core.tools import BaseTool, StructuredTool

from .. import Scope

_DESCRIPTION = """\
Run a TypeScript program: the body of an async function, which may call these functions and returns what you need to know. Do as much as you can in one
program: loop, filter and combine results there.

{types}"""


async def run_code_tool(scope: Scope, *, name: str = "run_code", budget: int | None = 2000) -> BaseTool:
    """The tool `run_code`, whose description has the types of the scope within `budget` tokens.

    What the program did, a failure included, is the tool's result: the model mends it. Faults of the host and of the caller are raised.
    """

    async def run_code(program: str) -> str:
        return (await scope.run(program)).for_model()

    schema = {
        "type": "object",
        "properties": {"program": {"type": "string", "description": "The program."}},
        "required": ["program"],
    }
    types = await scope.types(budget=budget)
    return StructuredTool(name=name, description=_DESCRIPTION.format(types=types), args_schema=schema, coroutine=run_code)
