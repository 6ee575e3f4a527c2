"""Isolet as the sandbox of FastMCP's code mode: needs `fastmcp`.

    CodeMode(sandbox_provider=IsoletSandbox(runtime), execute_description=EXECUTE_DESCRIPTION)
"""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any, Final

from fastmcp.exceptions import ToolError

from .. import Runtime

#: What the model is told of the tool `execute`: FastMCP's own words are for programs in Python.
EXECUTE_DESCRIPTION: Final = """\
Run a TypeScript program (not Python): the body of an async function. `await host.call_tool({ tool_name, params })` calls a tool by its name and gives its result. Do as much as you
can in one program, and `return` what you need to know."""


class IsoletSandbox:
    """A `SandboxProvider`. A program calls the functions that FastMCP gives it as `host.NAME({ ... })`, with their arguments by name."""

    def __init__(self, runtime: Runtime) -> None:
        self._runtime = runtime

    async def run(
        self,
        code: str,
        *,
        inputs: dict[str, Any] | None = None,
        external_functions: dict[str, Callable[..., Any]] | None = None,
    ) -> Any:
        """Runs the program, to which each of `inputs` is a constant; what it returned. A program that failed is FastMCP's `ToolError`."""
        # On the line of the program's first: its lines keep their numbers.
        constants = "".join(f"const {name} = {json.dumps(value)}; " for name, value in (inputs or {}).items())
        async with self._runtime.scope({"host": list((external_functions or {}).values())} if external_functions else ()) as scope:
            outcome = await scope.run(constants + code)
        if outcome.end != "returned":
            raise ToolError(outcome.message or outcome.end)
        return outcome.value
