return { map: new Map([["a", 1n]]), set: new Set([1, 2]), date: new Date(0), nothing: undefined, nan: NaN, big: 12345678901234567890n, text: "\u{1F600}\uD800", ["__proto__"]: { data: true } };
