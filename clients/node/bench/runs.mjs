/** What a run through the package takes: medians in milliseconds, and runs a second. `ISOLET` names the program: a release build. */
import assert from "node:assert/strict";
import { setTimeout as sleep } from "node:timers/promises";
import { Runtime } from "isolet";

const median = async (runs, run) => {
  const times = [];
  for (let n = 0; n < runs; n++) {
    const began = performance.now();
    assert.equal((await run()).end, "returned");
    times.push(performance.now() - began);
    await sleep(1);
  }
  return `${times.sort((a, b) => a - b)[runs >> 1].toFixed(2)} ms`;
};

const runtime = await Runtime.start();
const scope = runtime.scope({ tools: [{ name: "echo", call: async ({ n }) => n }] });
for (let n = 0; n < 20; n++) await scope.run("return 1");
console.log("return 1 + 1:          ", await median(300, () => scope.run("return 1 + 1")));
console.log("one call:              ", await median(300, () => scope.run("return await app.echo({ n: 1 })")));
const hundred = "return (await Promise.all(Array.from({ length: 100 }, (_, n) => app.echo({ n })))).length";
console.log("100 calls at once:     ", await median(50, () => scope.run(hundred)));
const began = performance.now();
await Promise.all(Array.from({ length: 1000 }, () => scope.run("return await app.echo({ n: 1 })")));
console.log(`1,000 runs at once:     ${((performance.now() - began) / 1000).toFixed(2)} s`);
let count = 0;
const until = performance.now() + 3000;
const client = async () => {
  for (; performance.now() < until; count++) await scope.run("return await app.echo({ n: 1 })");
};
await Promise.all(Array.from({ length: 8 }, client));
console.log(`runs a second, 8 clients: ${Math.round(count / 3)}`);
await runtime.close();
