"""The package against the program: what it is for, and what goes wrong. `ISOLET` names the program."""

from __future__ import annotations

import asyncio
import contextvars
import dataclasses
import math
import os
import stat
import tempfile
import threading
import time
import unittest
import unittest.mock
from pathlib import Path
from typing import Any

from isolet import CallerError, Definition, Event, HostError, Runtime, ToolError, tool
from isolet import sync as blocking

WHO: contextvars.ContextVar[str] = contextvars.ContextVar("WHO", default="nobody")


@dataclasses.dataclass
class Point:
    x: int
    y: int


@tool
def add(a: int, b: int) -> int:
    """Add two numbers."""
    return a + b


@tool
async def mirror(point: Point) -> Point:
    """Mirror a point."""
    await asyncio.sleep(0)
    return Point(point.y, point.x)


@tool
def fail(how: str) -> Any:
    """Fail."""
    if how == "tool error":
        raise ToolError("sold out", code="rate_limited", retryable=True)
    if how == "set":
        return {1, 2}
    if how == "object":
        return object()
    if how == "nan":
        return math.nan
    if how == "large":
        return "x" * (17 << 20)
    if how == "circle":
        circle: list[Any] = []
        circle.append(circle)
        return circle
    if how == "exit":
        raise SystemExit(3)
    raise ValueError("a reason")


