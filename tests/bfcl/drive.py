"""Makes scenarios through a server and prints for `check.py` what was made: `drive.py --face classic|code [--isolet PROGRAM] [--sample 40] [--category base]`.

`classic` calls the server itself, call by call. `code` runs the program of each turn with `run_code` of `isolet mcp`, which starts the server.
"""

import json
import pathlib
import subprocess
import sys
import tempfile

import scenarios


class Client:
    """An MCP client over stdio that asks one thing at a time."""

    def __init__(self, command: list[str]):
        self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self.asked = 0
        client = {"protocolVersion": "2025-06-18", "capabilities": {}, "clientInfo": {"name": "bfcl", "version": "1"}}
        self.ask("initialize", client)
        self.send({"method": "notifications/initialized"})

    def send(self, message: dict):
        self.process.stdin.write(json.dumps({"jsonrpc": "2.0", **message}) + "\n")
        self.process.stdin.flush()

    def ask(self, method: str, params: dict) -> dict:
        self.asked += 1
        self.send({"id": self.asked, "method": method, "params": params})
        for line in self.process.stdout:
            answer = json.loads(line)
            if answer.get("id") == self.asked and "method" not in answer:
                if "error" in answer:
                    raise RuntimeError(f"{method}: {answer['error']['message']}")
                return answer["result"]
        raise RuntimeError(f"the server ended before it answered `{method}`")

    def call(self, tool: str, arguments: dict) -> dict:
        result = self.ask("tools/call", {"name": tool, "arguments": arguments})
        if result.get("isError"):
            raise RuntimeError(f"{tool}: {result['content'][0]['text']}")
        return result

    def close(self):
        self.process.stdin.close()
        self.process.wait()


def classic(scenario: dict, record: str, _: str | None):
    server = scenario["server"]
    client = Client([server["command"], *server["args"], record])
    for turn in scenario["turns"]:
        for call in turn["calls"]:
            client.call(call["tool"], call["arguments"])
    client.close()


def code(scenario: dict, record: str, isolet: str):
    server = scenario["server"]
    configuration = pathlib.Path(record) / "servers.json"
    command = {"command": server["command"], "args": [*server["args"], record]}
    configuration.write_text(json.dumps({"mcpServers": {server["name"]: command}}))
    client = Client([isolet, "mcp", "--config", str(configuration)])
    for turn in scenario["turns"]:
        client.call("run_code", {"code": turn["program"]})
    client.close()


def main():
    parser = scenarios.arguments(__doc__)
    parser.add_argument("--face", choices=("classic", "code"), required=True)
    parser.add_argument("--isolet", help="the program `isolet`, for the face `code`")
    options = parser.parse_args()
    if options.face == "code" and not options.isolet:
        parser.error("--face code needs --isolet")
    face = {"classic": classic, "code": code}[options.face]
    for entry in scenarios.chosen(options.category, options.sample):
        scenario = scenarios.scenario(entry)
        record = tempfile.mkdtemp(prefix="bfcl-")
        try:
            face(scenario, record, options.isolet)
        except RuntimeError as error:
            print(f"{scenario['id']}: {error}", file=sys.stderr)
        turns = [len(turn["calls"]) for turn in scenario["turns"]]
        print(json.dumps({"id": scenario["id"], "record": record, "turns": turns}), flush=True)


if __name__ == "__main__":
    main()
