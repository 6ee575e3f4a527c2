const seen: unknown[] = [];
Object.defineProperty(Object.prototype, "resolve", { set(value) { seen.push(value) }, configurable: true });
Promise.prototype.then = undefined as never;
JSON.parse = JSON.stringify = (() => "patched") as never;
Map.prototype.get = undefined as never;
const answer = await test.echo({ value: 1 });
return [answer, seen.length];
