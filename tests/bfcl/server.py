"""An MCP server over stdio: the back ends of one BFCL entry, `server.py multi_turn_base_0 [--record FOLDER]`.

With `--record`, the folder has `calls.jsonl` (one line for each call that arrived) and `state.json` (the state after the last call): the
private door by which a harness learns what became of the back ends. Nothing of it is seen over MCP.
"""

import argparse
import json
import os
import pathlib
import sys

import benchmark

VERSIONS = ("2025-11-25", "2025-06-18", "2025-03-26", "2024-11-05")


class Server:
    def __init__(self, id: str, record: pathlib.Path | None):
        entry = benchmark.entry(id)
        self.tools = benchmark.definitions(entry)
        self.names = {tool["name"] for tool in self.tools}
        self.has_output = {tool["name"] for tool in self.tools if "outputSchema" in tool}
        self.back_ends = benchmark.BackEnds(entry)
        self.record = record
        if record:
            record.mkdir(parents=True, exist_ok=True)
            (record / "calls.jsonl").write_text("")
            self.write_state()

    def answer(self, method: str, params: dict) -> dict:
        match method:
            case "initialize":
                wanted = params.get("protocolVersion")
                return {
                    "protocolVersion": wanted if wanted in VERSIONS else VERSIONS[0],
                    "capabilities": {"tools": {}},
                    "serverInfo": {"name": "bfcl", "version": "4"},
                }
            case "tools/list":
                return {"tools": self.tools}
            case "tools/call":
                return self.call(params["name"], params.get("arguments") or {})
            case "ping":
                return {}
        raise LookupError(f"no method `{method}`")

    def call(self, tool: str, arguments: dict) -> dict:
        if tool not in self.names:
            raise LookupError(f"no tool `{tool}`")
        try:
            result = benchmark.plain(self.back_ends.call(tool, arguments))
            answer = self.result(tool, result)
        except Exception as error:  # whatever a back end raises is what BFCL tells the model
            result = f"Error during execution: {error}"
            answer = {"content": [{"type": "text", "text": result}], "isError": True}
        if self.record:
            line = {"tool": tool, "arguments": arguments, "result": result, "failed": "isError" in answer}
            with open(self.record / "calls.jsonl", "a", encoding="utf-8") as calls:
                calls.write(json.dumps(line) + "\n")
            self.write_state()
        return answer

    def result(self, tool: str, value) -> dict:
        """Objects as MCP has them; what BFCL shows as `None` is that text. An object with `error` in it is a value, as it is in BFCL."""
        text = "None" if value is None else value if isinstance(value, str) else json.dumps(value)
        answer = {"content": [{"type": "text", "text": text}]}
        if tool in self.has_output:
            answer["structuredContent"] = value
        return answer

    def write_state(self):
        partial = self.record / "state.json.partial"
        partial.write_text(json.dumps(self.back_ends.state()), encoding="utf-8")
        os.replace(partial, self.record / "state.json")


def main():
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("id")
    arguments.add_argument("--record", type=pathlib.Path)
    arguments = arguments.parse_args()
    server = Server(arguments.id, arguments.record)
    for line in sys.stdin:
        if not line.strip():
            continue
        message = json.loads(line)
        if "method" not in message or "id" not in message:
            continue  # a notification, or an answer to what was never asked
        reply = {"jsonrpc": "2.0", "id": message["id"]}
        try:
            reply["result"] = server.answer(message["method"], message.get("params") or {})
        except LookupError as error:
            reply["error"] = {"code": -32601, "message": str(error)}
        print(json.dumps(reply), flush=True)


if __name__ == "__main__":
    main()
