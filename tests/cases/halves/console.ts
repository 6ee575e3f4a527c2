const half = "\u{1F600}"[0];
console.log("half", half, { half }, [half + "a"], new Error(half).message);
console.log("x".repeat(65535) + "\u{1F600}");
