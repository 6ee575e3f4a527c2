// An error is told whatever the list of errors in it says of its length.
for (const length of [{ valueOf() { throw 1 } }, Symbol("s"), 1n, "3", NaN, -1, undefined]) {
  const errors = new Proxy([], { get: (_, key) => (key === "length" ? length : "in it") });
  console.log(errors);
}
const errors = new Proxy([], { get: (_, key) => (key === "length" ? Symbol("s") : "in it") });
throw Object.assign(new Error("outer", { cause: "a cause" }), { errors });
