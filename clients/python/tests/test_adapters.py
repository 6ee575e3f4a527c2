"""A scope as a tool of other frameworks, against the real packages where they are installed."""

from __future__ import annotations

import importlib.util
import json
import unittest

from isolet import Runtime, tool


@tool
def add(a: int, b: int) -> int:
    """Add two numbers."""
    return a + b


class TestAdapters(unittest.IsolatedAsyncioTestCase):
    @unittest.skipUnless(importlib.util.find_spec("langchain_core"), "needs langchain-core")
    async def test_a_tool_of_langchain(self) -> None:
        from isolet.adapters.langchain import run_code_tool

        async with Runtime() as runtime:
            run_code = await run_code_tool(runtime.scope(tools=[add]))
            self.assertIn("Add two numbers.", run_code.description)
            self.assertEqual(list(run_code.args), ["program"])
            said = await run_code.ainvoke({"program": "console.log('hi'); return await app.add({ a: 1, b: 2 })"})
            self.assertEqual(json.loads(said), {"end": "returned", "value": 3, "console": [{"text": "hi"}]})
            failed = json.loads(await run_code.ainvoke({"program": "throw new Error('no')"}))
            self.assertEqual((failed["end"], failed["repair_safe"]), ("threw", True))
            self.assertIn("no", failed["message"])


if __name__ == "__main__":
    unittest.main()
