const half = "\u{1F600}"[0];
const failing = async (call: () => Promise<unknown>) => { try { return await call() } catch (error) { return error.code + ": " + error.message } };
return [await tools.search("echo " + half, 1), await failing(() => tools.describe("test." + half)), await failing(() => tools.describe(half))];
