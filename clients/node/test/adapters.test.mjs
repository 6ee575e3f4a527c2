/** A scope in other people's frameworks, against their packages where they are installed: in the folder that `NODE_PACKAGES` names. */
import assert from "node:assert/strict";
import { createRequire, register } from "node:module";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { pathToFileURL } from "node:url";
import { CodemodeExecutor, Runtime, registerRunCode, runCodeMastraTool, runCodeTool, tool } from "isolet";

const add = tool({
  name: "add",
  description: "Add two numbers.",
  inputSchema: { type: "object", properties: { a: { type: "number" }, b: { type: "number" } }, required: ["a", "b"] },
  call: ({ a, b }) => a + b,
});
const program = "return await app.add({ a: 1, b: 2 })";

const packages = createRequire(join(process.env.NODE_PACKAGES ?? "/nowhere", "node_modules", "file.js"));

// A part of codemode is for Cloudflare's runtime alone, and is imported with the rest.
const ofCloudflare = "data:text/javascript,export class RpcTarget {} export class WorkerEntrypoint {}";
const resolve = `export const resolve = (name, context, next) =>
  name === "cloudflare:workers" ? { url: ${JSON.stringify(ofCloudflare)}, shortCircuit: true } : next(name, context);`;
register(`data:text/javascript,${encodeURIComponent(resolve)}`);

/** The exports of a package, or `undefined` where it is not installed. */
async function installed(name) {
  let path;
  try {
    path = packages.resolve(name);
  } catch {
    return undefined;
  }
  return import(pathToFileURL(path).href);
}

/** What is needed of other people: looked for before any test is defined, for the hooks run when no test is left. */
const others = {
  mcp: ["@modelcontextprotocol/sdk/server/mcp.js", "@modelcontextprotocol/sdk/client/index.js", "@modelcontextprotocol/sdk/inMemory.js", "zod"],
  ai: ["ai", "ai/test"],
  mastra: ["@mastra/core/tools", "zod"],
  codemode: ["@cloudflare/codemode/ai", "ai", "zod"],
};
const found = Object.fromEntries(await Promise.all(Object.entries(others).map(async ([name, all]) => [name, await Promise.all(all.map(installed))])));

/** Those of which whoever runs the tests has the packages: without them they fail. */
const required = (process.env.REQUIRED_ADAPTERS ?? "").split(",");

/** A test with these packages, which is skipped without them. */
function testWith(name, words, use) {
  const [all, needed] = [found[name], `needs ${others[name].join(", ")}`];
  if (!all.includes(undefined)) return test(words, () => use(...all));
  test(words, { skip: !required.includes(name) && needed }, () => assert.fail(needed));
}

let runtime;
before(async () => {
  runtime = await Runtime.start();
});
after(async () => {
  await runtime.close();
});

testWith(
  "mcp",
  "a server of the MCP SDK offers a scope as one tool",
  async ({ McpServer }, { Client }, { InMemoryTransport }, { z }) => {
    const server = new McpServer({ name: "shop", version: "1" });
    await registerRunCode(server, z, runtime.scope({ tools: [add] }));
    const [here, there] = InMemoryTransport.createLinkedPair();
    const client = new Client({ name: "test", version: "1" });
    await Promise.all([server.connect(there), client.connect(here)]);
    const [listed] = (await client.listTools()).tools;
    assert.equal(listed.name, "run_code");
    assert.match(listed.description, /Add two numbers\./);
    assert.deepEqual(listed.inputSchema.required, ["program"]);
    const said = await client.callTool({ name: "run_code", arguments: { program } });
    assert.deepEqual(JSON.parse(said.content[0].text), { end: "returned", value: 3 });
    await client.close();
  },
);

testWith(
  "ai",
  "an agent of the AI SDK writes a program",
  async (ai, { MockLanguageModelV3 }) => {
    const usage = { inputTokens: { total: 1 }, outputTokens: { total: 1 } };
    const say = (content, reason) => ({ content, finishReason: { unified: reason, raw: reason }, usage, warnings: [] });
    let asked = 0;
    const model = new MockLanguageModelV3({
      doGenerate: async ({ prompt, tools }) => {
        asked += 1;
        if (asked === 1) {
          assert.match(tools[0].description, /Add two numbers\./);
          return say([{ type: "tool-call", toolCallId: "1", toolName: "run_code", input: JSON.stringify({ program }) }], "tool-calls");
        }
        return say([{ type: "text", text: prompt.at(-1).content[0].output.value }], "stop");
      },
    });
    const run_code = await runCodeTool(ai, runtime.scope({ tools: [add] }));
    const { text } = await ai.generateText({ model, tools: { run_code }, stopWhen: ai.stepCountIs(3), prompt: "How much?" });
    assert.deepEqual(JSON.parse(text), { end: "returned", value: 3 });
  },
);

testWith(
  "mastra",
  "a tool of Mastra runs a program",
  async ({ createTool }, { z }) => {
    const made = await runCodeMastraTool({ createTool, z }, runtime.scope({ tools: [add] }));
    assert.equal(made.id, "run_code");
    assert.match(made.description, /Add two numbers\./);
    assert.deepEqual(JSON.parse(await made.execute({ program }, {})), { end: "returned", value: 3 });
  },
);

test("an executor of codemode gives results, errors and logs, and never throws", async () => {
  const executor = new CodemodeExecutor(runtime);
  const providers = [{ name: "codemode", fns: { add: async ({ a, b }) => a + b, fail: () => Promise.reject(new Error("sold out")) } }];
  const code = "async () => { console.log('so far'); console.warn('careful'); return await codemode.add({ a: 1, b: 2 }) }";
  assert.deepEqual(await executor.execute(code, providers), { result: 3, logs: ["so far", "[warn] careful"] });
  assert.deepEqual(await executor.execute("async () => codemode.add({ a: 2, b: 2 })", providers[0].fns), { result: 4 });
  assert.match((await executor.execute("async () => { await codemode.fail({}) }", providers)).error, /sold out/);
  assert.match((await executor.execute("async () => 1", [{ ...providers[0], prelude: "1" }])).error, /preludes/);
  const closed = await Runtime.start();
  await closed.close();
  assert.match((await new CodemodeExecutor(closed).execute("async () => 1", providers)).error, /the runtime is closed/);
});

testWith(
  "codemode",
  "codemode's own tool runs in it",
  async ({ createCodeTool }, ai, { z }) => {
    const tools = { add: ai.tool({ description: "Add.", inputSchema: z.object({ a: z.number(), b: z.number() }), execute: async ({ a, b }) => a + b }) };
    const codemode = createCodeTool({ tools, executor: new CodemodeExecutor(runtime) });
    const said = await codemode.execute({ code: "async () => await codemode.add({ a: 1, b: 2 })" }, {});
    assert.equal(said.result, 3);
  },
);