class TestRuns(unittest.IsolatedAsyncioTestCase):
    async def asyncSetUp(self) -> None:
        self.runtime = await Runtime().start()
        self.addAsyncCleanup(self.runtime.close)

    async def test_a_program_calls_functions_of_both_kinds(self) -> None:
        scope = self.runtime.scope(tools=[add, mirror])
        types = await scope.types()
        self.assertIn("Add two numbers.", types)
        self.assertIn("mirror", types)
        outcome = await scope.run("const p = await app.mirror({ point: { x: 1, y: 2 } }); return await app.add({ a: p.x, b: 40 })")
        self.assertEqual((outcome.end, outcome.value, outcome.message), ("returned", 42, None))
        self.assertEqual([(call.path, call.end) for call in outcome.calls], [("app.mirror", "answered"), ("app.add", "answered")])
        with self.assertRaises(dataclasses.FrozenInstanceError):
            outcome.value = 1  # type: ignore[misc]

    async def test_arguments_that_do_not_match_never_arrive(self) -> None:
        outcome = await self.runtime.scope(tools=[add]).run("return await app.add({ a: {}, b: 1 }).catch((error) => error.code)")
        self.assertEqual(outcome.value, "invalid_arguments")

    async def test_a_fault_of_the_program_is_an_outcome(self) -> None:
        scope = self.runtime.scope()
        thrown = await scope.run("console.warn('so far'); throw new TypeError('no')")
        assert thrown.error is not None and thrown.message is not None
        self.assertEqual((thrown.end, thrown.error.name, thrown.console[0].level), ("threw", "TypeError", "warn"))
        self.assertIn("no", thrown.message)
        stopped = await scope.run("for (;;) {}", limits={"cpu_max_ms": 50})
        assert stopped.stop is not None
        self.assertEqual((stopped.end, stopped.stop.kind), ("stopped", "cpu"))

    async def test_a_tool_that_fails_is_an_exception_in_the_program(self) -> None:
        scope = self.runtime.scope(tools=[fail])
        program = "return await app.fail({{ how: '{}' }}).then((value) => ['value', value], (error) => [error.code, error.message])"
        for how, code, words in [
            ("raise", "tool_failed", "ValueError: a reason"),
            ("tool error", "rate_limited", "sold out"),
            ("exit", "tool_failed", "SystemExit"),
            ("object", "invalid_reply", "returned what JSON cannot say"),
            ("nan", "invalid_reply", "returned what JSON cannot say"),
            ("circle", "invalid_reply", "returned what JSON cannot say"),
            ("large", "too_large", "ask for less at a time"),
            ("set", "value", None),
        ]:
            with self.subTest(how):
                value = (await scope.run(program.format(how))).value
                self.assertEqual(value[0], code)
                if words is not None:
                    self.assertIn(words, value[1])
                    self.assertNotIn("Traceback", value[1])
                    self.assertNotIn("test_runtime.py", value[1])

    async def test_a_tool_that_blocks_blocks_nothing_else(self) -> None:
        gate = threading.Event()

        def block() -> str:
            gate.wait(20)
            return "open"

        scope = self.runtime.scope(tools=[block, add])
        blocked = asyncio.create_task(scope.run("return await app.block({})"))
        for number in range(20):
            self.assertEqual((await scope.run(f"return await app.add({{ a: {number}, b: 1 }})")).value, number + 1)
        self.assertFalse(blocked.done())
        gate.set()
        self.assertEqual((await blocked).value, "open")

    async def test_a_task_that_is_cancelled_ends_its_run_and_its_tools(self) -> None:
        began, ended = asyncio.Event(), asyncio.Event()

        async def wait() -> None:
            began.set()
            try:
                await asyncio.Event().wait()
            finally:
                ended.set()

        scope = self.runtime.scope(tools=[wait, add])
        run = asyncio.create_task(scope.run("return await app.wait({})"))
        await asyncio.wait_for(began.wait(), 20)
        run.cancel()
        with self.assertRaises(asyncio.CancelledError):
            await run
        await asyncio.wait_for(ended.wait(), 20)
        self.assertEqual((await scope.run("return await app.add({ a: 1, b: 1 })")).value, 2)

    async def test_many_runs_go_on_at_the_same_time(self) -> None:
        scopes = [self.runtime.scope(tools=[add]) for _ in range(3)]
        program = "const all = await Promise.all([1, 2, 3].map((b) => app.add({{ a: {}, b }}))); return all[2]"
        outcomes = await asyncio.gather(*(scopes[n % 3].run(program.format(n)) for n in range(200)))
        self.assertEqual([outcome.value for outcome in outcomes], [n + 3 for n in range(200)])

    async def test_a_tool_runs_in_the_context_of_whoever_runs_the_program(self) -> None:
        def who() -> str:
            return WHO.get()

        async def who_async() -> str:
            return WHO.get()

        scope = self.runtime.scope(tools=[who, who_async])
        await scope.open()

        async def as_user(user: str) -> Any:
            WHO.set(user)
            return (await scope.run("return [await app.who({}), await app.who_async({})]")).value

        self.assertEqual(await asyncio.gather(as_user("ada"), as_user("grace")), [["ada", "ada"], ["grace", "grace"]])

    async def test_what_happens_is_told_as_it_happens(self) -> None:
        events: list[Event] = []
        outcome = await self.runtime.scope(tools=[add]).run(
            "console.log('one'); await app.add({ a: 1, b: 1 }); console.error('two')", on_event=events.append
        )
        self.assertEqual([event.kind for event in events], ["console", "called", "answered", "console"])
        self.assertEqual([(events[0].level, events[0].text), events[2].end], [("log", "one"), "answered"])
        self.assertGreaterEqual(events[2].duration_ms, 0)
        self.assertEqual(len(outcome.console), 2)

    async def test_the_same_seed_and_clock_give_the_same(self) -> None:
        scope = self.runtime.scope()
        program = "return [Math.random(), Date.now() - (Date.now() % 1000)]"
        first, second = [await scope.run(program, seed=(1, 2, 3, 4), clock_ms=1_700_000_000_000) for _ in range(2)]
        self.assertEqual(first.value, second.value)
        self.assertEqual(first.value[1], 1_700_000_000_000)

    async def test_definitions_namespaces_grants_and_pins(self) -> None:
        def answer(arguments: dict[str, Any]) -> Any:
            return arguments

        schema = {"type": "object", "properties": {"owner": {"type": "string"}, "n": {"type": "integer"}}, "required": ["owner", "n"]}
        tools: dict[str, list[Any]] = {"github": [Definition("list-issues", answer, schema), Definition("delete", answer)], "app": [add]}
        scope = self.runtime.scope(tools, deny=["github.delete"], pins={"github.list-issues": {"owner": "acme"}})
        types = await scope.types()
        self.assertNotIn("owner", types)
        outcome = await scope.run("return [await github.list_issues({ n: 7 }), typeof github.delete]")
        self.assertEqual(outcome.value, [{"owner": "acme", "n": 7}, "undefined"])

    async def test_mistakes_of_the_caller_are_named(self) -> None:
        for scope, words in [
            (self.runtime.scope(tools=[add], allow=["app.sub"]), "there is no tool `app.sub`"),
            (self.runtime.scope(servers={"x": {"command": 7}}), "mcpServers.x.command"),
        ]:
            with self.assertRaisesRegex(CallerError, words):
                await scope.types()
        with self.assertRaisesRegex(CallerError, "two tools of `app` have one name"):
            self.runtime.scope(tools=[add, add])
        with self.assertRaisesRegex(CallerError, "has no name for a caller"):
            self.runtime.scope(tools=[max_of])
        for wrong in (add, {"add": add}, "add"):
            with self.subTest(wrong), self.assertRaisesRegex(CallerError, r"`tools` is a list .*`\[add\]`"):
                self.runtime.scope(wrong)  # type: ignore[arg-type]
        with self.assertRaisesRegex(CallerError, "`'add'` is no tool"):
            self.runtime.scope(["add"])  # type: ignore[list-item]
        with self.assertRaisesRegex(CallerError, r'`allow` is a list of texts: write `\["app.\*"\]`'):
            self.runtime.scope([add], allow="app.*")
        with self.assertRaisesRegex(CallerError, "unknown field `wall`"):
            await self.runtime.scope().run("return 1", limits={"wall": 1})
        with self.assertRaisesRegex(HostError, "no server could be used"):
            await self.runtime.scope(servers={"x": {"command": "/nowhere/server"}}).open()
        async with self.runtime.scope(tools=[add]) as scope:
            pass
        with self.assertRaisesRegex(CallerError, "the scope is closed"):
            await scope.run("return 1")
        with self.assertRaises(ValueError):
            ToolError("no", code="nonsense")

    async def test_a_program_that_dies_is_the_hosts_fault(self) -> None:
        async def kill() -> None:
            self.runtime.peer().kill()
            await asyncio.Event().wait()

        scope = self.runtime.scope(tools=[kill])
        with self.assertRaisesRegex(HostError, "ended with exit code"):
            await scope.run("return await app.kill({})")
        with self.assertRaises(HostError):
            await scope.run("return 1")


