const kept: { sum?: number } = {};
kept.sum = (await test.add({ a: 1, b: 2 })).sum;
