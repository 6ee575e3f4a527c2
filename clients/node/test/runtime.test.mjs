/** The package against the program: what it is for, and what goes wrong. `ISOLET` names the program. */
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { chmodSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { fileURLToPath } from "node:url";
import { CallerError, HostError, Runtime, ToolError, runCodeTool, tool } from "isolet";

const add = tool({
  name: "add",
  description: "Add two numbers.",
  inputSchema: { type: "object", properties: { a: { type: "number" }, b: { type: "number" } }, required: ["a", "b"] },
  outputSchema: { type: "number" },
  call: ({ a, b }) => a + b,
});

/** A tool that takes anything. */
const named = (name, call) => ({ name, call });

let runtime;
before(async () => {
  runtime = await Runtime.start();
});
after(async () => {
  await runtime.close();
});

test("a program calls functions of both kinds", async () => {
  const scope = runtime.scope({ tools: [add, named("later", async ({ n }) => ({ n: n + 1 }))] });
  assert.match(await scope.types(), /Add two numbers\./);
  const outcome = await scope.run("return (await app.later({ n: 1 })).n + await app.add({ a: 1, b: 39 })");
  assert.equal(outcome.end, "returned");
  assert.equal(outcome.value, 42);
  assert.deepEqual(outcome.calls.map(({ path, end }) => [path, end]), [["app.later", "answered"], ["app.add", "answered"]]);
  assert.equal(typeof outcome.cost.wallMs, "number");
});

test("arguments that do not match never arrive", async () => {
  const outcome = await runtime.scope({ tools: [add] }).run("return await app.add({ a: {}, b: 1 }).catch((error) => error.code)");
  assert.equal(outcome.value, "invalid_arguments");
});

test("a fault of the program is an outcome", async () => {
  const scope = runtime.scope();
  const thrown = await scope.run("console.warn('so far'); throw new TypeError('no')");
  assert.equal(thrown.end, "threw");
  assert.equal(thrown.error.name, "TypeError");
  assert.deepEqual(thrown.console, [{ level: "warn", text: "so far" }]);
  const stopped = await scope.run("for (;;) {}", { limits: { cpuMaxMs: 50 } });
  assert.equal(stopped.end, "stopped");
  assert.equal(stopped.stop.kind, "cpu");
});

test("a tool that fails is an exception in the program", async () => {
  const circle = [];
  circle.push(circle);
  const hows = {
    throws: () => { throw new Error("a reason"); },
    rejects: () => Promise.reject(new RangeError("later")),
    throwsText: () => { throw "words"; },
    toolError: () => { throw new ToolError("sold out", { code: "rate_limited", retryable: true }); },
    large: () => "x".repeat(17 << 20),
    circle: () => circle,
    bigint: () => 1n,
    callable: () => () => 1,
    nothing: () => undefined,
  };
  const scope = runtime.scope({ tools: Object.entries(hows).map(([name, call]) => named(name, call)) });
  for (const [how, code, words] of [
    ["throws", "tool_failed", "Error: a reason"],
    ["rejects", "tool_failed", "RangeError: later"],
    ["throwsText", "tool_failed", "words"],
    ["toolError", "rate_limited", "sold out"],
    ["large", "too_large", "ask for less at a time"],
    ["circle", "invalid_reply", "returned what JSON cannot say"],
    ["bigint", "invalid_reply", "returned what JSON cannot say"],
    ["callable", "invalid_reply", "returned what JSON cannot say: a function"],
    ["nothing", "value", "null"],
  ]) {
    const program = `return await app.${how}({}).then((value) => ["value", String(value)], (error) => [error.code, error.message])`;
    const { value } = await scope.run(program);
    assert.equal(value[0], code, how);
    assert.ok(value[1].includes(words), `${how}: ${value[1]}`);
    assert.ok(!value[1].includes("runtime.test"), value[1]);
  }
});

test("a signal ends a run and its tools, and the others go on", async () => {
  let aborted;
  const ended = new Promise((resolve) => { aborted = resolve; });
  let began;
  const waiting = new Promise((resolve) => { began = resolve; });
  const wait = named("wait", (_, { signal }) => {
    began();
    return new Promise(() => signal.addEventListener("abort", aborted));
  });
  const scope = runtime.scope({ tools: [wait, add] });
  const controller = new AbortController();
  const run = scope.run("return await app.wait({})", { signal: controller.signal });
  await waiting;
  controller.abort(new Error("enough"));
  await assert.rejects(run, /enough/);
  await ended;
  await assert.rejects(scope.run("return 1", { signal: controller.signal }), /enough/);
  assert.equal((await scope.run("return await app.add({ a: 1, b: 1 })")).value, 2);
});

test("many runs go on at the same time", async () => {
  const scopes = [1, 2, 3].map(() => runtime.scope({ tools: [add] }));
  const runs = Array.from({ length: 200 }, (_, n) =>
    scopes[n % 3].run(`return (await Promise.all([1, 2, 3].map((b) => app.add({ a: ${n}, b }))))[2]`));
  assert.deepEqual((await Promise.all(runs)).map(({ value }) => value), Array.from({ length: 200 }, (_, n) => n + 3));
});

test("what happens is told as it happens", async () => {
  const events = [];
  const program = "console.log('one'); await app.add({ a: 1, b: 1 }); console.error('two')";
  await runtime.scope({ tools: [add] }).run(program, { onEvent: (event) => events.push(event) });
  const [{ durationMs }] = events.filter(({ kind }) => kind === "answered");
  assert.ok(durationMs >= 0);
  assert.deepEqual(events, [
    { kind: "console", level: "log", text: "one" },
    { kind: "called", call: 1, path: "app.add" },
    { kind: "answered", call: 1, path: "app.add", end: "answered", durationMs },
    { kind: "console", level: "error", text: "two" },
  ]);
});

test("the same seed and clock give the same", async () => {
  const options = { seed: [1, 2, 3, 4], clockMs: 1_700_000_000_000 };
  const program = "return [Math.random(), Math.floor(Date.now() / 1000)]";
  const [first, second] = [await runtime.scope().run(program, options), await runtime.scope().run(program, options)];
  assert.deepEqual(first.value, second.value);
  assert.equal(first.value[1], 1_700_000_000);
});

test("namespaces, grants and pins", async () => {
  const inputSchema = { type: "object", properties: { owner: { type: "string" }, n: { type: "integer" } }, required: ["owner", "n"] };
  const scope = runtime.scope({
    tools: { github: [{ name: "list-issues", inputSchema, call: (args) => args }, named("delete", () => 1)], app: [add] },
    deny: ["github.delete"],
    pins: { "github.list-issues": { owner: "acme" } },
  });
  assert.doesNotMatch(await scope.types(), /owner/);
  const outcome = await scope.run("return [await github.list_issues({ n: 7 }), typeof github.delete]");
  assert.deepEqual(outcome.value, [{ owner: "acme", n: 7 }, "undefined"]);
});

test("mistakes of the caller are named", async () => {
  const rejects = (promise, kind, words) => assert.rejects(promise, (error) => error instanceof kind && words.test(error.message));
  await rejects(runtime.scope({ tools: [add], allow: ["app.sub"] }).types(), CallerError, /there is no tool `app.sub`/);
  await rejects(runtime.scope({ servers: { x: { command: 7 } } }).open(), CallerError, /mcpServers\.x\.command/);
  await rejects(runtime.scope().run("return 1", { limits: { wall: 1 } }), CallerError, /unknown field `wall`/);
  await rejects(runtime.scope({ servers: { x: { command: "/nowhere/server" } } }).open(), HostError, /no server could be used/);
  assert.throws(() => runtime.scope({ tools: [add, add] }), /two tools of `app` have one name/);
  for (const tools of [add, { add }, () => 1, "add"]) assert.throws(() => runtime.scope({ tools }), /`tools` is a list of tools, or such lists by namespace/);
  for (const tools of [[{ name: "add" }], [() => 1], [null]]) assert.throws(() => runtime.scope({ tools }), /`app` has what is no tool: .* `name` .* `call`/);
  assert.throws(() => runtime.scope([add]), /the options of a scope .* `{ tools: \[\.\.\.\] }`/);
  const scope = runtime.scope({ tools: [add] });
  await scope.open();
  await scope.close();
  await rejects(scope.run("return 1"), CallerError, /the scope is closed/);
});

test("a scope is one tool of the AI SDK", async () => {
  // As `ai` has them: `tool` gives back what it gets, `jsonSchema` wraps a schema.
  const ai = { tool: (definition) => definition, jsonSchema: (schema) => ({ jsonSchema: schema }) };
  const runCode = await runCodeTool(ai, runtime.scope({ tools: [add] }));
  assert.match(runCode.description, /Add two numbers\./);
  assert.deepEqual(runCode.inputSchema.jsonSchema.required, ["program"]);
  const said = await runCode.execute({ program: "console.log('hi'); return await app.add({ a: 1, b: 2 })" }, {});
  assert.deepEqual(JSON.parse(said), { end: "returned", value: 3, console: [{ text: "hi" }] });
  const failed = JSON.parse(await runCode.execute({ program: "throw new Error('no')" }, {}));
  assert.equal(failed.end, "threw");
  assert.equal(failed.repair_safe, true);
});

test("limits are ceilings, and closing ends what runs", async () => {
  const other = await Runtime.start({ limits: { wallMaxMs: 300 } });
  assert.equal(other.limits.wallMaxMs, 300);
  const late = "await new Promise((done) => setTimeout(done, 5000))";
  assert.equal((await other.scope().run(late, { limits: { wallMaxMs: 60_000 } })).stop.kind, "wall");
  await other.close();
  await assert.rejects(other.scope().run("return 1"), CallerError);
  await assert.rejects(Runtime.start({ limits: { heapBytesMax: 1 } }), /heap_bytes_max/);
  const third = await Runtime.start();
  let began;
  const waiting = new Promise((resolve) => { began = resolve; });
  const run = third.scope({ tools: [named("wait", () => new Promise(began))] }).run("return await app.wait({})");
  await waiting;
  await third.close();
  const outcome = await run;
  assert.ok(outcome.end === "stopped" || outcome.end === "returned", outcome.end);
});

test("walls are asked for by name", async () => {
  await assert.rejects(Runtime.start({ isolation: "loose" }), (error) => error instanceof CallerError && /system_calls/.test(error.message));
  const without = await Runtime.start({ isolation: "system_calls" });
  assert.equal((await without.scope().run("return 1")).value, 1);
  await without.close();
});

test("without a program it says how to get one on this platform", async () => {
  const { ISOLET, PATH } = process.env;
  const platform = Object.getOwnPropertyDescriptor(process, "platform");
  const fails = (words) => assert.rejects(Runtime.start(), (error) => error instanceof HostError && words.test(error.message));
  Object.assign(process.env, { ISOLET: "", PATH: "/nowhere" });
  try {
    if (`${process.platform}-${process.arch}` === "linux-x64") {
      await fails(/`isolet` is not there: the package `@isolet\/linux-x64` is not installed.*`npm install @isolet\/linux-x64@0\.1\.0`/);
    }
    Object.defineProperty(process, "platform", { ...platform, value: "sunos" });
    await fails(/`isolet` is not there: there is no package of it for sunos-.*cargo install/);
  } finally {
    Object.defineProperty(process, "platform", platform);
    Object.assign(process.env, { ISOLET, PATH });
  }
});

test("the command of the package is the program, and never itself", () => {
  const command = fileURLToPath(new URL("bin.js", import.meta.resolve("isolet")));
  const called = (args, environment) => spawnSync(process.execPath, [command, ...args], { encoding: "utf8", env: { ...process.env, ...environment } });
  const version = called(["--version"], {});
  assert.equal(version.status, 0, version.stderr);
  assert.match(version.stdout, /^isolet \d/);
  assert.equal(called(["walk"], {}).status, 2);
  // A `PATH` that has nothing but this command, as `npx` makes it.
  const place = mkdtempSync(join(tmpdir(), "isolet-"));
  after(() => rmSync(place, { recursive: true }));
  chmodSync(command, 0o755);
  symlinkSync(command, join(place, "isolet"));
  const alone = called(["--version"], { ISOLET: "", PATH: place });
  assert.equal(alone.status, 127, alone.stdout);
  assert.match(alone.stderr, /^isolet: the program `isolet` is not there/);
});

test("a program that is missing, old or another is one sentence", async () => {
  const place = mkdtempSync(join(tmpdir(), "isolet-"));
  after(() => rmSync(place, { recursive: true }));
  let count = 0;
  const program = (text) => {
    const path = join(place, `isolet${count++}`);
    writeFileSync(path, `#!/bin/sh\n${text}\n`);
    chmodSync(path, 0o755);
    return path;
  };
  const newer = '{"jsonrpc":"2.0","id":1,"error":{"code":-32602,"message":"use the program and the package of the same release"}}';
  for (const [path, words] of [
    [join(place, "none"), /no program that can be started/],
    [program("echo \"unrecognized subcommand 'exec'\" >&2; exit 2"), /exit code 2: unrecognized subcommand/],
    [program("echo hello; sleep 20"), /said what cannot be understood/],
    [program(`read line; echo '${newer}'; read line`), /of the same release/],
  ]) {
    const began = Date.now();
    await assert.rejects(Runtime.start({ program: path }), words);
    assert.ok(Date.now() - began < 15_000);
  }
});

test("a runtime that nobody waits for does not keep the process alive", () => {
  const script = "import { Runtime } from 'isolet'; const runtime = await Runtime.start(); console.log((await runtime.scope().run('return 7')).value)";
  const ended = spawnSync(process.execPath, ["--input-type=module", "-e", script], { cwd: import.meta.dirname, encoding: "utf8", timeout: 30_000 });
  assert.equal(ended.status, 0, ended.stderr);
  assert.equal(ended.stdout, "7\n");
});

test("a call that is taken back after its run was answered keeps the process alive until then", () => {
  const place = mkdtempSync(join(tmpdir(), "isolet-"));
  after(() => rmSync(place, { recursive: true }));
  const program = join(place, "isolet");
  // A program that says in this order what the other may say in any: the outcome, and later that the call is taken back.
  writeFileSync(program, `#!${process.execPath}
    const say = (message) => console.log(JSON.stringify({ jsonrpc: "2.0", ...message }));
    let run;
    require("node:readline").createInterface({ input: process.stdin }).on("line", (line) => {
      const { id, method } = JSON.parse(line);
      if (method === "initialize") say({ id, result: { limits: {}, maxima: { line_bytes: 1000 } } });
      if (method === "scope/open") say({ id, result: { scope: "s1", warnings: [], failures: [] } });
      if (method === "run") {
        run = id;
        say({ id: "isolet-1", method: "tool/call", params: { scope: "s1", run, call: 1, server: "app", tool: "wait", path: "app.wait", arguments: {} } });
      }
      if (method === "cancel") {
        say({ id: run, error: { code: -32603, message: "cancelled" } });
        setTimeout(say, 500, { method: "tool/cancelled", params: { id: "isolet-1" } });
      }
    });
  `);
  chmodSync(program, 0o755);
  const script = `
    import { Runtime } from "isolet";
    const runtime = await Runtime.start();
    const controller = new AbortController();
    const takenBack = new Promise((resolve) => {
      const call = (_, { signal }) => {
        signal.addEventListener("abort", () => resolve("taken back"));
        setImmediate(() => controller.abort());
        return new Promise(() => {});
      };
      runtime.scope({ tools: [{ name: "wait", call }] }).run("return await app.wait({})", { signal: controller.signal }).catch(() => {});
    });
    console.log(await takenBack);
  `;
  const environment = { ...process.env, ISOLET: program };
  const options = { cwd: import.meta.dirname, encoding: "utf8", timeout: 30_000, env: environment };
  const ended = spawnSync(process.execPath, ["--input-type=module", "-e", script], options);
  assert.equal(ended.stdout, "taken back\n", ended.stderr);
  assert.equal(ended.status, 0, ended.stderr);
});