def max_of(*numbers: int) -> int:
    return max(numbers)


class TestStart(unittest.IsolatedAsyncioTestCase):
    async def test_limits_are_ceilings_and_nothing_runs_outside(self) -> None:
        runtime = Runtime(limits={"wall_max_ms": 300})
        with self.assertRaisesRegex(CallerError, "has not been started"):
            await runtime.scope().run("return 1")
        async with runtime:
            self.assertEqual(runtime.limits["wall_max_ms"], 300)
            outcome = await runtime.scope().run("await new Promise((done) => setTimeout(done, 5000))", limits={"wall_max_ms": 60_000})
            assert outcome.stop is not None
            self.assertEqual(outcome.stop.kind, "wall")
        with self.assertRaisesRegex(CallerError, "is closed"):
            await runtime.scope().run("return 1")
        with self.assertRaisesRegex(CallerError, "is closed"):
            await runtime.start()
        with self.assertRaisesRegex(CallerError, "heap_bytes_max"):
            await Runtime(limits={"heap_bytes_max": 1}).start()
        with self.assertRaisesRegex(CallerError, "system_calls"):
            await Runtime(isolation="loose").start()  # type: ignore[arg-type]
        async with Runtime(isolation="system_calls") as runtime:
            self.assertEqual((await runtime.scope().run("return 1")).value, 1)

    async def test_without_a_program_it_says_how_to_get_one_on_this_platform(self) -> None:
        nowhere = {"ISOLET": "", "PATH": "/nowhere"}
        with unittest.mock.patch.dict(os.environ, nowhere), unittest.mock.patch("sysconfig.get_path", return_value="/nowhere"):
            with unittest.mock.patch("platform.machine", return_value="x86_64"), unittest.mock.patch("platform.libc_ver", return_value=("glibc", "2.36")):
                with self.assertRaisesRegex(HostError, "`isolet` is not there: this is the package without it.*`pip install --force-reinstall"):
                    await Runtime().start()
            with unittest.mock.patch("platform.machine", return_value="riscv64"):
                with self.assertRaisesRegex(HostError, "`isolet` is not there: there is no wheel with it for .* on riscv64.*cargo install"):
                    await Runtime().start()

    async def test_a_tool_that_never_returns_does_not_keep_the_runtime_open(self) -> None:
        began, gate = threading.Event(), threading.Event()

        def block() -> None:
            began.set()
            gate.wait(30)

        runtime = await Runtime().start()
        run = asyncio.create_task(runtime.scope(tools=[block]).run("return await app.block({})"))
        await asyncio.to_thread(began.wait, 20)
        closing = time.monotonic()
        await runtime.close()
        self.assertLess(time.monotonic() - closing, 15)
        gate.set()
        self.assertEqual((await run).end, "stopped")

    async def test_a_program_that_is_missing_old_or_another_is_one_sentence(self) -> None:
        with tempfile.TemporaryDirectory() as place:
            def program(text: str) -> str:
                path = Path(place) / f"isolet{len(os.listdir(place))}"
                path.write_text(f"#!/bin/sh\n{text}\n")
                path.chmod(path.stat().st_mode | stat.S_IXUSR)
                return str(path)

            newer = '{"jsonrpc":"2.0","id":1,"error":{"code":-32602,"message":"use the program and the package of the same release"}}'
            for path, words in [
                (str(Path(place) / "none"), "no program that can be started"),
                (program("echo \"unrecognized subcommand 'exec'\" >&2; exit 2"), "exit code 2: unrecognized subcommand"),
                (program("echo hello; sleep 20"), "said what cannot be understood"),
                (program(f"read line; echo '{newer}'; read line"), "of the same release"),
            ]:
                with self.subTest(path), self.assertRaisesRegex((HostError, CallerError), words):
                    began = time.monotonic()
                    await Runtime(program=path).start()
                self.assertLess(time.monotonic() - began, 15)

    async def test_closing_ends_what_runs(self) -> None:
        began = asyncio.Event()

        async def wait() -> None:
            began.set()
            await asyncio.Event().wait()

        runtime = await Runtime().start()
        run = asyncio.create_task(runtime.scope(tools=[wait]).run("return await app.wait({})"))
        await asyncio.wait_for(began.wait(), 20)
        await runtime.close()
        outcome = await run
        assert outcome.stop is not None
        self.assertEqual(outcome.stop.kind, "cancelled")


class TestBlocking(unittest.TestCase):
    def test_the_same_without_asyncio(self) -> None:
        with blocking.Runtime() as runtime:
            scope = runtime.scope(tools=[add, mirror])
            self.assertIn("mirror", scope.types())
            outcome = scope.run("return [await app.add({ a: 1, b: 2 }), await app.mirror({ point: { x: 1, y: 2 } })]")
            self.assertEqual(outcome.value, [3, {"x": 2, "y": 1}])
            with runtime.scope() as other:
                self.assertEqual(other.run("return 1").value, 1)
        with self.assertRaisesRegex(CallerError, "has not been started"):
            scope.run("return 1")

    def test_a_tool_of_a_run_may_run_a_program_itself(self) -> None:
        with blocking.Runtime() as runtime:
            inner = runtime.scope(tools=[add])
            inner.open()

            def nested() -> int:
                return int(inner.run("return await app.add({ a: 20, b: 22 })").value)

            self.assertEqual(runtime.scope(tools=[nested]).run("return await app.nested({})").value, 42)


if __name__ == "__main__":
    unittest.main()
