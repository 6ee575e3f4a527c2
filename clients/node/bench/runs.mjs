/**
 * What a run through the package takes, in turns with `quickjs-emscripten` and `isolated-vm` where those are installed: medians in milliseconds, and
 * runs a second. `ISOLET` names the program: a release build. The others run in this process, with a context or an isolate for each run.
 */
import assert from "node:assert/strict";
import { setTimeout as sleep } from "node:timers/promises";
import { Runtime } from "isolet";

const [ONE, CALL, HUNDRED] = ["return 1 + 1", "one call", "100 calls at once"];
const TIMES = [[ONE, 300], [CALL, 300], [HUNDRED, 50]];
const [CLIENTS, SECONDS] = [8, 3];
const hundred = (echo) => `(await Promise.all(Array.from({ length: 100 }, (_, n) => ${echo}))).length`;

const runtime = await Runtime.start();

const median = (times) => times.sort((a, b) => a - b)[times.length >> 1];

/**
 * Runs of the package, each in a process of its own. `beside` is what is spent beside the run itself, as the program measures it, and in the calls: all
 * that a caller in Rust does not have.
 */
async function isolet() {
  const scope = runtime.scope({ tools: [{ name: "echo", call: async ({ n }) => n }] });
  const programs = { [ONE]: "return 1 + 1", [CALL]: "return await app.echo({ n: 1 })", [HUNDRED]: `return ${hundred("app.echo({ n })")}` };
  const run = async (what) => {
    const outcome = await scope.run(programs[what]);
    assert.equal(outcome.end, "returned");
    return outcome.value;
  };
  run.beside = async () => {
    const spent = [];
    for (let n = 0; n < 300; n++) {
      const began = performance.now();
      const { cost, calls } = await scope.run(programs[CALL]);
      spent.push(performance.now() - began - cost.wallMs + calls.reduce((sum, call) => sum + call.durationMs, 0));
      await sleep(1);
    }
    return median(spent);
  };
  return run;
}

async function quickjs() {
  const { getQuickJS } = await import("quickjs-emscripten");
  const engine = await getQuickJS();
  const programs = { [ONE]: "1 + 1", [CALL]: "await echo(1)", [HUNDRED]: hundred("echo(n)") };
  return async (what) => {
    const context = engine.newContext();
    try {
      const echo = context.newFunction("echo", (handle) => {
        const [answer, n] = [context.newPromise(), context.getNumber(handle)];
        Promise.resolve(n).then((n) => context.newNumber(n).consume((value) => answer.resolve(value)));
        answer.settled.then(() => context.runtime.executePendingJobs());
        return answer.handle;
      });
      echo.consume((echo) => context.setProp(context.global, "echo", echo));
      const promise = context.unwrapResult(context.evalCode(`(async () => ${programs[what]})()`));
      const settled = promise.consume((promise) => context.resolvePromise(promise));
      context.runtime.executePendingJobs();
      return context.unwrapResult(await settled).consume((value) => context.getNumber(value));
    } finally {
      context.dispose();
    }
  };
}

async function isolatedVm() {
  const { default: ivm } = await import("isolated-vm");
  const call = (n) => `echo.apply(undefined, [${n}], { result: { promise: true, copy: true } })`;
  const programs = { [ONE]: "1 + 1", [CALL]: `await ${call(1)}`, [HUNDRED]: hundred(call("n")) };
  return async (what) => {
    const isolate = new ivm.Isolate({ memoryLimit: 64 });
    try {
      const context = await isolate.createContext();
      await context.global.set("echo", new ivm.Reference(async (n) => n));
      return await context.eval(`(async () => ${programs[what]})()`, { promise: true, copy: true });
    } finally {
      isolate.dispose();
    }
  };
}

async function runsASecond(run) {
  let count = 0;
  const until = performance.now() + SECONDS * 1000;
  const client = async () => {
    for (; performance.now() < until; count++) await run(CALL);
  };
  await Promise.all(Array.from({ length: CLIENTS }, client));
  return count / SECONDS;
}

const runs = new Map();
for (const [name, make] of [["isolet", isolet], ["quickjs-emscripten", quickjs], ["isolated-vm", isolatedVm]]) {
  try {
    runs.set(name, await make());
  } catch (error) {
    if (error.code !== "ERR_MODULE_NOT_FOUND") throw error;
  }
}
for (const run of runs.values()) {
  for (const [what, expected] of [[ONE, 2], [CALL, 1], [HUNDRED, 100]]) for (let n = 0; n < 5; n++) assert.equal(await run(what), expected);
}
const row = (name, values) => console.log(name.padEnd(24) + values.map((value) => value.padStart(20)).join(""));
row("", [...runs.keys()]);
for (const [what, count] of TIMES) {
  const took = new Map([...runs.keys()].map((name) => [name, []]));
  for (let n = 0; n < count; n++) {
    for (const [name, run] of runs) {
      const began = performance.now();
      await run(what);
      took.get(name).push(performance.now() - began);
      await sleep(1);
    }
  }
  row(what, [...took.values()].map((times) => `${median(times).toFixed(2)} ms`));
}
row("of one call, beside it", [`${(await runs.get("isolet").beside()).toFixed(2)} ms`]);
const began = performance.now();
await Promise.all(Array.from({ length: 1000 }, () => runs.get("isolet")(CALL)));
row("1,000 runs at once", [`${((performance.now() - began) / 1000).toFixed(2)} s`]);
const seconds = [];
for (const run of runs.values()) seconds.push((await runsASecond(run)).toFixed(0));
row("runs a second, 8 clients", seconds);
await runtime.close();
