// A program that takes the promise's own machinery away ends as it would without.
const taken: unknown[] = [];
Object.defineProperty(Promise.prototype, "constructor", { get() { taken.push("constructor"); return class { constructor(executor: never) { taken.push(executor) } } }, configurable: true });
Promise.prototype.then = function () { taken.push("then") } as never;
Object.defineProperty(Promise, Symbol.species, { get() { taken.push("species"); return undefined }, configurable: true });
return { taken: taken.length };
