"""What a run through the package takes: medians in milliseconds, and runs a second. `ISOLET` names the program: a release build."""

import asyncio
import statistics
import time

from isolet import Runtime, tool


@tool
async def echo(n: int) -> int:
    return n


async def median(runs: int, run) -> str:
    times = []
    for _ in range(runs):
        began = time.perf_counter()
        outcome = await run()
        assert outcome.end == "returned", outcome
        times.append((time.perf_counter() - began) * 1000)
        await asyncio.sleep(0.001)
    return f"{statistics.median(times):.2f} ms"


async def main() -> None:
    async with Runtime() as runtime:
        scope = runtime.scope(tools=[echo])
        for _ in range(20):
            await scope.run("return 1")
        print("return 1 + 1:          ", await median(300, lambda: scope.run("return 1 + 1")))
        print("one call:              ", await median(300, lambda: scope.run("return await app.echo({ n: 1 })")))
        hundred = "return (await Promise.all(Array.from({ length: 100 }, (_, n) => app.echo({ n })))).length"
        print("100 calls at once:     ", await median(50, lambda: scope.run(hundred)))
        began = time.perf_counter()
        await asyncio.gather(*(scope.run("return await app.echo({ n: 1 })") for _ in range(1000)))
        print(f"1,000 runs at once:     {time.perf_counter() - began:.2f} s")
        count = 0

        async def client() -> None:
            nonlocal count
            while time.perf_counter() < until:
                await scope.run("return await app.echo({ n: 1 })")
                count += 1

        until = time.perf_counter() + 3
        await asyncio.gather(*(client() for _ in range(8)))
        print(f"runs a second, 8 clients: {count / 3:.0f}")


asyncio.run(main())
