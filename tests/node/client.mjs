// The TypeScript SDK's client against `isolet mcp` on standard input and output: lists, runs a program, calls a tool the classic way,
// and writes what it got as one line of JSON.
//
//   node client.mjs COMMAND ARGUMENT...

import { createRequire } from "node:module";

// The packages lie where they were installed, which is not beside this file.
const require = createRequire(`${process.env.NODE_PACKAGES}/`);
const { Client } = require("@modelcontextprotocol/sdk/client/index.js");
const { StdioClientTransport } = require("@modelcontextprotocol/sdk/client/stdio.js");

const [command, ...args] = process.argv.slice(2);
const client = new Client({ name: "isolet-tests", version: "1.0.0" });
await client.connect(new StdioClientTransport({ command, args, stderr: "inherit" }));

const { tools } = await client.listTools();
const code = `const numbers = await good.wrapped({}); console.log("asked"); return numbers.length`;
const ran = await client.callTool({ name: "run_code", arguments: { code } });
const called = await client.callTool({ name: "good__wrapped", arguments: {} });
const refused = await client.callTool({ name: "run_code", arguments: { code: "return await good.no_such_tool({})" } });

const closing = performance.now();
await client.close();
console.log(
  JSON.stringify({
    server: client.getServerVersion().name,
    tools: tools.map((tool) => tool.name),
    ran: ran.structuredContent,
    called: called.structuredContent,
    refused: { isError: refused.isError, error: refused.structuredContent.message.split("\n")[0] },
    closed_in_ms: performance.now() - closing,
  }),
);
