async function run(): Promise<number> {
  return (await test.add({ a: 1, b: 2 })).sum;
}
