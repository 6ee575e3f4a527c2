"""Runs the code that a language model writes, in an isolate and a process of its own, with your functions as its tools.

    import asyncio
    from isolet import Runtime, tool

    @tool
    def add(a: int, b: int) -> int:
        "Add two numbers."
        return a + b

    async def main() -> None:
        async with Runtime() as runtime:
            scope = runtime.scope(tools=[add])
            print(await scope.types())  # for the model
            outcome = await scope.run("return await app.add({ a: 2, b: 3 })")
            print(outcome.value)

    asyncio.run(main())

Three endings are never mixed: what the program did is an `Outcome`, a fault of the machine or of a server is a `HostError`, a mistake in the use of
this package is a `CallerError`. A tool that raises is a `ToolError` in the program, which decides.
"""

from ._errors import CallerError, HostError, IsoletError, ToolError
from ._outcome import Call, ConsoleLine, Cost, GuestError, Outcome, Stop
from ._runtime import VERSION as __version__
from ._runtime import Event, Runtime, Scope
from ._tools import Definition, Tool, tool

__all__ = [
    "Call",
    "CallerError",
    "ConsoleLine",
    "Cost",
    "Definition",
    "Event",
    "GuestError",
    "HostError",
    "IsoletError",
    "Outcome",
    "Runtime",
    "Scope",
    "Stop",
    "Tool",
    "ToolError",
    "__version__",
    "tool",
]
