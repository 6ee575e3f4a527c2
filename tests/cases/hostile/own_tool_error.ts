// A failed call is a `ToolError` whatever that inherits from.
class Evil { constructor(message: string) { (globalThis as never)["stolen"] = message; return { code: "forged" } as never } }
Object.setPrototypeOf(ToolError, Evil);
try {
  await test.fail({});
} catch (error) {
  return [error instanceof ToolError, error.code, error.message, (globalThis as never)["stolen"] ?? "nothing"];
}
