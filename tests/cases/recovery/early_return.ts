const { sum } = await test.add({ a: 1, b: 2 });
if (sum > 3) return sum;
sum;
