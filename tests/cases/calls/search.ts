return [Object.isFrozen(test), Object.keys(test), (await tools.search("add numbers", 1))[0].path, await tools.describe("test.nothing")];
