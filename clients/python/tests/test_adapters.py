"""A scope as a tool of other frameworks, against the real packages where they are installed."""

from __future__ import annotations

import importlib.util
import json
import runpy
import unittest
from pathlib import Path
from typing import Any

from isolet import Runtime, tool

PROGRAM = "return await app.add({ a: 1, b: 2 })"


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

    @unittest.skipUnless(importlib.util.find_spec("agents"), "needs openai-agents")
    async def test_a_tool_of_openais_agents(self) -> None:
        from agents import Agent, Runner
        from agents.items import ModelResponse
        from agents.models.interface import Model
        from agents.usage import Usage
        from openai.types.responses import ResponseFunctionToolCall, ResponseOutputMessage, ResponseOutputText

        from isolet.adapters.openai_agents import run_code_tool

        class Scripted(Model):
            """Writes a program, then says what it has got."""

            async def get_response(self, *args: Any, **kwargs: Any) -> ModelResponse:
                heard = args[1] if len(args) > 1 else kwargs["input"]
                result = heard[-1] if isinstance(heard, list) else None
                if result is None or result.get("type") != "function_call_output":
                    arguments = json.dumps({"program": PROGRAM})
                    made: Any = ResponseFunctionToolCall(arguments=arguments, call_id="1", name="run_code", type="function_call")
                else:
                    text = ResponseOutputText(text=str(result["output"]), type="output_text", annotations=[])
                    made = ResponseOutputMessage(id="2", content=[text], role="assistant", status="completed", type="message")
                return ModelResponse(output=[made], usage=Usage(), response_id=None)

            def stream_response(self, *args: Any, **kwargs: Any) -> Any:
                raise NotImplementedError

        async with Runtime() as runtime:
            run_code = await run_code_tool(runtime.scope(tools=[add]))
            self.assertIn("Add two numbers.", run_code.description)
            answer = await Runner.run(Agent(name="agent", model=Scripted(), tools=[run_code]), "How much?")
            self.assertEqual(json.loads(answer.final_output), {"end": "returned", "value": 3})
            wrong: Any = None
            self.assertIn("program", await run_code.on_invoke_tool(wrong, "[]"))

    @unittest.skipUnless(importlib.util.find_spec("claude_agent_sdk"), "needs claude-agent-sdk")
    async def test_a_tool_of_claudes_agent_sdk(self) -> None:
        from claude_agent_sdk import create_sdk_mcp_server

        from isolet.adapters.claude_agent_sdk import run_code_tool

        async with Runtime() as runtime:
            run_code = await run_code_tool(runtime.scope(tools=[add]))
            self.assertIn("Add two numbers.", run_code.description)
            self.assertEqual(create_sdk_mcp_server("isolet", tools=[run_code])["name"], "isolet")
            said = await run_code.handler({"program": PROGRAM})
            self.assertEqual([json.loads(part["text"]) for part in said["content"]], [{"end": "returned", "value": 3}])

    @unittest.skipUnless(importlib.util.find_spec("pydantic_ai"), "needs pydantic-ai-slim")
    async def test_a_toolset_of_pydantic_ai(self) -> None:
        from pydantic_ai import Agent
        from pydantic_ai.messages import ModelMessage, ModelResponse, TextPart, ToolCallPart, ToolReturnPart
        from pydantic_ai.models.function import AgentInfo, FunctionModel

        from isolet.adapters.pydantic_ai import run_code_toolset

        def scripted(messages: list[ModelMessage], info: AgentInfo) -> ModelResponse:
            returned = [part for part in messages[-1].parts if isinstance(part, ToolReturnPart)]
            if returned:
                return ModelResponse(parts=[TextPart(str(returned[0].content))])
            self.assertIn("Add two numbers.", info.function_tools[0].description or "")
            return ModelResponse(parts=[ToolCallPart("run_code", {"program": PROGRAM})])

        async with Runtime() as runtime:
            toolset = await run_code_toolset(runtime.scope(tools=[add]))
            answer = await Agent(FunctionModel(scripted), toolsets=[toolset]).run("How much?")
            self.assertEqual(json.loads(answer.output), {"end": "returned", "value": 3})

    @unittest.skipUnless(importlib.util.find_spec("fastmcp"), "needs fastmcp")
    async def test_the_sandbox_of_fastmcp(self) -> None:
        from fastmcp import Client, FastMCP
        from fastmcp.exceptions import ToolError
        from fastmcp.experimental.transforms.code_mode import CodeMode

        from isolet.adapters.fastmcp import EXECUTE_DESCRIPTION, IsoletSandbox

        async with Runtime() as runtime:
            sandbox = IsoletSandbox(runtime)
            server = FastMCP("shop", transforms=[CodeMode(sandbox_provider=sandbox, execute_description=EXECUTE_DESCRIPTION)])
            server.tool(add.function, name="add")
            program = "const sum = await host.call_tool({ tool_name: 'add', params: { a: 1, b: 2 } }); return sum"
            async with Client(server) as client:
                listed = {tool.name: tool.description or "" for tool in await client.list_tools()}
                self.assertIn("TypeScript", listed["execute"])
                said = await client.call_tool("execute", {"code": program})
                self.assertIn("3", str(said.content))
                with self.assertRaisesRegex(ToolError, "no such luck"):
                    await client.call_tool("execute", {"code": "throw new Error('no such luck')"})
                with self.assertRaisesRegex(ToolError, "Unknown tool|nothing"):
                    await client.call_tool("execute", {"code": program.replace("'add'", "'nothing'")})
            self.assertEqual(await sandbox.run("return [n, t]", inputs={"n": 1, "t": "</script>"}), [1, "</script>"])

    @unittest.skipUnless(importlib.util.find_spec("fastmcp"), "needs fastmcp")
    async def test_the_server_of_the_examples(self) -> None:
        from fastmcp import Client

        shown = runpy.run_path(str(Path(__file__).parent.parent / "examples" / "shop_server.py"))
        program = "return await host.call_tool({ tool_name: 'price', params: { article: 'milk', count: 4 } })"
        async with Client(shown["server"]) as client:
            said = await client.call_tool("execute", {"code": program})
        self.assertIn("5", str(said.content))


if __name__ == "__main__":
    unittest.main()
