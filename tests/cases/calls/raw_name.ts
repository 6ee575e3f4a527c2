const guessed = await test.get_sum({ a: 1, b: 2 });
const raw = await test["get-sum"]({ a: 3, b: 4 });
return [guessed, raw, test["get-sum"] === test.get_sum, Object.keys(test).includes("get-sum"), await tools.describe("test.get-sum")];
