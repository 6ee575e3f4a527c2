"""What a run through the package takes, in turns with `pydantic-monty` where that is installed: medians in milliseconds, and runs a second.

`ISOLET` names the program: a release build. Monty runs a subset of Python in a pool of processes that it uses again.
"""

import asyncio
import importlib.util
import statistics
import time
from contextlib import AsyncExitStack

from isolet import Runtime, tool

ONE, CALL, HUNDRED = "return 1 + 1", "one call", "100 calls at once"
TIMES = {ONE: 300, CALL: 300, HUNDRED: 50}
CLIENTS, SECONDS = 8, 3


@tool
async def echo(n: int) -> int:
    return n


async def isolet(stack):
    """Runs of the package, each in a process of its own."""
    runtime = await stack.enter_async_context(Runtime())
    scope = runtime.scope(tools=[echo])
    programs = {
        ONE: "return 1 + 1",
        CALL: "return await app.echo({ n: 1 })",
        HUNDRED: "return (await Promise.all(Array.from({ length: 100 }, (_, n) => app.echo({ n })))).length",
    }

    async def run(what):
        outcome = await scope.run(programs[what])
        assert outcome.end == "returned", outcome
        return outcome.value

    async def beside():
        """What is spent beside the run itself, as the program measures it, and in the calls: all that a caller in Rust does not have."""
        spent = []
        for _ in range(TIMES[CALL]):
            began = time.perf_counter()
            outcome = await scope.run(programs[CALL])
            spent.append((time.perf_counter() - began) * 1000 - outcome.cost.wall_ms + sum(call.duration_ms for call in outcome.calls))
            await asyncio.sleep(0.001)
        return statistics.median(spent)

    return run, beside


async def monty(stack):
    """Runs of `pydantic-monty`, each in a session that is checked out of its pool."""
    import pydantic_monty

    pool = await stack.enter_async_context(pydantic_monty.AsyncMonty())
    programs = {
        ONE: "1 + 1",
        CALL: "await echo(1)",
        HUNDRED: "import asyncio\nlen(await asyncio.gather(*[echo(n) for n in range(100)]))",
    }

    async def run(what):
        async with pool.checkout() as session:
            return await session.feed_run(programs[what], external_lookup={"echo": echo.function})

    return run


async def runs_a_second(run):
    count, until = 0, time.perf_counter() + SECONDS

    async def client():
        nonlocal count
        while time.perf_counter() < until:
            await run(CALL)
            count += 1

    await asyncio.gather(*(client() for _ in range(CLIENTS)))
    return count / SECONDS


async def main():
    async with AsyncExitStack() as stack:
        of_isolet, beside = await isolet(stack)
        runs = {"isolet": of_isolet}
        if importlib.util.find_spec("pydantic_monty"):
            runs["pydantic-monty"] = await monty(stack)
        for run in runs.values():
            for what, expected in ((ONE, 2), (CALL, 1), (HUNDRED, 100)):
                assert [await run(what) for _ in range(5)] == [expected] * 5
        print(f"{'':24}" + "".join(f"{name:>16}" for name in runs))
        for what, count in TIMES.items():
            took = {name: [] for name in runs}
            for _ in range(count):
                for name, run in runs.items():
                    began = time.perf_counter()
                    await run(what)
                    took[name].append((time.perf_counter() - began) * 1000)
                    await asyncio.sleep(0.001)
            print(f"{what:24}" + "".join(f"{statistics.median(took[name]):>13.2f} ms" for name in runs))
        print(f"{'of one call, beside it':24}{await beside():>13.2f} ms")
        began = time.perf_counter()
        await asyncio.gather(*(runs["isolet"](CALL) for _ in range(1000)))
        print(f"{'1,000 runs at once':24}{time.perf_counter() - began:>14.2f} s")
        print(f"{'runs a second, 8 clients':24}" + "".join([f"{await runs_a_second(run):>16.0f}" for run in runs.values()]))


asyncio.run(main())
