async function main() {
  console.log("runs once");
  return (await test.add({ a: 1, b: 2 })).sum;
}

main();
