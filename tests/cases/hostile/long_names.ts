// The name of a function stands in each frame of a stack: however long it is, a little of it is shown.
const key = "x".repeat(20_000_000);
const deep = { [key](left: number): never { if (left > 0) return deep[key](left - 1); throw new Error("deep") } };
try {
  deep[key](20);
} catch (error) {
  console.log(error.stack.length);
}
deep[key](20);
