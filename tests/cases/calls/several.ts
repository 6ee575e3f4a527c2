const { sum } = await test.add({ a: 1, b: 2 });
const echoed = await Promise.all([1, 2, 3].map((value) => test.echo({ value })));
return { sum, echoed };
