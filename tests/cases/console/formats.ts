console.log("text", 1, 2n, null, undefined, true, Symbol("s"));
console.warn({ a: [1, { b: new Map([["k", new Set([1])]]) }], "not an identifier": () => 1 });
console.error(new Error("shown").message);
console.debug([1, , 3]);
