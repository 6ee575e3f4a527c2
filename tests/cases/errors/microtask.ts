queueMicrotask(() => console.log("first"));
queueMicrotask(() => { throw new TypeError("in a microtask") });
await test.echo({});
return "not reached";
