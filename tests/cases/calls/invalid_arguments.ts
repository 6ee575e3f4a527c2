await test.add({ a: "one" });
